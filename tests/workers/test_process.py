"""
Tests of the processes that are no supervisor: L{edgegate.workers.spawn}, L{edgegate.workers.process},
L{edgegate.workers.zygote} and L{edgegate.workers.worker}. Real ones; the test is the supervisor.
"""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import TypeVar

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.channel import Channel, Received, pair, wait_for_any
from edgegate.workers.messages import (
    Accept,
    Adopt,
    Died,
    Drain,
    End,
    FilesRead,
    Fork,
    Forked,
    Load,
    LogEvent,
    LogTo,
    Ready,
    Renew,
    Retire,
    Show,
    Unchanged,
    ViewRows,
)
from edgegate.workers.slots import ABSENT, Slots, shared_memory
from edgegate.workers.spawn import Spawned
from tests.acceptance.processes import wait_until

PATIENCE = 60.0

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {port}, name: http, protocol: HTTP}}, bind: 127.0.0.1, hosts: ["*"]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: vs}}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{{directResponse: {{status: 200, body: {{string: {body}}}}}}}]
"""

T = TypeVar("T")


class Other:
    """The test's end of a channel: what comes is waited for."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._ahead: list[Received] = []

    def next(self, kind: type[T]) -> T:
        """Return the next value of a kind; others are passed over."""
        while True:
            value = self._take().value
            if isinstance(value, kind):
                return value

    def ends(self) -> None:
        """Wait for its end."""
        try:
            while True:
                self._take()
        except EOFError:
            self.channel.close()

    def _take(self) -> Received:
        while not self._ahead:
            if not wait_for_any([self.channel.fileno()], PATIENCE):
                raise AssertionError("nothing came")
            self._ahead = self.channel.receive()
        return self._ahead.pop(0)


def has_open(pid: int, path: Path) -> bool:
    """Return whether a process that may be gone has a file open."""
    try:
        return any(each.samefile(path) for each in Path(f"/proc/{pid}/fd").iterdir() if each.exists())
    except FileNotFoundError:
        return False


class ProcessTestCase(SynchronousTestCase):
    """A zygote, and one worker."""

    def setUp(self) -> None:
        """Start the zygote."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)
        self.port = self.listening.getsockname()[1]
        self.write("one")
        self.memory = shared_memory()
        self.addCleanup(os.close, self.memory)
        self.slots = Slots(self.memory)
        spawned = Spawned()
        self.addCleanup(os.close, spawned.errors)
        self.errors = spawned.errors
        self.zygote = Other(spawned.channel)
        self.addCleanup(self.end, spawned)
        arguments = ("--config", str(self.folder), "--access-log", "log", "--workers", "2")
        spawned.channel.send(Load((*arguments, *self.options())), (self.memory,))

    def options(self) -> tuple[str, ...]:
        """Return options besides."""
        return ()

    def end(self, spawned: Spawned) -> None:
        """End what is left of it."""
        spawned.channel.close()
        while not spawned.reap():
            os.sched_yield()

    def write(self, body: str) -> None:
        """Write the files."""
        (self.folder / "a.yaml").write_text(FILES.format(port=self.port, body=body))

    def fork(self, zygote: Other, slot: int = 0) -> Other:
        """Have a worker made, and wait until it is ready."""
        address = TCPAddress("127.0.0.1", self.port)
        zygote.channel.send(Adopt((address,)), (self.listening.fileno(),))
        ours, theirs = pair()
        self.slots.set_connections(slot, ABSENT)
        zygote.channel.send(Fork(slot, (slot,)), (theirs.fileno(),))
        theirs.close()
        worker = Other(Channel(ours))
        self.addCleanup(worker.channel.close)
        self.pid = zygote.next(Forked).pid
        ready = worker.next(Ready)
        self.assertIn(f"serving HTTP on 127.0.0.1:{self.port}", ready.says[0][1])
        return worker

    def renew(self, anyway: bool = False) -> Other:
        """Have the next zygote made."""
        ours, theirs = pair()
        self.zygote.channel.send(Renew(anyway), (theirs.fileno(),))
        theirs.close()
        zygote = Other(Channel(ours))
        self.addCleanup(zygote.channel.close)
        return zygote

    def ask(self) -> bytes:
        """Ask the gateway on a new connection."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            found = b""
            while piece := client.recv(65536):
                found += piece
        return found.rpartition(b"\r\n")[2]


