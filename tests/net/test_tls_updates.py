"""Tests of L{edgegate.net.tls_stream}: what OpenSSL wants is waited for, and nothing spins."""

from __future__ import annotations

import contextlib
import socket

from OpenSSL import SSL
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.net.stream import Stream
from edgegate.net.tls_stream import MOST_MESSAGES, TLSStream
from edgegate.net.wheel import TimerWheel
from edgegate.tls.contexts import server_context
from tests.net.key_updates import Updating
from tests.net.pairs import HERE, THERE, HalfRecorder, Recorder, receive, tcp_pair, until
from tests.net.wakes import CountingReactor
from tests.tls.handshakes import server_tls

LARGE = b"x" * (6 << 20)


class RestTests(TestCase):
    """A stream in the clear: nobody is woken for what cannot be done."""

    async def test_at_rest(self) -> None:
        """Paused with something to read, with more to send than the other side reads, ending, broken."""
        ours, theirs = tcp_pair()
        self.addCleanup(theirs.close)
        counting = CountingReactor()
        stream, recorder = Stream(counting, ours, HERE, THERE), HalfRecorder()  # type: ignore[arg-type]
        stream.start(recorder)
        stream.pauseProducing()
        theirs.send(b"data")
        self.assertEqual(await counting.at_rest(), 0)
        stream.write(LARGE)
        self.assertEqual(await counting.at_rest(), 0)
        stream.loseWriteConnection()
        self.assertEqual(await counting.at_rest(), 0)
        stream.resumeProducing()
        await until(lambda: recorder.data)
        theirs.shutdown(socket.SHUT_WR)
        await until(lambda: recorder.ended)
        self.assertEqual(await counting.at_rest(), 0)
        stream.abortConnection()
        await until(lambda: recorder.lost)
        self.assertEqual(await counting.at_rest(), 0)


