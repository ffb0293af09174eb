"""Tests of L{edgegate.net.body_splice} and of streams during a run, on real sockets."""

from __future__ import annotations

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.trial.unittest import TestCase

from edgegate.net.pipe import PIPES, Pipes
from tests.net.pairs import Producer, receive, until
from tests.net.streams import connected

LARGE = bytes(range(256)) * (1 << 14)  # 4 MiB


class BodySpliceTests(TestCase):
    """A run between two streams whose other sides are the test."""

    def setUp(self) -> None:
        """Connect both."""
        self.source, self.sender, self.heard = connected(self)
        self.sink, self.reader, self.told = connected(self)
        self.moved: list[int] = []

    def run_of(self, count: int, pipes: Pipes = PIPES) -> None:
        """Begin a run."""
        self.assertTrue(self.source.run_to(self.sink, count, self.moved.append, pipes))

    async def carried(self, data: bytes) -> bytes:
        """Send in pieces as the kernel takes them, and read on the other side until as much has come."""
        found, at = bytearray(), 0

        def whole() -> bool:
            nonlocal at
            if at < len(data):
                try:
                    at += self.sender.send(data[at : at + 65536])
                except BlockingIOError:
                    pass
            found.extend(receive(self.reader) or b"")
            return len(found) >= len(data)

        await until(whole)
        return bytes(found)

    async def test_all_of_it(self) -> None:
        """Every byte arrives, in order, and neither protocol sees one; then both streams are as before."""
        self.run_of(len(LARGE))
        self.assertFalse(self.source.at_rest or self.sink.at_rest)
        self.assertEqual(await self.carried(LARGE), LARGE)
        self.assertEqual(sum(self.moved), len(LARGE))
        self.assertEqual((self.source.bytes_in, self.sink.bytes_out), (len(LARGE), len(LARGE)))
        self.assertEqual((self.heard.data, self.told.data), (b"", b""))
        self.assertTrue(self.source.at_rest and self.sink.at_rest)
        self.sender.send(b"next")
        await until(lambda: self.heard.data == b"next")
        self.sink.write(b"more")
        self.assertEqual(receive(self.reader), b"more")

    async def test_no_byte_too_many(self) -> None:
        """What comes behind the run is read by the protocol."""
        self.sender.send(b"0123456789behind")
        self.run_of(10)
        await until(lambda: self.heard.data == b"behind")
        self.assertEqual(receive(self.reader), b"0123456789")
        self.assertEqual(self.moved, [10])

    async def test_the_other_way(self) -> None:
        """What the sink's other side sends during a run is read as ever, and the source is written to."""
        self.run_of(len(LARGE))
        self.reader.send(b"early")
        await until(lambda: self.told.data == b"early")
        self.source.write(b"back")
        self.assertEqual(receive(self.sender), b"back")
        self.assertEqual(await self.carried(LARGE), LARGE)

    async def test_slow_reader(self) -> None:
        """A sink that takes nothing pauses its producer, and no more than pipe and kernel hold is read meanwhile."""
        producer = Producer()
        self.sink.registerProducer(producer, True)
        self.run_of(1 << 40)

        def stuck() -> bool:
            try:
                self.sender.send(LARGE)
            except BlockingIOError:
                return producer.told[-1:] == ["pause"]
            return False

        await until(stuck)
        self.source.pauseProducing()
        read = self.source.bytes_in

        def drained() -> bool:
            receive(self.reader)
            return producer.told[-1] == "resume"

        await until(drained)
        self.assertEqual(self.source.bytes_in, read)

    async def test_cut(self) -> None:
        """A source that ends in the middle is a connection that ended; the sink is free again."""
        self.run_of(len(LARGE))
        self.sender.send(b"0123456789")
        self.sender.close()
        await until(lambda: self.heard.lost)
        self.assertEqual(self.heard.lost, [ConnectionDone])
        self.assertLess(sum(self.moved), len(LARGE))
        self.assertTrue(self.sink.at_rest)

    async def test_reader_gone(self) -> None:
        """A sink whose other side resets ends as it would without a run, and the source goes on."""
        self.run_of(len(LARGE))
        self.reader.close()

        def ended() -> bool:
            try:
                self.sender.send(b"x" * 65536)
            except BlockingIOError:
                pass
            return bool(self.told.lost)

        await until(ended)
        self.assertEqual(self.heard.lost, [])
        await until(lambda: len(self.heard.data) > 0)

    async def test_aborted(self) -> None:
        """Either stream may be aborted during a run; the pipe is given back."""
        kept = PIPES.kept
        self.run_of(len(LARGE))
        self.sender.send(b"0123456789")
        await until(lambda: self.moved)
        self.source.abortConnection()
        self.assertTrue(self.sink.at_rest)
        await until(lambda: self.heard.lost)
        self.assertEqual(self.heard.lost, [ConnectionAborted])
        self.assertGreaterEqual(PIPES.kept, kept)

    async def test_sink_that_is_closed(self) -> None:
        """A sink that takes nothing and is to close takes nothing more; the source's protocol sees the rest."""
        self.run_of(1 << 40)

        def full() -> bool:
            try:
                self.sender.send(LARGE)
            except BlockingIOError:
                return True
            return False

        await until(full)
        self.sink.loseConnection()
        self.assertTrue(self.source.at_rest)
        self.source.resumeProducing()
        await until(lambda: self.heard.data)
        self.source.loseWriteConnection()
        before = len(self.heard.data)
        await until(lambda: not full() and len(self.heard.data) > before)

    async def test_closed_when_moved(self) -> None:
        """A sink that is closed by the end of the run closes once everything is sent."""
        count = len(LARGE)

        def moved(size: int) -> None:
            nonlocal count
            count -= size
            if not count:
                self.sink.loseConnection()

        self.assertTrue(self.source.run_to(self.sink, count, moved))
        self.assertEqual(await self.carried(LARGE), LARGE)
        await until(lambda: self.told.lost)
        self.assertEqual(self.told.lost, [ConnectionDone])

    async def test_no_pipe_left(self) -> None:
        """Without a pipe the bytes are copied."""
        self.run_of(len(LARGE), Pipes(0))
        self.assertEqual(await self.carried(LARGE), LARGE)
        self.assertEqual((sum(self.moved), self.heard.data), (len(LARGE), b""))
        self.assertTrue(self.source.at_rest and self.sink.at_rest)