class ProcessTests(ProcessTestCase):
    """What they do."""

    def test_read(self) -> None:
        """What was read is told: ports, and where changes would be seen."""
        read = self.zygote.next(FilesRead)
        self.assertTrue(read.sound)
        self.assertEqual([str(each.bind) for each in read.openings], [f"127.0.0.1:{self.port}"])
        self.assertEqual(read.openings[0].origin.file, "a.yaml")
        self.assertEqual(read.watched.path, self.folder.absolute())
        # only what has a single thread may fork
        children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
        pid = int(children.split()[-1])
        # the kernel has one that has ended for a moment longer than Python
        wait_until(lambda: len(list(Path(f"/proc/{pid}/task").iterdir())) == 1)
        self.assertEqual(Path(f"/proc/{pid}/comm").read_text().strip(), "edgegate zygote"[:15])

    def test_unsound(self) -> None:
        """The next zygote tells what is wrong with new files, or that nothing has changed, and ends; this one stays."""
        self.zygote.next(FilesRead)
        unchanged = self.renew()
        unchanged.next(Unchanged)
        unchanged.ends()
        self.assertTrue(self.renew(anyway=True).next(FilesRead).sound)
        (self.folder / "b.yaml").write_text("kind: Gateway\nspec: [\n")
        refused = self.renew()
        read = refused.next(FilesRead)
        self.assertFalse(read.sound)
        self.assertIn("b.yaml:3:1: error", str(next(iter(read.problems))))
        refused.ends()
        self.fork(self.zygote)

    def test_serves(self) -> None:
        """A worker serves once it is told to accept, shows what it does, logs, and ends when it is told to."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        self.assertEqual(Path(f"/proc/{self.pid}/comm").read_text().strip(), "edgegate worker")
        self.assertGreater(self.slots.last_beat(0), 0)
        log = os.open(self.folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        worker.channel.send(LogTo(), (log,))
        os.close(log)
        worker.channel.send(Accept())
        self.assertEqual(self.ask(), b"one")
        worker.channel.send(Show(7, "listeners"))
        shown = worker.next(ViewRows)
        assert isinstance(shown.rows, list)
        self.assertEqual((shown.number, len(shown.rows)), (7, 1))
        worker.channel.send(Show(8, "nothing"))
        self.assertIn("KeyError", str(worker.next(ViewRows).rows))
        worker.channel.send(Drain(5.0))
        worker.ends()
        died = self.zygote.next(Died)
        self.assertEqual((died.slot, died.pid, died.status), (0, self.pid, 0))
        self.assertIn('"GET / HTTP/1.1" 200', (self.folder / "log").read_text())

    def test_last_words(self) -> None:
        """What a worker has told when it ends is read to its end, also where much of it waits."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        path = self.folder / "log"
        log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        worker.channel.send(LogTo(), (log,))
        os.close(log)
        worker.channel.send(Show(0, "listeners"))
        worker.next(ViewRows)
        self.assertTrue(has_open(self.pid, path))
        count = 2000
        for number in range(count):
            worker.channel.send(Show(number, "listeners"))
        worker.channel.send(Drain(0.0))
        while worker.channel.waiting or has_open(self.pid, path):
            worker.channel.flush()
            os.sched_yield()
        self.assertEqual([worker.next(ViewRows).number for _ in range(count)], list(range(count)))
        worker.ends()

    def test_generations(self) -> None:
        """Workers of the next zygote serve its files; those before end with their connections."""
        self.zygote.next(FilesRead)
        before = self.fork(self.zygote)
        before.channel.send(Accept())
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as kept:
            kept.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertIn(b"one", kept.recv(65536))
            self.write("two")
            zygote = self.renew()
            read = zygote.next(FilesRead)
            self.assertEqual(len(read.changes), 1)
            after = self.fork(zygote, slot=1)
            after.channel.send(Accept())
            before.channel.send(Retire(()))
            self.zygote.channel.send(End())
            self.zygote.ends()
            while self.ask() != b"two":
                continue
            self.assertEqual({self.ask() for _ in range(20)}, {b"two"})
            kept.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            self.assertIn(b"connection: close", kept.recv(65536).lower())
        before.ends()
        self.assertEqual(self.ask(), b"two")

    def test_logs(self) -> None:
        """What a worker logs it tells; what Python itself says of one that aborts can be read."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        worker.channel.send(Show(1, "nothing"))
        event = worker.next(LogEvent)
        self.assertEqual((event.level, event.namespace), ("critical", "edgegate.workers.worker"))
        self.assertIn("KeyError", event.text)
        os.kill(self.pid, signal.SIGABRT)
        self.assertEqual(self.zygote.next(Died).status & 0x7F, signal.SIGABRT)
        self.assertTrue(wait_for_any([self.errors], PATIENCE))
        self.assertIn(b"Fatal Python error: Aborted", os.read(self.errors, 65536))

    def test_alone(self) -> None:
        """Without the supervisor a worker ends, and so does a zygote."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        worker.channel.close()
        self.assertEqual(self.zygote.next(Died).status, 0)

    def test_signals(self) -> None:
        """Signals that a terminal or systemd sends to all processes are the supervisor's alone."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            os.kill(self.pid, number)
        worker.channel.send(Accept())
        self.assertEqual(self.ask(), b"one")


class TracedTests(ProcessTestCase):
    """A worker that sends traces."""

    def options(self) -> tuple[str, ...]:
        """Have a collector that answers when the test does."""
        self.collector = socket.create_server(("127.0.0.1", 0))
        self.collector.settimeout(PATIENCE)
        self.addCleanup(self.collector.close)
        return (f"--trace-otlp=http://127.0.0.1:{self.collector.getsockname()[1]}", "--trace-sampling=100")

    def test_last_spans(self) -> None:
        """A worker that ends can be talked to until its collector has taken the last spans: it is not gone before."""
        self.zygote.next(FilesRead)
        worker = self.fork(self.zygote)
        worker.channel.send(Accept())
        self.assertEqual(self.ask(), b"one")
        worker.channel.send(Drain(5.0))
        posted, _ = self.collector.accept()
        with posted:
            posted.settimeout(PATIENCE)
            self.assertEqual(posted.recv(5), b"POST ")
            worker.channel.send(Show(7, "listeners"))
            self.assertEqual(worker.next(ViewRows).number, 7)
        worker.ends()
        self.assertEqual(self.zygote.next(Died).status, 0)