class UpdateTests(TestCase):
    """A stream whose client sends key updates."""

    async def start(self, recorder: Recorder) -> None:
        """Shake hands, and begin."""
        ours, theirs = tcp_pair()
        self.ours, self.theirs = ours, theirs
        self.addCleanup(theirs.close)
        self.reactor = CountingReactor()
        wheel = TimerWheel(Clock(), 0.5)
        context = server_context(server_tls())
        self.stream = TLSStream(self.reactor, wheel, ours, HERE, THERE, context)  # type: ignore[arg-type]
        self.client = Updating(theirs)
        ends: list[str] = []
        self.stream.handshake(lambda: ends.append("done"), ends.append)
        await self.client.shake()
        await until(lambda: ends)
        self.assertEqual(ends, ["done"])
        self.recorder = recorder
        self.stream.start(recorder)
        self.addCleanup(lambda: until(lambda: self.stream.disconnected))
        self.addCleanup(self.stream.abortConnection)

    def send(self, data: bytes) -> None:
        """Send what the kernel takes; the rest is of no interest."""
        self.theirs.send(data)

    async def fill(self) -> None:
        """Have the kernel take no more from us: the client does not read."""
        self.stream.write(LARGE)
        self.assertEqual(await self.reactor.at_rest(), 0)

    async def read(self, size: int) -> bytes:
        """Have the client read so much."""
        data = bytearray()
        await until(lambda: data.extend(self.client.read()) or len(data) >= size)
        return bytes(data)

    async def test_followed(self) -> None:
        """Key updates between data are followed, however many there are, and those that are asked for are made."""
        await self.start(Recorder())
        for number in range(200):
            self.send(self.client.update(ask=number % 2 == 0) + self.client.data(b"data"))
        await until(lambda: len(self.recorder.data) == 800)
        self.stream.write(b"answer")
        self.assertEqual(await self.read(6), b"answer")
        self.send(self.client.update())
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertEqual(self.recorder.lost, [])

    async def test_flood(self) -> None:
        """Updates without data end the connection once they are too many, before the rest is looked at."""
        await self.start(Recorder())
        before = self.reactor.wakes
        self.send(b"".join(self.client.update() for _ in range(2000)))
        await until(lambda: self.recorder.lost)
        self.assertEqual(self.recorder.lost, [ConnectionLost])
        self.assertLessEqual(self.reactor.wakes - before, MOST_MESSAGES + 1)

    async def test_asked_and_not_read(self) -> None:
        """A client that asks for updates and does not read what it is sent is not read either, and nothing spins."""
        await self.start(Recorder())
        await self.fill()
        self.send(b"".join(self.client.update() + self.client.data(b"data") for _ in range(300)))
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertTrue(self.stream.reading)
        self.assertEqual((self.recorder.data, self.recorder.lost), (b"", []))
        self.stream.pauseProducing()
        self.assertFalse(self.stream.reading)
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.stream.resumeProducing()
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertEqual(len(await self.read(len(LARGE))), len(LARGE))
        await until(lambda: len(self.recorder.data) == 1200)
        self.stream.write(b"answer")
        self.assertEqual(await self.read(6), b"answer")

    async def test_half_an_update(self) -> None:
        """While an update has come in part only, a write waits for the rest of it; nobody is read who is paused."""
        for paused in (False, True):
            await self.start(Recorder())
            first, rest = self.client.half_update()
            self.send(first)
            self.assertEqual(await self.reactor.at_rest(), 0)
            if paused:
                self.stream.pauseProducing()
            self.stream.write(b"answer")
            self.assertEqual(await self.reactor.at_rest(), 0)
            self.assertEqual(self.stream.reading, not paused)
            self.send(rest + self.client.data(b"data"))
            self.assertEqual(await self.read(6), b"answer")
            self.assertEqual(await self.reactor.at_rest(), 0)
            if paused:
                self.assertEqual((self.recorder.data, self.stream.reading), (b"", False))
                self.stream.resumeProducing()
            await until(lambda: self.recorder.data == b"data")

    async def test_paused_while_a_write_waits(self) -> None:
        """Who is paused while a write waits for the rest of an update stays paused behind it."""
        await self.start(Recorder())
        first, rest = self.client.half_update()
        self.send(first)
        await self.reactor.turns(5)
        self.stream.write(b"answer")
        self.stream.pauseProducing()
        self.send(rest + self.client.data(b"data"))
        self.assertEqual(await self.read(6), b"answer")
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertEqual((self.recorder.data, self.stream.reading), (b"", False))

    async def test_end_of_ours(self) -> None:
        """Our end reaches a client that reads late, and waiting for it does not spin."""
        await self.start(HalfRecorder())
        await self.fill()
        self.stream.loseWriteConnection()
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertEqual(len(await self.read(len(LARGE))), len(LARGE))
        await until(lambda: self.recorder.ended)  # type: ignore[attr-defined]
        await until(lambda: self.client.read() or self.client.connection.get_shutdown() == SSL.RECEIVED_SHUTDOWN)
        self.assertEqual(await self.reactor.at_rest(), 0)

    async def test_end_of_ours_without_room(self) -> None:
        """Where the kernel does not even take the word of our end, it is said when there is room."""
        await self.start(HalfRecorder())
        with contextlib.suppress(BlockingIOError):
            # past OpenSSL: all that counts is that the buffer is full
            while self.ours.send(LARGE):
                pass
        self.stream.loseWriteConnection()
        self.stream.doWrite()
        self.assertEqual(await self.reactor.at_rest(), 0)
        self.assertEqual(self.recorder.ended, [])  # type: ignore[attr-defined]
        got = bytearray()
        await until(lambda: got.extend(receive(self.theirs) or b"") or self.recorder.ended)  # type: ignore[attr-defined]
        # an alert, as TLS 1.3 sends it, behind all else
        alert = b"\x17\x03\x03\x00\x13"
        await until(lambda: got.extend(receive(self.theirs) or b"") or got[-24:].startswith(alert))
