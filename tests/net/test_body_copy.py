"""Tests of L{edgegate.net.body_copy} and of streams during such a run, on real sockets."""

from __future__ import annotations

import ssl

from twisted.internet import reactor
from twisted.internet.error import ConnectionDone

from edgegate.net import body_copy
from edgegate.net.stream import Stream
from tests.net.pairs import HERE, THERE, Producer, Recorder, tcp_pair, until
from tests.net.tls_pairs import TLSTestCase

LARGE = bytes(range(256)) * (1 << 14)  # 4 MiB
BLOCK = b"0123456789"
"""Sent again and again, whole or in part."""


class BodyCopyTests(TLSTestCase):
    """A run from a stream in the clear to one inside TLS; the other sides of both are the test."""

    async def begin(self, count: int = len(LARGE)) -> ssl.SSLSocket:
        """Connect both, and begin a run of so many bytes."""
        client, self.told = await self.start(Recorder())
        ours, self.sender = tcp_pair()
        self.source, self.heard = Stream(reactor, ours, HERE, THERE), Recorder()  # type: ignore[arg-type]
        self.source.start(self.heard)
        self.addCleanup(self.sender.close)
        self.addCleanup(lambda: until(lambda: self.source.disconnected))
        self.addCleanup(self.source.abortConnection)
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
        self.assertTrue(self.source.spliceable)
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
