"""Tests of L{edgegate.net.sockets}."""

from __future__ import annotations

import socket
import sys
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.listening import bind
from edgegate.net.sockets import Socket, begin_no_more, has_route, reset_on_close, unpaced
from tests.net.pairs import PACED, control, paced_socket, tcp_pair


class AskedSocket(Socket):
    """A socket that says that it is controlled by another than it is, or that it does not know."""

    says = b""
    told: list[tuple[object, ...]] | None = None

    def setsockopt(self, *what: object) -> None:  # type: ignore[override]
        """Take note of what it is told, once somebody wants to know."""
        if self.told is None:
            super().setsockopt(*what)  # type: ignore[call-overload]
        else:
            self.told.append(what)

    def getsockopt(self, *about: int) -> bytes:  # type: ignore[override]
        """Say it."""
        if not self.says:
            raise OSError
        return self.says


class SocketTests(SynchronousTestCase):
    """The type."""

    def test_type(self) -> None:
        """It is the socket module's."""
        self.assertIs(Socket, socket.socket)

    @skipUnless(sys.platform == "linux", "the kernel can be told so on Linux")
    def test_begin_no_more(self) -> None:
        """Who had connected is taken and may talk, who comes later hears nothing."""
        listening = bind(TCPAddress("127.0.0.1", 0))
        self.addCleanup(listening.close)
        before = socket.create_connection(listening.getsockname(), 10)
        self.addCleanup(before.close)
        self.assertTrue(begin_no_more(listening))
        with self.assertRaises(TimeoutError):
            socket.create_connection(listening.getsockname(), 0.1)
        taken, _ = listening.accept()
        self.addCleanup(taken.close)
        before.sendall(b"hello")
        taken.settimeout(10)
        self.assertEqual(taken.recv(10), b"hello")
        self.assertRaises(BlockingIOError, listening.accept)

    def test_begin_no_more_elsewhere(self) -> None:
        """A socket that cannot be told so is left as it is."""
        sock = socket.socket()
        sock.close()
        self.assertFalse(begin_no_more(sock))

    def test_reset(self) -> None:
        """The other side sees a reset; a socket that is closed already is left alone."""
        ours, theirs = tcp_pair()
        self.addCleanup(theirs.close)
        reset_on_close(ours)
        ours.close()
        with self.assertRaises(ConnectionResetError):
            theirs.recv(1)
        reset_on_close(ours)

    def asked(self, says: bytes) -> AskedSocket:
        """Return a socket that says what controls it; in fact cubic or reno does."""
        sock = AskedSocket(socket.AF_INET, socket.SOCK_STREAM)
        self.addCleanup(sock.close)
        sock.says = says
        return sock

    def chosen(self, says: bytes, host: str) -> bool:
        """Return whether a socket that is to send to a host is told another control."""
        sock = self.asked(says)
        sock.told = told = []
        unpaced(sock, host)
        self.assertIn(told, ([], [(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")]))
        return bool(told)

    def test_unpaced(self) -> None:
        """What would be paced over loopback is not; all else is as the machine has it."""
        for says, host, chosen in (
            (b"bbr\0", "127.0.0.1", True),
            (b"bbr2\0", "127.8.9.1", True),
            (b"bbr\0", "::1", True),
            (b"bbr\0", "192.0.2.1", False),
            (b"bbr\0", "::", False),
            (b"bbr\0", "0.0.0.0", False),
            (b"cubic\0", "127.0.0.1", False),
            (b"dctcp\0", "::1", False),
            (b"", "127.0.0.1", False),
        ):
            with self.subTest(says=says, host=host):
                self.assertEqual(self.chosen(says, host), chosen)

    @skipUnless(PACED, "no socket of this machine may be paced")
    def test_accepted_unpaced(self) -> None:
        """The kernel takes it, and hands it on to what a port accepts."""
        listening = bind(TCPAddress("127.0.0.1", 0), paced_socket)
        self.addCleanup(listening.close)
        client = socket.create_connection(listening.getsockname())
        self.addCleanup(client.close)
        listening.setblocking(True)
        accepted, _ = listening.accept()
        self.addCleanup(accepted.close)
        self.assertEqual((control(listening), control(accepted)), ("reno", "reno"))


class RouteTests(SynchronousTestCase):
    """Ways that every machine has, and has not."""

    def test_routes(self) -> None:
        """There is a way to this machine, and none to everybody or to what is no address."""
        self.assertTrue(has_route("127.0.0.1"))
        for host in ("255.255.255.255", "::x"):
            self.assertFalse(has_route(host), host)
