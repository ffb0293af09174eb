"""Tests of L{edgegate.server.predecessor}: the process before is the test."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.channel import JSON, Channel, pair
from edgegate.observe.log_file import STREAMS
from edgegate.server.handover import VARIABLE, Handed, NotUnderstood, Role, sockets_message
from edgegate.server.predecessor import Predecessor, Succession, predecessor
from tests.workers.watching import Watching

HTTP, ADMIN = TCPAddress("::", 80), TCPAddress("127.0.0.1", 1)


class Running(Watching):
    """A reactor that runs when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: list[Callable[[], None]] = []

    def callWhenRunning(self, call: Callable[[], None]) -> None:
        """Call something later."""
        self.hooks.append(call)

    def run(self) -> None:
        """Run."""
        for call in self.hooks:
            call()


class PredecessorTests(SynchronousTestCase):
    """What is handed."""

    def setUp(self) -> None:
        """Be the process before."""
        ours, theirs = pair()
        self.channel = Channel(ours, codec=JSON)
        self.addCleanup(self.channel.close)
        self.addCleanup(STREAMS.update, dict(STREAMS))
        self.environment = {VARIABLE: str(theirs.detach()), "A": "1"}
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listening.close)

    def hand(self, *roles: tuple[Role, Address], **more: Any) -> None:
        """Hand sockets over."""
        handed = [Handed(role, address, self.listening.fileno(), "80") for role, address in roles]
        self.channel.send(sockets_message(handed), [each.descriptor for each in handed])
        self.channel.send({"begin": {}, **more}, [2])

    def taken(self) -> Predecessor:
        """Take what was handed."""
        before = predecessor(self.environment)
        assert before is not None
        self.addCleanup(before.close)
        self.addCleanup(before.channel.close)
        self.assertEqual(self.environment, {"A": "1"})
        return before

    def refused(self, words: str) -> None:
        """Nothing is taken, for this reason."""
        error = self.assertRaises(NotUnderstood, predecessor, self.environment)
        self.assertIn(words, str(error))

    def test_none(self) -> None:
        """A process that was not started by an upgrade has none."""
        os.close(int(self.environment.pop(VARIABLE)))
        self.assertIsNone(predecessor(self.environment))

    def test_taken(self) -> None:
        """Each socket is what it is for; what is not known here is closed, and no matter."""
        self.channel.send({"news": 1}, [2])
        self.hand((Role.PORT, HTTP), (Role.PASSED, HTTP), (Role.ADMIN, ADMIN), more=1)
        before = self.taken()
        self.addCleanup(os.close, before.errors)
        # its own is read by the process before, and by nobody once that is gone
        self.assertEqual(STREAMS["/dev/stderr"], before.errors)
        sock = before.ports.take(HTTP, 80)
        assert sock is not None
        self.addCleanup(sock.close)
        self.assertEqual((sock.getsockname(), sock.get_inheritable()), (self.listening.getsockname(), False))
        (passed,) = before.passed
        self.assertEqual((passed.name, passed.address), ("80", HTTP))
        passed.socket.close()
        self.assertIsNone(before.admin_socket(HTTP))
        self.assertIsNotNone(before.admin_socket(ADMIN))

    def test_given_up(self) -> None:
        """The process before has given this one up."""
        self.channel.send({"cancel": {}})
        self.refused("has given it up")

    def test_gone(self) -> None:
        """The process before is gone, or the variable names something else."""
        self.channel.close()
        self.refused("EOFError")
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, write)
        for number in ("x", str(read)):
            self.environment[VARIABLE] = number
            self.refused(f"{VARIABLE}={number} is no upgrade")

    def begun(self) -> Predecessor:
        """Begin to serve in its place; the reactor does not run yet."""
        self.hand((Role.PORT, HTTP), (Role.ADMIN, ADMIN))
        before = self.taken()
        self.reactor, self.ended = Running(), 0

        def end() -> None:
            self.ended += 1

        self.service = Succession(self.reactor, before, lambda: [HTTP], end)  # type: ignore[arg-type]
        self.service.startService()
        self.addCleanup(self.service.stopService)
        return before

    def succession(self) -> Predecessor:
        """Serve in its place."""
        before = self.begun()
        self.reactor.run()
        (received,) = self.channel.receive()
        assert isinstance(received.value, dict)
        self.assertEqual(received.value["ready"]["pid"], os.getpid())
        self.assertEqual(received.value["ready"]["serves"], [{"host": "::", "port": 80}])
        return before

    def hear(self) -> None:
        """Read what the process before has said."""
        for reader in tuple(self.reactor.readers):
            reader.doRead()  # type: ignore[no-untyped-call]

    def test_succession(self) -> None:
        """It tells that it serves, closes what it has not taken, and is alone once the process before has left."""
        before = self.succession()
        self.assertIsNone(before.ports.take(HTTP, 80))
        self.channel.send({"news": 1}, [2])
        self.hear()
        self.assertNoResult(before.left)
        self.channel.send({"left": {}})
        self.hear()
        self.successResultOf(before.left)
        self.assertEqual((before.ports.left, before.errors, self.ended, self.reactor.readers), (True, -1, 0, []))
        self.assertEqual(STREAMS["/dev/stderr"], 2)

    def test_before_died(self) -> None:
        """Without the process before it is alone."""
        before = self.succession()
        self.channel.close()
        self.hear()
        self.successResultOf(before.left)
        self.assertEqual(self.ended, 0)

    def test_cancelled(self) -> None:
        """Where the process before goes on this one ends, and leaves what it shares alone."""
        before = self.succession()
        self.addCleanup(os.close, before.errors)
        self.channel.send({"cancel": {}})
        self.hear()
        self.assertNoResult(before.left)
        self.assertEqual((before.ports.left, self.ended), (False, 1))

    def test_given_up_before_running(self) -> None:
        """Where the process before has given this one up before the reactor runs, it ends, and claims nothing."""
        for closes in (False, True):
            self.setUp()
            before = self.begun()
            self.addCleanup(os.close, before.errors)
            self.channel.send({"cancel": {}})
            if closes:
                self.channel.close()
            self.reactor.run()
            self.assertEqual((before.ports.left, self.ended, self.reactor.readers), (False, 1, []))
            self.assertNoResult(before.left)
            if not closes:
                # not even that it is ready
                self.assertRaises(EOFError, self.channel.receive)

    def test_before_died_before_running(self) -> None:
        """Without the process before it is alone from when the reactor runs."""
        before = self.begun()
        self.channel.close()
        self.reactor.run()
        self.successResultOf(before.left)
        self.assertEqual((before.ports.left, self.ended, self.reactor.readers), (True, 0, []))
