"""Relays of clients whose TLS ends at the gateway."""

from __future__ import annotations

import socket
import struct

from OpenSSL import SSL
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from edgegate.errors import CLIENT_GONE, UPSTREAM_CUT_SHORT
from edgegate.model.tls import KeyPair
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.tls_stream import TLSStream
from edgegate.tcp.copying import RelayProtocol
from edgegate.tls.authority import Authority
from edgegate.tls.contexts import server_context
from edgegate.tls.secrets import ResolvedTLS
from tests.tcp.peers import PATIENCE, STALL, in_thread, read_all, reset, send_until_blocked
from tests.tcp.test_relay import MEGABYTE, RelayCase

ISSUED = Authority.new("Relays' authority").server(["echo.example"])
SERVER = ResolvedTLS((KeyPair("echo.crt", ISSUED.chain_pem, ISSUED.key_pem),))


def give_up_after(sock: socket.socket, seconds: float) -> None:
    """Let OpenSSL wait in the kernel, but not for ever."""
    sock.setblocking(True)
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", int(seconds), 0))


class TLSRelayTests(RelayCase):
    def setUp(self) -> None:
        super().setUp()
        give_up_after(self.client, PATIENCE)
        self.secure = SSL.Connection(SSL.Context(SSL.TLS_CLIENT_METHOD), self.client)
        self.secure.set_connect_state()

    def begin(self, client: ConnectionInfo) -> None:
        """Shake hands, then relay."""
        stream = TLSStream(
            reactor,  # type: ignore[arg-type]
            self.gateway.wheel,
            self.accepted,
            client.local,
            client.peer,
            server_context(SERVER),
        )
        protocol = RelayProtocol(client, self.gateway)
        stream.handshake(lambda: stream.start(protocol), self.fail)

    def read_all(self) -> bytes:
        """Read up to the C{close_notify}. Anything else that ends the stream is raised."""
        pieces = []
        while True:
            try:
                pieces.append(self.secure.recv(65536))
            except SSL.ZeroReturnError:
                return b"".join(pieces)

    async def test_half_close(self) -> None:
        """The client's C{close_notify} reaches the backend as an end, then the answer comes, and its end likewise."""
        data = bytes(range(256)) * (3 * MEGABYTE // 256)

        def answer() -> bytes:
            connection = self.backend.accept()
            question = read_all(connection)
            connection.sendall(question[::-1])
            connection.close()
            return question

        def ask() -> bytes:
            self.secure.do_handshake()
            self.secure.sendall(data)
            self.secure.shutdown()
            return self.read_all()

        self.serve(self.here)
        asked, answered = await gatherResults([in_thread(answer), in_thread(ask)])
        self.assertTrue(asked == data)
        self.assertTrue(answered == data[::-1])
        self.client.close()
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, len(data), len(data))])
        self.check_idle()

    async def test_backend_ends_first(self) -> None:
        """A backend that greets and ends leaves the client its way until it ends too."""

        def greet() -> bytes:
            connection = self.backend.accept()
            connection.sendall(b"220 hello\r\n")
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

        def listen() -> bytes:
            self.secure.do_handshake()
            greeting = self.read_all()
            self.secure.sendall(b"QUIT\r\n")
            self.secure.shutdown()
            return greeting

        self.serve(self.here)
        self.assertEqual(await gatherResults([in_thread(greet), in_thread(listen)]), [b"QUIT\r\n", b"220 hello\r\n"])
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, 11, 6)])
        self.check_idle()

    async def test_truncated(self) -> None:
        """A client that closes without C{close_notify} was cut off: the backend sees a reset, not an end."""

        def cut_off() -> None:
            self.secure.do_handshake()
            self.secure.sendall(b"DELETE FROM orders")
            self.client.shutdown(socket.SHUT_WR)

        self.serve(self.here)
        await in_thread(cut_off)
        connection = await in_thread(self.backend.accept)
        with self.assertRaises(ConnectionResetError):
            await in_thread(lambda: read_all(connection))
        await self.observer.ended
        self.assertEqual(self.observer.ends[0][:2], (CLIENT_GONE, self.here))
        self.check_idle()

    async def test_backend_breaks_off(self) -> None:
        """A backend's reset never looks like an end in good order to the client."""

        def break_off() -> None:
            connection = self.backend.accept()
            connection.recv(1)
            reset(connection)

        def ask() -> None:
            self.secure.do_handshake()
            self.secure.sendall(b"?")
            with self.assertRaises(SSL.SysCallError):
                self.read_all()

        self.serve(self.here)
        await gatherResults([in_thread(break_off), in_thread(ask)])
        await self.observer.ended
        self.assertEqual(self.observer.ends[0][0], UPSTREAM_CUT_SHORT)
        self.check_idle()

    async def test_back_pressure(self) -> None:
        """A backend that does not read stops the client; when it reads again, all that was taken arrives."""
        limit = 64 * MEGABYTE

        def send_until_blocked() -> int:
            self.secure.do_handshake()
            give_up_after(self.client, STALL)
            taken = 0
            try:
                while taken < limit:
                    taken += self.secure.send(b"x" * 16384)
            except SSL.WantWriteError:
                pass
            return taken

        self.serve(self.here)
        taken = await in_thread(send_until_blocked)
        self.assertLess(taken, limit // 2)
        connection = await in_thread(self.backend.accept)

        def finish() -> int:
            # OpenSSL finishes the record that it began
            give_up_after(self.client, PATIENCE)
            rest = self.secure.send(b"x" * 16384)
            self.secure.shutdown()
            return rest

        rest, read = await gatherResults([in_thread(finish), in_thread(lambda: read_all(connection))])
        self.assertEqual(len(read), taken + rest)
        connection.close()
        await in_thread(self.read_all)
        await self.observer.ended
        self.check_idle()

    async def test_back_pressure_of_the_client(self) -> None:
        """A client that does not read stops the backend in the same way."""
        limit = 64 * MEGABYTE
        self.serve(self.here)
        await in_thread(self.secure.do_handshake)
        connection = await in_thread(self.backend.accept)
        taken = await in_thread(lambda: send_until_blocked(connection, limit))
        self.assertLess(taken, limit // 2)
        connection.close()
        self.assertEqual(len(await in_thread(self.read_all)), taken)
        self.secure.shutdown()
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, taken, 0)])
        self.check_idle()
