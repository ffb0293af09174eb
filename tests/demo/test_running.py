"""Tests for the demo's processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.demo.echo import EchoFactory
from edgegate.demo.running import PORTS, GatewayProcess, descriptions, run
from edgegate.demo.stores import tcp_description


class ChildTransport:
    """A child process that only takes note of signals."""

    def __init__(self, ended: bool = False) -> None:
        self.signals: list[str] = []
        self._ended = ended

    def signalProcess(self, name: str) -> None:
        """Take note of it."""
        if self._ended:
            raise ProcessExitedAlready
        self.signals.append(name)


def child(ended: bool = False) -> tuple[GatewayProcess, ChildTransport]:
    """Return the demo's side of a child process, and the child."""
    gateway, transport = GatewayProcess(), ChildTransport(ended)
    gateway.transport = transport
    return gateway, transport


class GatewayProcessTests(SynchronousTestCase):
    """The gateway as a child process."""

    def test_passes_its_status_on(self) -> None:
        """The child's exit status becomes the demo's."""
        gateway, _ = child()
        gateway.processEnded(Failure(ProcessTerminated(exitCode=78)))
        self.assertEqual(self.successResultOf(gateway.ended), 78)

    def test_clean_end(self) -> None:
        """A child that ends well lets the demo end well."""
        gateway, _ = child()
        gateway.processEnded(Failure(ProcessDone(0)))
        self.assertEqual(self.successResultOf(gateway.ended), 0)

    def test_killed(self) -> None:
        """A child that someone else killed counts as a failure, as a shell counts it."""
        gateway, _ = child()
        gateway.processEnded(Failure(ProcessTerminated(signal=signal.SIGKILL)))
        self.assertEqual(self.successResultOf(gateway.ended), 128 + signal.SIGKILL)

    def test_stop(self) -> None:
        """A child that was told to end and does is no failure."""
        gateway, transport = child()
        ended = gateway.stop()
        self.assertEqual(transport.signals, ["TERM"])
        self.assertNoResult(ended)
        gateway.processEnded(Failure(ProcessTerminated(signal=signal.SIGTERM)))
        self.assertEqual(self.successResultOf(ended), 0)

    def test_stop_twice(self) -> None:
        """A child that takes too long can be killed by asking again."""
        gateway, transport = child()
        gateway.stop()
        ended = gateway.stop()
        self.assertEqual(transport.signals, ["TERM", "KILL"])
        gateway.processEnded(Failure(ProcessTerminated(signal=signal.SIGKILL)))
        self.assertEqual(self.successResultOf(ended), 0)

    def test_stop_after_the_end(self) -> None:
        """Stopping a child that has ended already does nothing."""
        gateway, _ = child(ended=True)
        gateway.processEnded(Failure(ProcessDone(0)))
        self.assertEqual(self.successResultOf(gateway.stop()), 0)


class DescriptionsTests(SynchronousTestCase):
    """Which backends there are."""

    def test_each_has_its_port(self) -> None:
        """Every backend listens on the port that the files name."""
        found = [description for description, _ in descriptions(PORTS, Path("certs"))]
        self.assertEqual([int(each.split(":")[1]) for each in found], list(PORTS.values()))


class RunTests(TestCase):
    """The demo as a whole, with any other program in the gateway's place."""

    async def run_demo(self, code: str, backends: Sequence[tuple[str, IProtocolFactory]] = ()) -> object:
        """Run it with a child that executes C{code}, and return what it ended with."""
        with self.assertRaises(SystemExit) as caught:
            await run(reactor, backends, [sys.executable, "-c", code])
        return caught.exception.code

    async def test_status(self) -> None:
        """The demo ends with the gateway, and with its exit status."""
        self.assertEqual(await self.run_demo("raise SystemExit(78)"), 78)

    async def test_interrupt(self) -> None:
        """Ctrl-C reaches the child through the demo alone, once, and the demo waits for its end."""
        before = signal.getsignal(signal.SIGINT)
        ready = Path(self.mktemp())
        code = f"""import os, signal, pathlib
signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
assert os.getpgid(0) == os.getpid()
pathlib.Path({str(ready)!r}).touch()
signal.pause()"""
        looking = LoopingCall(lambda: ready.exists() and (looking.stop(), os.kill(os.getpid(), signal.SIGINT)))
        looking.start(0.05)
        self.assertEqual(await self.run_demo(code), 7)
        self.assertIs(signal.getsignal(signal.SIGINT), before)

    async def test_port_taken(self) -> None:
        """A backend's port that something else has ends the demo with a line that names it."""
        other = await serverFromString(reactor, tcp_description(0)).listen(EchoFactory("other"))
        self.addCleanup(other.stopListening)
        number = other.getHost().port
        said = await self.run_demo("", [(tcp_description(number), EchoFactory("laptop"))])
        self.assertIn(f"edgegate.demo: Couldn't listen on 127.0.0.1:{number}", str(said))

    async def test_no_certificates(self) -> None:
        """Certificates that nobody has made yet end the demo with a line that names the file."""
        certs = Path(self.mktemp())
        said = await self.run_demo("", descriptions(PORTS, certs)[2:3])
        self.assertIn(f"{certs}/simple-sni-1.istioinaction.io.crt", str(said))
