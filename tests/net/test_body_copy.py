"""Tests of L{edgegate.net.body_copy} and of streams during such a run, on real sockets."""

from __future__ import annotations

import socket
import ssl

from twisted.internet.error import ConnectionDone

from edgegate.net import body_copy
from edgegate.net.tls_calls import RECORD
from edgegate.net.tls_stream import Truncated
from edgegate.net.transport import HIGH_WATER
from tests.net.pairs import HalfRecorder, Producer, Recorder, attempt, receive, until
from tests.net.streams import connected
from tests.net.tls_pairs import TLSTestCase

LARGE = bytes(range(256)) * (1 << 14)  # 4 MiB
BLOCK = b"0123456789"
"""Sent again and again, whole or in part."""


class BodyCopyTests(TLSTestCase):
    """A run from a stream in the clear to one inside TLS; the other sides of both are the test."""

    async def begin(self, count: int = len(LARGE)) -> ssl.SSLSocket:
        """Connect both, and begin a run of so many bytes."""
        client, self.told = await self.start(Recorder())
        self.source, self.sender, self.heard = connected(self)
        self.moved: list[int] = []
        self.producer = Producer()
        self.stream.registerProducer(self.producer, True)
        self.assertTrue(self.source.run_to(self.stream, count, self.moved.append))
        return client

    def send(self, data: bytes) -> int:
        """Send what the kernel takes."""
        try:
            return self.sender.send(data)
        except BlockingIOError:
            return 0

    async def carried(self, client: ssl.SSLSocket, data: bytes) -> bytes:
        """Send in pieces as the kernel takes them, and read on the other side until as much has come."""
        found, at = bytearray(), 0

        def whole() -> bool:
            nonlocal at
            at += self.send(data[at : at + 100_000])
            try:
                found.extend(client.recv(1 << 20))
            except ssl.SSLWantReadError:
                return False
            return len(found) >= len(data)

        await until(whole)
        return bytes(found)

    async def test_all_of_it(self) -> None:
        """Every byte arrives, in order, and neither protocol sees one; then both streams are as before."""
        client = await self.begin()
        self.assertFalse(self.source.run_to(self.stream, 1, self.moved.append))
        self.assertEqual(await self.carried(client, LARGE), LARGE)
        self.assertEqual(sum(self.moved), len(LARGE))
        self.assertEqual((self.source.bytes_in, self.stream.bytes_out), (len(LARGE), len(LARGE)))
        self.assertEqual((self.heard.data, self.told.data), (b"", b""))
        self.assertTrue(self.source.run_to(self.stream, 10, self.moved.append))
        self.sender.send(b"0123456789next")
        await until(lambda: self.heard.data == b"next")
        self.stream.write(b"more")
        self.assertEqual(await self.read(client, 14), b"0123456789more")

    async def test_slow_reader(self) -> None:
        """
        What the kernel does not take is kept, and the producer paused: one read at the most is held then.

        The buffer may be another run's meanwhile.
        """
        client = await self.begin(1 << 40)

        self.sent = 0

        def stuck() -> bool:
            self.sent += self.send((BLOCK * 10_000)[self.sent % 10 :])
            return self.producer.told == ["pause"]

        await until(stuck)
        self.source.pauseProducing()
        read = self.source.bytes_in
        self.assertLessEqual(self.stream.buffered, body_copy.BUFFER_SIZE)
        body_copy._buffer[:] = bytes(body_copy.BUFFER_SIZE)
        found = await self.read(client, read)
        self.assertEqual(found, (BLOCK * (read // len(BLOCK) + 1))[:read])
        self.assertEqual(self.producer.told, ["pause", "resume"])

    async def test_cut(self) -> None:
        """A source that ends in the middle is a connection that ended; what came is sent, and the sink is free."""
        client = await self.begin()
        self.sender.send(b"0123456789")
        self.sender.close()
        await until(lambda: self.heard.lost)
        self.assertEqual((self.heard.lost, self.moved), ([ConnectionDone], [10]))
        self.stream.write(b"more")
        self.assertEqual(await self.read(client, 14), b"0123456789more")

    async def test_source_broken(self) -> None:
        """So is one that is reset."""
        await self.begin()
        self.source.abortConnection()
        await until(lambda: self.heard.lost)
        self.assertEqual((self.moved, self.told.lost), ([], []))

    async def test_reader_gone(self) -> None:
        """A sink whose client resets ends as it would without a run; the source's protocol sees the rest."""
        client = await self.begin()
        client.close()
        await until(lambda: self.send(b"x" * 65536) == 0 or bool(self.told.lost))
        await until(lambda: self.told.lost)
        self.assertEqual(self.heard.lost, [])
        self.send(b"y")
        await until(lambda: self.heard.data)

    async def test_sink_that_is_closed(self) -> None:
        """A sink that is closed takes nothing more; the source's protocol sees the rest."""
        client = await self.begin()
        self.stream.loseConnection()
        self.assertTrue(self.source.at_rest)
        self.sender.send(b"late")
        await until(lambda: self.heard.data == b"late")
        self.assertEqual(await self.read(client, 1), b"")

    async def test_sink_not_at_rest(self) -> None:
        """To a sink that ends there is no run."""
        await self.begin(10)
        self.sender.send(b"0123456789")
        await until(lambda: self.moved == [10])
        self.stream.loseWriteConnection()
        self.assertFalse(self.source.run_to(self.stream, 10, self.moved.append))


class DecryptedTests(TLSTestCase):
    """A run from a stream inside TLS to one in the clear."""

    async def begin(self, count: int = len(LARGE)) -> ssl.SSLSocket:
        """Connect both, and begin a run of so many bytes."""
        client, self.heard = await self.start(HalfRecorder())
        self.sink, self.reader, self.told = connected(self)
        self.moved: list[int] = []
        self.producer = Producer()
        self.sink.registerProducer(self.producer, True)
        self.assertTrue(self.stream.run_to(self.sink, count, self.moved.append))
        return client

    async def test_all_of_it(self) -> None:
        """Every byte arrives, in order, many records in one piece; then both streams are as before."""
        client = await self.begin()
        found, send = bytearray(), self.sender(client, LARGE)

        def whole() -> bool:
            send()
            found.extend(receive(self.reader) or b"")
            return len(found) == len(LARGE)

        await until(whole)
        self.assertEqual(bytes(found), LARGE)
        self.assertEqual((sum(self.moved), self.stream.bytes_in, self.sink.bytes_out), (len(LARGE),) * 3)
        self.assertGreater(max(self.moved), RECORD)
        self.assertTrue(self.stream.at_rest and self.sink.at_rest)
        client.send(b"next")
        await until(lambda: self.heard.data == b"next")

    async def test_tiny_records(self) -> None:
        """A client that sends a byte in each record has no more than some of them read in one go."""
        client = await self.begin()
        for _ in range(1000):
            client.send(b"x")
        found = bytearray()
        await until(lambda: found.extend(receive(self.reader) or b"") or len(found) == 1000)
        self.assertEqual(sum(self.moved), 1000)
        self.assertLessEqual(max(self.moved), 2 * body_copy.BUFFER_SIZE // RECORD)

    async def test_behind_it(self) -> None:
        """What came in the same record behind the run is told at once: the kernel has nothing more to say of it."""
        client = await self.begin(RECORD + 10)
        client.send(b"x" * RECORD)
        client.send(b"0123456789behind")
        await until(lambda: self.heard.data == b"behind")
        await until(lambda: sum(self.moved) == RECORD + 10)
        self.assertEqual(receive(self.reader), b"x" * RECORD + b"0123456789")

    async def test_good_end(self) -> None:
        """A client that says its last in the middle is told so; what it sent is passed on, and the sink is free."""
        client = await self.begin()
        client.send(b"0123456789")
        self.assertFalse(attempt(client.unwrap))
        await until(lambda: self.heard.ended == ["read"])
        self.assertEqual((receive(self.reader), self.moved), (b"0123456789", [10]))
        self.assertTrue(self.sink.at_rest)

    async def test_cut_off(self) -> None:
        """One that is cut off is one that was truncated."""
        client = await self.begin()
        client.send(b"0123456789")
        socket.socket(fileno=client.detach()).close()
        await until(lambda: self.heard.lost)
        self.assertEqual((receive(self.reader), self.heard.lost), (b"0123456789", [Truncated]))
        self.assertTrue(self.sink.at_rest)

    async def test_slow_reader(self) -> None:
        """A sink that takes nothing pauses its producer, and no more than one read is held."""
        client = await self.begin(1 << 40)

        def pause() -> None:
            self.producer.told.append("pause")
            self.stream.pauseProducing()

        self.producer.pauseProducing = pause  # type: ignore[method-assign]

        def stuck() -> bool:
            attempt(lambda: client.send(LARGE))
            return self.producer.told == ["pause"]

        await until(stuck)
        self.assertLessEqual(self.sink.buffered, HIGH_WATER + body_copy.BUFFER_SIZE)
        left = self.stream.bytes_in

        def drained() -> bool:
            nonlocal left
            left -= len(receive(self.reader) or b"")
            return not left

        await until(drained)
        self.assertEqual(self.producer.told, ["pause", "resume"])


class ByMethodsTests(DecryptedTests):
    """The same by pyOpenSSL's methods."""

    async def begin(self, count: int = len(LARGE)) -> ssl.SSLSocket:
        """Have nothing to call directly."""
        self.stream._ssl = None
        return await super().begin(count)
