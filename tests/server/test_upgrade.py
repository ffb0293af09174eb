"""Tests of L{edgegate.server.upgrade}: the new process is the test; tests/acceptance/test_new_version has real ones."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from edgegate import __version__
from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.channel import JSON, MOST_DESCRIPTORS, Channel
from edgegate.server.handover import Handed, Ready, Role, ready_message
from edgegate.server.upgrade import LONGEST_START, Upgrade, Upgrades
from tests.workers.watching import Watching

HTTP = TCPAddress("::", 80)


class FakeGateway:
    """
    Is left.

    @ivar told: What it was told.
    """

    def __init__(self, told: list[object]) -> None:
        self.told = told
        self.reason = ""
        self.sockets: list[Handed] = []

    def hold(self) -> str:
        """Hold, unless the test says why not."""
        self.told.append("hold")
        return self.reason

    def resume(self) -> None:
        """Go on."""
        self.told.append("resume")

    def handed(self) -> list[Handed]:
        """Return its sockets."""
        return self.sockets

    def hand_over(self, serves: Iterable[Address]) -> None:
        """Leave."""
        self.told.append(("gateway", tuple(serves)))


class FakeCompanion:
    """Changes hands, too."""

    def __init__(self, told: list[object]) -> None:
        self.told = told
        self.error: OSError | None = None

    def prepare(self) -> None:
        """Make room, or fail."""
        if self.error is not None:
            raise self.error
        self.told.append("prepare")

    def handed(self) -> list[Handed]:
        """Return nothing."""
        return []

    def keep(self) -> None:
        """Keep it."""
        self.told.append("keep")

    def hand_over(self, pid: int) -> Deferred[None]:
        """Leave it."""
        self.told.append(("companion", pid))
        return succeed(None)


class FakeProcess:
    """The new process, as far as it is seen."""

    def __init__(self, channel: Channel, ended: Callable[[str], None]) -> None:
        self.channel = channel
        self.ended = ended
        self.killed = False

    def said(self) -> list[str]:
        """Return its last words."""
        return ["a line"]

    def kill(self) -> None:
        """End it."""
        self.killed = True


class UpgradesTests(SynchronousTestCase):
    """From the question to the answer."""

    def setUp(self) -> None:
        """Have a gateway that can be upgraded."""
        self.reactor = Watching()
        self.told: list[object] = []
        self.gateway, self.companion = FakeGateway(self.told), FakeCompanion(self.told)
        self.upgrades = Upgrades(self.reactor, self.gateway)  # type: ignore[arg-type]
        self.upgrades.companions.append(self.companion)
        self.upgrades.launch = self.launch
        self.processes: list[FakeProcess] = []

    def launch(self, descriptor: int, ended: Callable[[str], None]) -> FakeProcess:
        """Be the new process."""
        channel = Channel(socket.socket(fileno=os.dup(descriptor)), codec=JSON)
        self.addCleanup(channel.close)
        self.processes.append(FakeProcess(channel, ended))
        return self.processes[-1]

    def failed(self, asked: Deferred[Upgrade]) -> str:
        """Return why an upgrade failed; all is as before."""
        upgrade = self.successResultOf(asked)
        self.assertFalse(upgrade.succeeded)
        self.assertEqual(self.told[-1], "resume")
        self.assertIn("keep", self.told)
        self.assertEqual((self.reactor.readers, self.reactor.writers), ([], []))
        return "\n".join(upgrade.lines)

    def hear(self) -> None:
        """Read what the new process has said."""
        for reader in tuple(self.reactor.readers):
            reader.doRead()  # type: ignore[no-untyped-call]

    def test_upgraded(self) -> None:
        """It is handed everything, and once it serves all is left to it, before it is told so."""
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        count = MOST_DESCRIPTORS + 1
        self.gateway.sockets = [Handed(Role.PORT, TCPAddress("::", number), read) for number in range(count)]
        asked = self.upgrades.upgrade()
        self.assertEqual(self.told, ["hold", "prepare"])
        (process,) = self.processes
        found = []
        while len(found) < 3:
            for peer in tuple(self.reactor.writers):
                peer.doWrite()  # type: ignore[no-untyped-call]
            found += process.channel.receive()
        for received in found:
            for descriptor in received.descriptors:
                os.close(descriptor)
        self.assertEqual([len(received.descriptors) for received in found], [MOST_DESCRIPTORS, 1, 1])
        self.assertEqual(found[-1].value, {"begin": {"version": __version__}})
        process.channel.send({"what": 1})
        process.channel.send(ready_message(Ready(7, "9.8", (HTTP,))))
        self.hear()
        upgrade = self.successResultOf(asked)
        words = f"upgraded: pid 7, edgegate 9.8, serves in the place of pid {os.getpid()}"
        self.assertEqual(upgrade, Upgrade(True, (words, "a line")))
        self.assertEqual(self.told[2:], [("gateway", (HTTP,)), ("companion", 7)])
        self.assertEqual([received.value for received in process.channel.receive()], [{"left": {}}])
        process.ended("it ended with status 1")
        self.assertEqual(self.reactor.getDelayedCalls(), [])
        again = self.successResultOf(self.upgrades.upgrade())
        self.assertEqual(again.lines, ("upgrade refused: another process serves in the place of this one already",))
        self.assertNotIn("resume", self.told)

    def test_ends(self) -> None:
        """One that ends says why by its status and its last lines, and the next one may do better."""
        asked = self.upgrades.upgrade()
        self.processes[0].channel.close()
        self.hear()
        self.assertNoResult(asked)
        self.processes[0].ended("it ended with status 78")
        self.assertEqual(
            self.failed(asked),
            "upgrade failed: the new process was not ready when it ended with status 78; this process goes on\na line",
        )
        self.reactor.advance(LONGEST_START)
        self.assertNoResult(self.upgrades.upgrade())

    def test_gone(self) -> None:
        """A daemon that is gone has no status; the command that has started it had one, and a good one."""
        asked = self.upgrades.upgrade()
        self.processes[0].ended("")
        self.assertNoResult(asked)
        self.processes[0].channel.close()
        self.hear()
        self.reactor.advance(2)
        self.assertIn("the new process has ended before it was ready", self.failed(asked))

    def test_hangs(self) -> None:
        """One that takes too long is told to end, and killed."""
        asked = self.upgrades.upgrade()
        self.reactor.advance(LONGEST_START)
        self.assertIn("was not ready within 60 s", self.failed(asked))
        self.assertTrue(self.processes[0].killed)
        # the descriptor of the first is for itself
        said = [received.value for _ in range(2) for received in self.processes[0].channel.receive()]
        self.assertEqual(said[1:], [{"cancel": {}}])

    def test_nonsense(self) -> None:
        """One that is not understood does not serve."""
        asked = self.upgrades.upgrade()
        self.processes[0].channel.send({"ready": {"pid": 7}})
        self.hear()
        self.assertIn("but not all of it (KeyError: 'version')", self.failed(asked))

    def test_cancelled(self) -> None:
        """This process ends: so does the new one."""
        self.upgrades.cancel()
        asked = self.upgrades.upgrade()
        self.upgrades.cancel()
        self.assertIn("this process ends", self.failed(asked))
        self.assertTrue(self.processes[0].killed)

    def test_refused(self) -> None:
        """It is refused with a reason: one is under way, the gateway can't hold, there is nothing to be started."""
        first = self.upgrades.upgrade()
        self.assertEqual(
            self.successResultOf(self.upgrades.upgrade()).lines, ("upgrade refused: another one is under way",)
        )
        self.assertNoResult(first)
        self.upgrades.cancel()
        self.successResultOf(first)
        self.gateway.reason = "it reloads"
        self.assertEqual(self.successResultOf(self.upgrades.upgrade()).lines, ("upgrade refused: it reloads",))
        self.upgrades.launch = "no way"
        self.assertEqual(self.successResultOf(self.upgrades.upgrade()).lines, ("upgrade refused: no way",))
        self.assertEqual(len(self.processes), 1)

    def test_cannot(self) -> None:
        """What can't be prepared or started leaves all as it was."""

        def launch(descriptor: int, ended: Callable[[str], None]) -> FakeProcess:
            raise FileNotFoundError(2, "no such program")

        self.upgrades.launch = launch
        self.assertIn("no such program", self.failed(self.upgrades.upgrade()))
        self.companion.error = PermissionError(13, "no right")
        self.told.clear()
        upgrade = self.successResultOf(self.upgrades.upgrade())
        self.assertIn("no right", upgrade.lines[0])
        self.assertEqual(self.told, ["hold", "resume"])

    def test_broken(self) -> None:
        """What is wrong with the upgrade itself is logged, and what serves goes on."""

        def launch(descriptor: int, ended: Callable[[str], None]) -> FakeProcess:
            raise RuntimeError("broken")

        self.upgrades.launch = launch
        self.assertEqual(self.failed(self.upgrades.upgrade()), "upgrade failed: internal error: RuntimeError")
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)
