"""Tests of L{edgegate.net.stream}, on real sockets; more of runs is with the two kinds of them."""

from __future__ import annotations

from functools import partial

from twisted.internet import reactor

from edgegate.net.body_copy import BodyCopy
from edgegate.net.body_splice import BodySplice
from edgegate.net.pipe import SPLICES, Pipes
from edgegate.net.poller import poller
from edgegate.net.stream import Stream
from tests.net.pairs import HERE, THERE, Recorder, until
from tests.net.streams import LARGE, StreamTestCase


class StreamTests(StreamTestCase):
    """What goes past the protocol."""

    async def test_detach(self) -> None:
        """A stream at rest hands its socket over; one with something queued does not."""
        self.stream.start(Recorder())
        self.stream.write(LARGE)
        self.assertFalse(self.stream.detachable)
        self.assertRaises(RuntimeError, self.stream.detach)
        await self.taken(len(LARGE))
        await until(lambda: not self.stream.buffered)
        self.assertTrue(self.stream.detachable)
        self.assertIs(self.stream.detach(), self.ours)
        self.assertTrue(self.stream.disconnected)
        self.theirs.send(b"x")
        self.ours.setblocking(True)
        self.assertEqual(self.ours.recv(1), b"x")

    async def test_at_turn_end(self) -> None:
        """What is to be done at the end of a turn is done after what came in it, with any reactor."""
        for watcher in (reactor, poller(reactor)):  # type: ignore[arg-type]
            told: list[str] = []
            stream = Stream(watcher, self.ours, HERE, THERE)  # type: ignore[arg-type]
            stream.at_turn_end(partial(told.append, "later"))
            told.append("now")
            await until(lambda told=told: len(told) == 2)  # type: ignore[misc]
            self.assertEqual(told, ["now", "later"])

    async def test_put_off(self) -> None:
        """What is put off is done in a later turn, with any reactor."""
        for watcher in (reactor, poller(reactor)):  # type: ignore[arg-type]
            told: list[str] = []
            stream = Stream(watcher, self.ours, HERE, THERE)  # type: ignore[arg-type]
            stream.put_off(partial(told.append, "later"), "client")
            self.assertEqual(told, [])
            await until(lambda told=told: told == ["later"])  # type: ignore[misc]

    def test_which_run(self) -> None:
        """The kernel moves bytes where it can; where no pipe is left they are copied."""
        self.assertTrue(self.stream.run_to(self.stream, 10, lambda _: None))
        self.assertIsInstance(self.stream._run, BodySplice if SPLICES else BodyCopy)
        self.assertFalse(self.stream.at_rest)
        self.assertFalse(self.stream.run_to(self.stream, 10, lambda _: None))
        self.stream._stop_run()
        self.assertTrue(self.stream.run_to(self.stream, 10, lambda _: None, Pipes(0)))
        self.assertIsInstance(self.stream._run, BodyCopy)

    def test_no_run(self) -> None:
        """None begins where something is queued, or ends."""
        self.stream.start(Recorder())
        self.addCleanup(lambda: until(lambda: self.stream.disconnected))
        self.addCleanup(self.stream.abortConnection)
        self.assertTrue(self.stream.at_rest)
        self.stream.write(LARGE)
        self.assertFalse(self.stream.at_rest)
        self.stream.loseWriteConnection()
        self.assertFalse(self.stream.run_to(self.stream, 10, lambda _: None))
