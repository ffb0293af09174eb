"""Tests of L{edgegate.workers.listening_sockets}."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets
from edgegate.net.listening import bind
from edgegate.server.ports import CannotBind
from edgegate.workers.listening_sockets import ListeningSockets
from edgegate.workers.messages import Opening

ORIGIN = Origin("shop.yaml", 5, "Gateway default/gw")


class ListeningSocketsTests(SynchronousTestCase):
    """Sockets that come, stay and go."""

    def setUp(self) -> None:
        """Have none."""
        self.sockets = ListeningSockets()
        self.addCleanup(self.sockets.close)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def free(self) -> TCPAddress:
        """Return an address that nobody listens on."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            return TCPAddress("127.0.0.1", probe.getsockname()[1])

    def opening(self, *addresses: Address) -> list[Opening]:
        """Return what files open."""
        return [Opening(address, 80, ORIGIN) for address in addresses]

    def test_change(self) -> None:
        """What stays is the same socket; what goes is told, and closed."""
        first, second, third = self.free(), self.free(), self.free()
        self.assertEqual(self.sockets.change(self.opening(first, second)).finish(), ())
        kept, left = self.sockets.open[second], self.sockets.open[first]
        change = self.sockets.change(self.opening(second, third))
        self.assertEqual(set(change.sockets), {second, third})
        self.assertEqual(set(self.sockets.open), {first, second})
        self.assertEqual(change.finish(), (first,))
        self.assertIs(self.sockets.open[second], kept)
        self.assertEqual(left.fileno(), -1)
        with socket.create_connection((third.host, third.port), 10):
            pass

    def test_moved(self) -> None:
        """A port moves to addresses that overlap with those that it has, back, and stays where that is undone."""
        first = self.free()
        moved = TCPAddress("0.0.0.0", first.port)
        self.sockets.change(self.opening(first)).finish()
        self.sockets.change(self.opening(moved)).undo()
        self.assertEqual(list(self.sockets.open), [first])
        for before, after in ((first, moved), (moved, first)):
            workers = self.sockets.open[before].dup()
            self.addCleanup(workers.close)
            self.assertEqual(self.sockets.change(self.opening(after)).finish(), (before,))
            with socket.create_connection((first.host, first.port), 10):
                # the one that says more has it, until it is closed
                taker = self.sockets.open[after] if before is moved else workers
                taker.accept()[0].close()
            workers.close()
            with socket.create_connection((first.host, first.port), 10):
                self.sockets.open[after].accept()[0].close()
            # and nobody else gets in between
            self.assertRaises(OSError, socket.create_server, ("127.0.0.1", first.port))

    def test_moved_by_another(self) -> None:
        """One user's socket is in the way of another's, which is told; the port can go in between."""
        if os.geteuid():
            raise SkipTest("only root can become another user")
        first = self.free()
        moved = TCPAddress("0.0.0.0", first.port)
        self.sockets.change(self.opening(first)).finish()
        os.seteuid(65534)
        self.addCleanup(os.seteuid, 0)
        error = self.assertRaises(CannotBind, self.sockets.change, self.opening(moved))
        self.assertIn(f"this gateway listens on {first}, which it has bound as another user", error.reason)
        self.sockets.change([]).finish()
        self.assertEqual(self.sockets.change(self.opening(moved)).finish(), ())

    def test_passed(self) -> None:
        """A service manager's socket is used, and stays open and bound whatever becomes of the port."""
        path = self.folder / "passed"
        address = UNIXAddress(str(path))
        owner = bind(address)
        self.addCleanup(owner.close)
        sockets = ListeningSockets(inherited=InheritedSockets([InheritedSocket("", address, owner)]))
        other = self.free()
        change = sockets.change(self.opening(address, other))
        self.assertEqual(sockets.passed(change.sockets), {address})
        change.undo()
        self.assertEqual(sockets.change(self.opening(address)).finish(), ())
        self.assertEqual(sockets.change([]).finish(), (address,))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            sockets.change(self.opening(address)).finish()
            sockets.open[address].accept()[0].close()
        sockets.close()
        self.assertTrue(path.exists())

    def test_handed(self) -> None:
        """
        What the process before has handed is taken, not bound. While that serves it, too, the path of a UNIX socket
        stays whatever fails here.
        """
        first, path = self.free(), self.folder / "handed"
        handed = HandedSockets({address: bind(address) for address in (first, UNIXAddress(str(path)))})
        sockets = ListeningSockets(handed)
        self.assertFalse(sockets.shared)
        change = sockets.change(self.opening(first))
        change.finish()
        self.assertTrue(sockets.shared)
        sockets.change(self.opening(first, UNIXAddress(str(path)))).undo()
        self.assertTrue(path.exists())
        handed.left = True
        self.assertFalse(sockets.shared)
        sockets.close()

    def test_undo(self) -> None:
        """What was new is closed, the files of UNIX sockets included; what was there stays."""
        first, path = self.free(), self.folder / "socket"
        self.sockets.change(self.opening(first)).finish()
        change = self.sockets.change(self.opening(UNIXAddress(str(path))))
        self.assertTrue(path.exists())
        change.undo()
        self.assertFalse(path.exists())
        self.assertEqual(set(self.sockets.open), {first})

    def test_cannot_bind(self) -> None:
        """All or none are bound, and the place in the files is told."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            free, busy = self.free(), TCPAddress("127.0.0.1", taken.getsockname()[1])
            error = self.assertRaises(CannotBind, self.sockets.change, self.opening(free, busy))
            self.assertEqual((error.listener.origin, "in use" in error.reason), (ORIGIN, True))
        self.assertEqual(self.sockets.open, {})
        with socket.create_server((free.host, free.port)):
            pass
