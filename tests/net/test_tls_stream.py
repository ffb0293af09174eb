"""Tests of L{edgegate.net.tls_stream}: a server's stream against Python's ssl."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable

from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.tls_calls import RECORD
from edgegate.net.tls_stream import BATCH, Truncated, reason_of
from tests.net.pairs import HalfRecorder, Producer, Recorder, attempt, until
from tests.net.tls_pairs import TLSTestCase
from tests.tls.handshakes import client_context

LARGE = b"x" * (6 << 20)


class Pieces(Recorder):
    """
    Writes down how long each piece is.

    @ivar heard: Called for each.
    """

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[int] = []
        self.heard: Callable[[], None] = lambda: None

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.pieces.append(len(data))
        self.heard()


class TLSStreamTests(TLSTestCase):
    """One stream, whose client is the test."""

    async def test_talk(self) -> None:
        """Bytes both ways, and the protocol that ALPN agreed on."""
        context = client_context()
        context.set_alpn_protocols(["http/1.1"])
        client, recorder = await self.start(Recorder(), context)
        self.assertEqual((self.stream.alpn, client.selected_alpn_protocol()), (b"http/1.1", "http/1.1"))
        client.send(b"hello")
        await until(lambda: recorder.data == b"hello")
        self.stream.writeSequence([b"a", b"b"])
        self.assertEqual(await self.read(client, 2), b"ab")
        self.assertEqual((self.stream.bytes_in, self.stream.bytes_out), (5, 2))
        self.assertFalse(self.stream.detachable)

    async def test_large(self) -> None:
        """What the kernel does not take waits, in order, and holds up the producer; a close waits for it."""
        client, recorder = await self.start(Recorder())
        producer = Producer()
        self.stream.registerProducer(producer, True)
        self.stream.write(LARGE)
        self.stream.write(b"end")
        self.assertEqual(producer.told, ["pause"])
        self.stream.loseConnection()
        data = await self.read(client, len(LARGE) + 4)
        self.assertEqual((len(data), data[-3:]), (len(LARGE) + 3, b"end"))
        await until(lambda: recorder.lost)
        self.assertEqual(recorder.lost, [ConnectionDone])

    async def test_upload(self) -> None:
        """Many records in one go are all told."""
        client, recorder = await self.start(Recorder())
        send = self.sender(client, LARGE)
        await until(lambda: send() and len(recorder.data) == len(LARGE))

    async def test_batches(self) -> None:
        """Full records that are there are told of together, up to a limit; one that pauses hears of no more."""
        client, recorder = await self.start(Pieces())
        self.stream.pauseProducing()
        await until(self.sender(client, b"x" * (8 * RECORD)))
        recorder.heard = self.stream.pauseProducing
        self.stream.resumeProducing()
        await until(lambda: recorder.pieces)
        self.assertEqual((recorder.pieces, self.stream.reading), ([8 * RECORD], False))
        recorder.heard = lambda: None
        send = self.sender(client, LARGE)
        send()
        self.stream.resumeProducing()
        await until(lambda: send() and len(recorder.data) == 8 * RECORD + len(LARGE))
        self.assertLessEqual(max(recorder.pieces), BATCH)
        self.assertEqual(self.stream.bytes_in, len(recorder.data))

    async def test_one_by_one(self) -> None:
        """What does not fill a record is told as it comes, and so does not wait for what may follow."""
        client, recorder = await self.start(Pieces())
        self.stream.pauseProducing()
        for size in (5, RECORD, 7):
            client.send(b"x" * size)
        self.stream.resumeProducing()
        await until(lambda: len(recorder.data) == RECORD + 12)
        self.assertEqual(recorder.pieces, [5, RECORD + 7])

    async def test_end_behind_batch(self) -> None:
        """The end that comes with full records is told behind them."""
        client, recorder = await self.start(HalfRecorder())
        self.stream.pauseProducing()
        await until(self.sender(client, b"x" * (2 * RECORD)))
        attempt(client.unwrap)
        self.stream.resumeProducing()
        await until(lambda: recorder.ended)
        self.assertEqual((len(recorder.data), recorder.ended), (2 * RECORD, ["read"]))

    async def test_garbage_behind_batch(self) -> None:
        """What is no TLS ends the connection, and what came before it was told."""
        client, recorder = await self.start(Pieces())
        self.stream.pauseProducing()
        await until(self.sender(client, b"x" * (2 * RECORD)))
        plain = socket.socket(fileno=client.detach())
        self.addCleanup(plain.close)
        plain.send(b"x" * 100)
        self.stream.resumeProducing()
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.pieces, recorder.lost), ([2 * RECORD], [ConnectionLost]))

    async def test_goodbye(self) -> None:
        """A client that says goodbye has ended in good order; what is sent before the answer's end still arrives."""
        client, recorder = await self.start(HalfRecorder())
        attempt(client.unwrap)
        await until(lambda: recorder.ended)
        self.assertEqual((recorder.ended, recorder.lost), (["read"], []))
        self.stream.write(b"answer")
        self.stream.loseWriteConnection()
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.ended, recorder.lost), (["read", "write"], [ConnectionDone]))

    async def test_we_end_half(self) -> None:
        """Our goodbye leaves the client's direction open."""
        client, recorder = await self.start(HalfRecorder())
        self.stream.write(b"last")
        self.stream.loseWriteConnection()
        self.assertEqual(await self.read(client, 5), b"last")
        self.assertEqual((recorder.ended, recorder.lost), (["write"], []))

    async def test_truncated(self) -> None:
        """An end without a goodbye is no clean one: something may be missing."""
        client, recorder = await self.start(HalfRecorder())
        client.send(b"half")
        self.theirs = client
        client.shutdown(socket.SHUT_WR)
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.data, recorder.lost, recorder.ended), (b"half", [Truncated], []))

    async def test_reset(self) -> None:
        """A client that breaks off is no clean end either."""
        client, recorder = await self.start(HalfRecorder())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        await until(lambda: recorder.lost)
        self.assertIn(recorder.lost[0], (ConnectionLost, Truncated))

    async def test_garbage(self) -> None:
        """Bytes that are no records end the connection."""
        client, recorder = await self.start(HalfRecorder())
        sock = socket.socket(fileno=client.detach())
        self.addCleanup(sock.close)
        sock.send(b"GET / HTTP/1.1\r\n\r\n")
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.data, recorder.lost), (b"", [ConnectionLost]))

    async def test_abort(self) -> None:
        """An abort is told once, later, though the client reads nothing of what is queued for it."""
        _, recorder = await self.start(Recorder())
        self.stream.write(LARGE)
        self.stream.abortConnection()
        self.assertEqual(recorder.lost, [])
        await until(lambda: recorder.lost)
        self.assertEqual(recorder.lost, [ConnectionAborted])

    async def test_refused(self) -> None:
        """A client that does not trust the server ends the handshake; why is told in OpenSSL's words."""
        client = self.wrap(ssl.create_default_context())
        self.shake()

        def refused() -> bool:
            try:
                client.do_handshake()
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except ssl.SSLCertVerificationError:
                return True
            return False

        await until(refused)
        await until(lambda: self.ends)
        self.assertIn("unknown ca", self.ends[0])
        client.close()
        self.clock.pump([0.5] * 20)

    async def test_no_handshake(self) -> None:
        """What is no ClientHello is refused."""
        self.theirs.send(b"GET / HTTP/1.1\r\n\r\n")
        self.addCleanup(self.theirs.close)
        self.shake()
        await until(lambda: self.ends)
        self.assertIn("http request", self.ends[0])
        self.clock.pump([0.5] * 20)

    async def test_abandoned(self) -> None:
        """A handshake that takes too long is abandoned; nobody is told."""
        self.shake()
        self.addCleanup(self.theirs.close)
        self.stream.abandon()
        self.theirs.setblocking(True)
        self.assertEqual(self.theirs.recv(1), b"")
        self.assertEqual(self.ends, [])


class ReasonTests(SynchronousTestCase):
    """OpenSSL's errors in words."""

    def test_words(self) -> None:
        """The last error counts; the system's are lower-cased."""
        self.assertEqual(reason_of(SSL.Error([("a", "b", "first"), ("c", "d", "last")])), "last")
        self.assertEqual(reason_of(SSL.SysCallError(104, "ECONNRESET")), "econnreset")
        self.assertEqual(reason_of(SSL.Error()), "Error")
        self.assertEqual(reason_of(SSL.Error([("a", "b", "")])), "unknown")
