"""Tests of L{edgegate.net.inherited_sockets}."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.inherited_sockets import InheritedSockets, NotListening, inherited_sockets


class InheritedSocketsTests(SynchronousTestCase):
    """Descriptors in a row, as a service manager passes them."""

    def inherit(self, names: str | None, *descriptors: int, pid: int | None = None) -> InheritedSockets:
        """Pass descriptors; what the environment has of it is gone afterwards."""
        # a row of numbers that nobody else uses
        first = 900
        for place, fd in enumerate(descriptors):
            self.assertEqual(fcntl.fcntl(fd, fcntl.F_DUPFD, first + place), first + place)
            self.addCleanup(self.close, first + place)
        environment = {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": str(len(descriptors)), "LANG": "C"}
        if names is not None:
            environment["LISTEN_FDNAMES"] = names
        try:
            return inherited_sockets(environment, first)
        finally:
            self.assertEqual(environment, {"LANG": "C"})

    def close(self, fd: int) -> None:
        """Close a descriptor, unless it is."""
        try:
            os.close(fd)
        except OSError:
            pass

    def listening(self, host: str = "127.0.0.1") -> tuple[socket.socket, TCPAddress]:
        """Return a socket that listens."""
        sock = socket.create_server((host, 0))
        self.addCleanup(sock.close)
        return sock, TCPAddress(*sock.getsockname()[:2])

    def take(self, passed: InheritedSockets, bind: Address, number: int) -> socket.socket | None:
        """Take one, which is closed with the test."""
        found = passed.take(bind, number)
        if found is not None:
            self.addCleanup(found.close)
        return found

    def test_by_address(self) -> None:
        """A socket is for the port that binds its address, each time that it is asked for."""
        (one, address), (other, further) = self.listening(), self.listening()
        passed = self.inherit("edgegate.socket:edgegate.socket", one.fileno(), other.fileno())
        self.assertFalse(passed.stays(further))
        for _ in range(2):
            found = self.take(passed, further, 1234)
            assert found is not None
            self.assertEqual(found.getsockname(), other.getsockname())
            self.assertEqual((found.getblocking(), found.get_inheritable()), (False, False))
            self.assertTrue(found.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            found.close()
        self.assertIsNone(passed.take(TCPAddress("127.0.0.1", 1), 1))
        self.assertEqual((passed.stays(further), passed.stays(address)), (True, False))
        self.assertEqual([str(each) for each in passed.unused([further])], [f"'edgegate.socket' on {address}"])
        self.assertEqual(len(passed.unused([])), 2)

    def test_by_name(self) -> None:
        """A socket whose name is a number is for the port of that number in the files, whatever it is bound to."""
        one, address = self.listening()
        passed = self.inherit("443", one.fileno())
        self.assertIsNone(passed.take(TCPAddress("::", 80), 80))
        found = self.take(passed, TCPAddress("::", 8443), 443)
        assert found is not None
        self.assertEqual(found.getsockname(), one.getsockname())
        self.assertEqual(passed.unused([TCPAddress("::", 8443)]), [])
        # it is taken
        self.assertIsNone(passed.take(address, 443))

    def test_one_name_for_two(self) -> None:
        """Of two with one number each port has the one that is bound to its address."""
        (one, address), (other, further) = self.listening(), self.listening("127.0.0.2")
        passed = self.inherit("80:80", one.fileno(), other.fileno())
        for bind in (further, address):
            found = self.take(passed, bind, 80)
            assert found is not None
            self.assertEqual(TCPAddress(*found.getsockname()), bind)

    def test_unix(self) -> None:
        """A UNIX socket is found by its path; one without a name is called unknown."""
        path = os.path.join(tempfile.mkdtemp(), "s")  # noqa: PTH118
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(path)
            sock.listen()
            passed = self.inherit(None, sock.fileno())
            self.assertEqual([each.name for each in passed.unused([])], ["unknown"])
            self.assertIsNotNone(self.take(passed, UNIXAddress(path), 80))

    def test_none(self) -> None:
        """What was passed to another process, or not at all, is left alone."""
        one, address = self.listening()
        self.assertIsNone(self.inherit("80", one.fileno(), pid=1).take(address, 80))
        self.assertEqual(inherited_sockets({}).unused([]), [])

    def test_no_listening_socket(self) -> None:
        """Anything else is told by its name and number."""
        with socket.socket() as idle, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            for fd in (idle.fileno(), datagrams.fileno(), 0):
                error = self.assertRaises(NotListening, self.inherit, "a", fd)
                self.assertIn("'a' (descriptor 900), which the service manager has passed, is no", str(error))
                self.close(900)
        self.assertRaises(NotListening, inherited_sockets, {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"}, 901)
