"""Tests of L{edgegate.server.ports}: no port is opened; see test_data_plane for those that are."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import cast

from twisted.internet.error import CannotListenError
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.listener import DownstreamListener, Serving
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.wheel import TimerWheel
from edgegate.server.ports import CannotBind, Ports
from edgegate.tls.secret_store import Secrets
from edgegate.tls.sni import ContextMap
from tests.server.test_data_plane import listener, redirecting

TAKEN = OSError(errno.EADDRINUSE, "Address already in use")
ONE, OTHER, WIDE = TCPAddress("127.0.0.1", 1), TCPAddress("127.0.0.1", 2), TCPAddress("0.0.0.0", 1)


class FakePort:
    """
    A port that is bound where the test lets it be.

    @ivar told: What it was told to do.
    """

    def __init__(self, serving: Serving, taken: set[Address]) -> None:
        """
        @param taken: What it can't be bound to.
        """
        self.serving = serving
        self._taken = taken
        self.told: list[str] = []

    @property
    def listener(self) -> object:
        """What the files say of it."""
        return self.serving.listener

    @property
    def local(self) -> Address:
        """What it is bound to."""
        return self.serving.listener.bind

    def bind(self) -> None:
        """Bind it."""
        if self.local in self._taken:
            raise CannotListenError("", 0, TAKEN)
        self.told.append("bind")

    def accept(self) -> None:
        """Take connections."""
        self.told.append("accept")

    def withdraw(self) -> None:
        """Offer it no more."""
        self.told.append("withdraw")

    def close(self) -> None:
        """Take no more connections."""
        self.told.append("close")

    def abort(self) -> None:
        """End what is not told apart."""
        self.told.append("abort")


class PortsTests(SynchronousTestCase):
    """Changes of ports."""

    def setUp(self) -> None:
        """Make none."""
        self.clock = Clock()
        self.made: list[FakePort] = []
        self.left: list[object] = []
        self.taken: set[Address] = set()
        self.ports = Ports(TimerWheel(self.clock, 0.5), self.make, 30.0, self.left.append)

    def make(self, serving: Serving) -> DownstreamListener:
        """Make a port."""
        self.made.append(FakePort(serving, self.taken))
        return cast(DownstreamListener, self.made[-1])

    def serving(self, *binds: Address) -> dict[Address, Serving]:
        """Return what is to be served."""
        listeners = [listener(bind, redirecting(1)) for bind in binds]
        return {each.bind: Serving(each, ContextMap(each, Secrets())) for each in listeners}

    def change(self, *binds: Address) -> None:
        """Serve on some ports from now on."""
        change = self.ports.change(self.serving(*binds))
        change.accept()
        change.finish()

    def told(self) -> Iterator[list[str]]:
        """Return what each port was told since this was asked last."""
        for port in self.made:
            yield port.told
            port.told = []

    def test_stays(self) -> None:
        """A port that stays is the same one, and serves what is new."""
        self.change(ONE)
        serving = self.serving(ONE, OTHER)
        change = self.ports.change(serving)
        self.assertEqual(list(self.ports.open), [ONE])
        change.accept()
        change.finish()
        self.assertEqual(list(self.told()), [["bind", "accept"], ["bind", "accept"]])
        self.assertEqual([port.serving for port in self.made], list(serving.values()))

    def test_leaves(self) -> None:
        """A port that is gone is known until the time of its connections is over."""
        self.change(ONE)
        self.change()
        self.assertEqual((self.ports.open, list(self.ports)), ({}, self.made))
        self.clock.pump([0.5] * 62)
        self.assertEqual(list(self.told()), [["bind", "accept", "withdraw", "abort"]])
        self.assertEqual((self.left, list(self.ports)), (self.made, []))

    def test_undone(self) -> None:
        """Where one can't be bound none is, and what made room is open again."""
        self.change(ONE)
        list(self.told())
        self.taken.add(OTHER)
        caught = self.assertRaises(CannotBind, self.ports.change, self.serving(WIDE, OTHER))
        self.assertEqual(str(caught), f"cannot bind {OTHER}: Address already in use")
        self.assertEqual(list(self.told()), [["close", "bind", "accept"], ["bind", "close"], ["close"]])
        self.assertEqual(list(self.ports.open), [ONE])

    def test_no_way_back(self) -> None:
        """What made room and can't be opened again is closed, which is said."""
        self.change(ONE)
        change = self.ports.change(self.serving(WIDE))
        self.taken.add(ONE)
        with capturedLogs() as logged:
            change.undo()
        self.assertEqual([event["log_level"] for event in logged], [LogLevel.error])
        self.assertEqual((self.ports.open, list(self.ports)), ({}, self.made[:1]))

    def test_right_to_a_port(self) -> None:
        """Who lacks the right to a low port is told the ways out; elsewhere they would be none."""
        denied = PermissionError(errno.EACCES, "Permission denied")
        for bind, helps in ((TCPAddress("::", 80), True), (TCPAddress("::", 1024), False), (UNIXAddress("a"), False)):
            said = str(CannotBind(listener(bind), CannotListenError("", 80, denied)))
            self.assertTrue(said.startswith(f"cannot bind {bind}: Permission denied"))
            for way in ("--map-port 80:8080", "CAP_NET_BIND_SERVICE", "ip_unprivileged_port_start", "--uid"):
                self.assertEqual(way in said, helps, said)
        taken = OSError(errno.EADDRINUSE, "Address already in use")
        said = str(CannotBind(listener(TCPAddress("::", 80)), CannotListenError("", 80, taken)))
        self.assertEqual(said, "cannot bind [::]:80: Address already in use")
