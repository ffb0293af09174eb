"""Tests of L{edgegate.workers.candidates}: the test is the zygotes, and all workers."""

from __future__ import annotations

import socket

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.net.channel import Channel, adopt, pair
from edgegate.workers.candidates import Candidates
from edgegate.workers.generation import Surroundings
from edgegate.workers.generations import Generations
from edgegate.workers.listening_sockets import ListeningSockets
from edgegate.workers.messages import Adopt, End, Failed, FilesRead, Fork, Opening, Ready, Renew, Unchanged
from edgegate.workers.slots import Slots, shared_memory
from edgegate.workers.zygotes import Files, Zygote, Zygotes
from tests.workers.watching import Watching

ORIGIN = Origin("shop.yaml", 5, "Gateway default/gw")


class CandidatesTests(SynchronousTestCase):
    """Generations of one worker."""

    def setUp(self) -> None:
        """Have a first generation serve no port."""
        self.reactor = Watching()
        memory = shared_memory()
        self.zygotes = Zygotes(self.reactor, (), memory)  # type: ignore[arg-type]
        self.addCleanup(self.zygotes.stop)
        surroundings = Surroundings(
            self.reactor,  # type: ignore[arg-type]
            Slots(memory),
            lambda worker, value: None,
            lambda worker: None,
            lambda: None,
            lambda: None,
        )
        self.generations = Generations(surroundings, 1)
        self.sockets = ListeningSockets()
        self.addCleanup(self.sockets.close)
        self.ending = False
        self.first, self.channel = self.files()
        self.candidates = Candidates(self.first, self.zygotes, self.generations, self.sockets, lambda: self.ending)
        self.generations.take_over(self.generations.make(self.first.zygote), ())

    def files(self, *ports: int, sound: bool = True) -> tuple[Files, Channel]:
        """Return what a zygote has read, and the zygote's end of its channel."""
        ours, theirs = pair()
        zygote, channel = Zygote(self.reactor, Channel(ours)), Channel(theirs)  # type: ignore[arg-type]
        zygote.read.callback(None)
        self.addCleanup(channel.close)
        self.addCleanup(zygote.peer.close)
        openings = tuple(Opening(TCPAddress("127.0.0.1", port), port, ORIGIN) for port in ports)
        return Files(zygote, FilesRead(sound, Problems(), openings=openings)), channel

    def worker(self, channel: Channel) -> Channel:
        """Make the worker that a zygote is to make; its sockets were sent before."""
        # each comes with descriptors of its own
        adopted, fork = *channel.receive(), *channel.receive()
        assert isinstance(adopted.value, Adopt) and isinstance(fork.value, Fork)
        for each in adopted.descriptors:
            adopt(each).close()
        worker = Channel(adopt(fork.descriptors[0]))
        self.addCleanup(worker.close)
        return worker

    def hear(self) -> None:
        """Hear what was told."""
        for reader in tuple(self.reactor.readers):
            reader.doRead()  # type: ignore[no-untyped-call]

    def refused(self, files: Files, asked: Deferred[bool]) -> list[str]:
        """Return why they are not served. What was served is; what is read next is compiled in any case."""
        self.assertFalse(self.successResultOf(asked))
        self.assertIs(self.candidates.latest, files)
        current = self.generations.current
        assert current is not None
        self.assertIs(current.zygote, self.first.zygote)
        self.assertTrue(self.reads_anyway())
        return [str(problem) for problem in files.problems]

    def reads_anyway(self) -> bool:
        """Have files read that are what they were; return whether they were to be compiled in any case."""
        read = self.candidates.read(False)
        (renew,) = self.channel.receive()
        assert isinstance(renew.value, Renew)
        next_one = Channel(adopt(renew.descriptors[0]))
        next_one.send(Unchanged())
        self.hear()
        next_one.close()
        self.hear()
        self.assertIsNone(self.successResultOf(read))
        return renew.value.anyway

    def test_served(self) -> None:
        """What was read is served once its worker is ready, on sockets that the zygote was sent."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        files, channel = self.files(port)
        asked = self.candidates.install(files)
        worker = self.worker(channel)
        self.assertNoResult(asked)
        worker.send(Ready(()))
        self.hear()
        self.assertTrue(self.successResultOf(asked))
        current = self.generations.current
        assert current is not None
        self.assertIs(current.zygote, files.zygote)
        self.assertEqual(list(self.sockets.open), [TCPAddress("127.0.0.1", port)])
        self.channel = channel
        self.assertFalse(self.reads_anyway())

    def test_cannot_bind(self) -> None:
        """A port that is taken is told at its place in the files, and the zygote ends."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            files, channel = self.files(taken.getsockname()[1])
            (problem,) = self.refused(files, self.candidates.install(files))
        self.assertIn("shop.yaml:5:1: error: cannot bind", problem)
        self.assertEqual([each.value for each in channel.receive()], [End()])

    def test_errors(self) -> None:
        """Files with errors are refused as they are."""
        files, _ = self.files(sound=False)
        self.assertEqual(self.refused(files, self.candidates.install(files)), [])

    def test_worker_dies(self) -> None:
        """Where no worker can serve them that is told, and their ports are closed."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        files, channel = self.files(port)
        asked = self.candidates.install(files)
        self.worker(channel).close()
        self.hear()
        (problem,) = self.refused(files, asked)
        self.assertIn("no worker can serve these files: it died before it was ready", problem)
        with socket.create_server(("127.0.0.1", port)):
            pass

    def test_cannot_log(self) -> None:
        """What a worker can't do is told at its place in the files, where that is known."""
        files, channel = self.files()
        asked = self.candidates.install(files)
        (fork,) = channel.receive()
        worker = Channel(adopt(fork.descriptors[0]))
        worker.send(Failed("cannot open the access log no/log: No such file or directory", ORIGIN))
        worker.close()
        # what it said, and then that it is gone
        self.hear()
        self.hear()
        self.assertEqual(
            self.refused(files, asked),
            ["shop.yaml:5:1: error: cannot open the access log no/log: No such file or directory"],
        )

    def test_ending(self) -> None:
        """What is ready when the gateway ends serves nobody."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        files, channel = self.files(port)
        asked = self.candidates.install(files)
        worker = self.worker(channel)
        self.ending = True
        worker.send(Ready(()))
        self.hear()
        self.successResultOf(asked)
        self.assertEqual(self.sockets.open, {})
        self.assertNotIn("Accept", [type(each.value).__name__ for each in worker.receive()])
