"""Tests of L{edgegate.net.tls_calls}: by OpenSSL's functions and by pyOpenSSL's methods it is the same."""

from __future__ import annotations

import socket
import ssl
from typing import Any

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.tls_calls import DIRECT, RECORD, Handshake, handle, receive, send, shake_hands
from tests.net.pairs import Recorder, attempt, until
from tests.net.tls_pairs import TLSTestCase


class DirectTests(TLSTestCase):
    """By OpenSSL's functions."""

    async def open(self) -> ssl.SSLSocket:
        """Connect; nothing is read by the stream."""
        client, _ = await self.start(Recorder())
        self.stream.pauseProducing()
        self.connection, self.ssl = self.stream.connection, self.handle()
        return client

    def handle(self) -> Any:
        """Return what tells which way is taken."""
        found = handle(self.stream.connection)
        self.assertTrue(DIRECT)
        self.assertIsNotNone(found)
        return found

    async def heard(self) -> bytes | type[SSL.Error]:
        """Read once something is there; return it, or what went wrong."""
        found: list[bytes | type[SSL.Error]] = []

        def read() -> bool:
            try:
                found.append(receive(self.connection, self.ssl))
            except SSL.WantReadError:
                return False
            except SSL.Error as error:
                found.append(type(error))
            return True

        await until(read)
        return found[0]

    async def test_both_ways(self) -> None:
        """Bytes, and views of them; a read brings a record at the most."""
        client = await self.open()
        with self.assertRaises(SSL.WantReadError):
            receive(self.connection, self.ssl)
        client.send(b"hello")
        self.assertEqual(await self.heard(), b"hello")
        client.send(bytes(RECORD + 1))
        self.assertEqual([await self.heard(), await self.heard()], [bytes(RECORD), bytes(1)])
        self.assertEqual(send(self.connection, self.ssl, b"bytes"), 5)
        self.assertEqual(send(self.connection, self.ssl, memoryview(b"-a view-")[1:-1]), 6)
        self.assertEqual(await self.read(client, 11), b"bytesa view")

    async def test_full(self) -> None:
        """What the kernel does not take must be written again, and then goes on where it stopped."""
        client = await self.open()
        data = bytes(range(256)) * (1 << 16)
        with self.assertRaises(SSL.WantWriteError):
            for _ in range(100):
                send(self.connection, self.ssl, data)
        got = bytearray()

        def again() -> bool:
            attempt(lambda: got.extend(client.recv(1 << 20)))
            try:
                return send(self.connection, self.ssl, memoryview(bytes(data))) == len(data)
            except SSL.WantWriteError:
                return False

        await until(again)
        send(self.connection, self.ssl, b"end")
        while not got.endswith(b"end"):
            got += await self.read(client, 1)
        self.assertEqual(bytes(got), data * (len(got) // len(data)) + b"end")

    async def test_good_end(self) -> None:
        """C{close_notify} is told apart from everything else."""
        client = await self.open()
        self.assertFalse(attempt(client.unwrap))
        self.assertIs(await self.heard(), SSL.ZeroReturnError)

    async def test_no_tls(self) -> None:
        """Bytes that are no record fail with OpenSSL's reason."""
        client = await self.open()
        with socket.socket(fileno=client.detach()) as plain:
            plain.send(b"GET / HTTP/1.1\r\n\r\n")
            self.assertIs(await self.heard(), SSL.Error)

    async def test_cut_off(self) -> None:
        """So does an end without C{close_notify}."""
        client = await self.open()
        socket.socket(fileno=client.detach()).close()
        self.assertIn(await self.heard(), (SSL.SysCallError, SSL.Error))


class HandshakeTests(SynchronousTestCase):
    """How far a handshake is, by what OpenSSL wants."""

    def found(self, error: type[Exception] | None) -> Handshake:
        """Have pyOpenSSL's method end in some way."""

        class Connection:
            def do_handshake(self) -> None:
                if error is not None:
                    raise error

        return shake_hands(Connection(), None)  # type: ignore[arg-type]

    def test_wants(self) -> None:
        """What it waits for is told; all else is raised."""
        self.assertIs(self.found(None), Handshake.DONE)
        self.assertIs(self.found(SSL.WantReadError), Handshake.WANTS_READ)
        self.assertIs(self.found(SSL.WantWriteError), Handshake.WANTS_WRITE)
        self.assertRaises(SSL.ZeroReturnError, self.found, SSL.ZeroReturnError)

    def test_failed_for_no_reason(self) -> None:
        """A call that failed and has nothing to say is no handshake."""

        class Silent:
            """Has no error to raise."""

            def _raise_ssl_error(self, ssl: object, result: int) -> None:
                """Find nothing wrong."""

        undecided = SSL.Connection(SSL.Context(SSL.TLS_METHOD))  # neither client nor server: no handshake begins
        self.assertRaises(SSL.Error, undecided.do_handshake)
        self.assertRaises(SSL.Error, shake_hands, Silent(), handle(undecided))
        self.assertRaises(SSL.Error, undecided.do_handshake)  # takes what OpenSSL has noted of it, which is no other's


class MethodTests(DirectTests):
    """By pyOpenSSL's methods."""

    def handle(self) -> Any:
        """Tell that there is nothing to call directly."""
        return None
