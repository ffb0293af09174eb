"""Tests of L{edgegate.downstream.arrival}: connections that are told apart by their first bytes."""

from __future__ import annotations

import socket
import ssl

from twisted.internet.threads import deferToThread

from edgegate.downstream.arrival import PATIENCE, Arrival
from edgegate.downstream.listener import Serving
from edgegate.routing.hosts import HostTable
from edgegate.tls.client_hello import UNRECOGNIZED_NAME
from edgegate.tls.sni import ContextMap
from tests.downstream.arriving import PLAIN, SECURE, SNI, STRICT, ArrivingCase, listener
from tests.net.pairs import until
from tests.tls.handshakes import client_context, only
from tests.tls.hellos import real


def shake(sock: socket.socket, name: str, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """Shake hands as a client."""
    context = context or client_context()
    context.check_hostname = False
    return context.wrap_socket(sock, server_hostname=name)


class ArrivalTests(ArrivingCase):
    """What becomes of a connection."""

    async def test_secure(self) -> None:
        """A name finds its server, whose handshake is made; then HTTP begins."""
        port = self.open(listener(None, SNI))
        client = await deferToThread(shake, self.connect(), "A.example")
        self.addCleanup(client.close)
        await until(lambda: self.http.channels)
        downstream, _ = self.http.channels[0]
        self.assertIs(downstream.chain, SECURE)
        self.assertEqual((downstream.tls, downstream.server_name), (True, "a.example"))
        self.assertEqual(port.arrivals, set())

    async def test_passed_through(self) -> None:
        """A name whose TLS ends elsewhere is relayed with its ClientHello unread."""
        self.open(listener(None, SNI))
        hello = real("c.example")
        self.connect().sendall(hello)
        await until(lambda: self.tcp.sockets)
        downstream, sock = self.tcp.sockets[0]
        self.assertEqual((downstream.server_name, downstream.tls), ("c.example", False))
        sock.setblocking(True)
        self.assertEqual(sock.recv(65536), hello)

    async def test_unknown_name(self) -> None:
        """A name that no server has, and none at all, get an alert, no certificate, and an entry in the log."""
        self.open(listener(None, SNI))
        for name in ("z.example", None):
            client = self.connect()
            client.sendall(real(name))
            self.assertEqual(await deferToThread(client.recv, 100), UNRECOGNIZED_NAME)
        told = [(each.server_name, each.unknown) for each in self.observer.misfits]
        self.assertEqual(told, [("z.example", True), ("", True)])

    async def test_plain_beside(self) -> None:
        """What does not begin with TLS goes to the plain server where there is one."""
        self.open(listener(PLAIN, SNI))
        self.connect().sendall(b"GET / HTTP/1.1\r\n")
        await until(lambda: self.http.channels)
        self.assertIs(self.http.channels[0][0].chain, PLAIN)

    async def test_http_in_the_clear(self) -> None:
        """HTTP where HTTPS is served is told so; anything else is just closed."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n")
        answer = await deferToThread(client.recv, 1000)
        self.assertIn(b"400 Bad Request", answer)
        client = self.connect()
        client.sendall(b"SSH-2.0-client\r\n")
        self.assertEqual(await deferToThread(client.recv, 1000), b"")
        self.assertEqual([each.reason for each in self.observer.misfits], ["HTTP in the clear", "not TLS"])

    async def test_malformed(self) -> None:
        """A ClientHello that is none gets C{decode_error}."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\xff")
        self.assertEqual(await deferToThread(client.recv, 100), b"\x15\x03\x03\x00\x02\x02\x32")

    async def test_refused(self) -> None:
        """A handshake that fails is a misfit with OpenSSL's reason."""
        self.open(listener(None, SNI))
        context = only(client_context(), ssl.TLSVersion.TLSv1_2)
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with self.assertRaises(ssl.SSLError):
            await deferToThread(shake, self.connect(), "b.example", context)
        await until(lambda: self.observer.misfits)
        self.assertIn("no shared cipher", self.observer.misfits[0].reason)
        self.assertEqual(self.observer.misfits[0].server_name, "b.example")

    async def test_silence(self) -> None:
        """Who says nothing, or not enough, is left in the end."""
        port = self.open(listener(None, SNI))
        silent, slow = self.connect(), self.connect()
        slow.sendall(real("a.example"))
        await until(lambda: len(port.arrivals) == 2)
        self.clock.pump([0.5] * int(2 * PATIENCE + 6))
        self.assertEqual(port.arrivals, set())
        self.assertEqual({each.reason for each in self.observer.misfits}, {"timeout"})
        self.assertEqual(await deferToThread(silent.recv, 1), b"")

    async def test_quiet_gateway(self) -> None:
        """After hours without a connection the next one has its full time."""
        port = self.open(listener(None, SNI))
        self.clock.advance(7200.0)
        client = self.connect()
        client.sendall(real("a.example"))
        await until(lambda: any(isinstance(each, Arrival) and each._stream is not None for each in port.arrivals))
        self.clock.pump([0.5] * 10)
        self.assertEqual((self.observer.misfits, len(port.arrivals)), ([], 1))

    async def test_gone(self) -> None:
        """Who leaves before it has said enough is a misfit."""
        self.open(listener(None, SNI))
        client = self.connect()
        client.sendall(b"\x16")
        client.close()
        await until(lambda: self.observer.misfits)
        self.assertIn(self.observer.misfits[0].reason, ("closed", "reset"))

    async def test_reload_during_the_handshake(self) -> None:
        """A server that changes its terms while hands are shaken is not served to the client any more."""
        port = self.open(listener(None, SNI))
        client = self.connect()
        client.setblocking(False)
        secure = client_context().wrap_socket(client, server_hostname="a.example", do_handshake_on_connect=False)
        self.addCleanup(secure.close)
        with self.assertRaises(ssl.SSLWantReadError):
            secure.do_handshake()
        await until(lambda: port.arrivals)
        await until(lambda: any(isinstance(each, Arrival) and each._stream is not None for each in port.arrivals))
        other = listener(None, HostTable([("a.example", STRICT)]))
        port.serving = Serving(other, ContextMap(other))

        def shaken() -> bool:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                return False
            return True

        await until(shaken)
        await until(lambda: not port.arrivals)
        self.assertEqual(self.http.channels, [])
