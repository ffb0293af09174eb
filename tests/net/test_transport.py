"""Tests of L{edgegate.net.transport}, on real sockets."""

from __future__ import annotations

import socket
import struct

from twisted.internet import reactor
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IConsumer, IHalfCloseableDescriptor, IPushProducer, ITransport
from zope.interface.verify import verifyObject

from edgegate.buffers import BUFFERS
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.net.sockaddr import twisted_address
from edgegate.net.stream import Stream
from edgegate.net.transport import HIGH_WATER, READ_SIZE
from tests.net.pairs import HERE, THERE, HalfRecorder, Producer, Recorder, receive, until
from tests.net.streams import LARGE, StreamTestCase


class TransportTests(StreamTestCase):
    """One transport, whose other side is the test."""

    def test_interfaces(self) -> None:
        """Twisted's transports can do this."""
        for interface in (ITransport, IConsumer, IPushProducer, IHalfCloseableDescriptor):
            verifyObject(interface, self.stream)

    def test_addresses(self) -> None:
        """Addresses are those of Twisted."""
        self.assertEqual(str(self.stream.getPeer()), "IPv4Address(type='TCP', host='127.0.0.1', port=2)")
        self.assertEqual(str(self.stream.getHost()), "IPv4Address(type='TCP', host='127.0.0.1', port=1)")
        self.assertIn("IPv6Address", str(twisted_address(TCPAddress("::1", 1))))
        self.assertIn("UNIXAddress", str(twisted_address(UNIXAddress("/a"))))

    async def test_both_ways(self) -> None:
        """What is written is sent at once; what comes is told."""
        recorder = self.start(Recorder())
        self.stream.writeSequence([b"a", b"b"])
        self.assertEqual(receive(self.theirs), b"ab")
        self.theirs.send(b"cd")
        await until(lambda: recorder.data == b"cd")
        self.assertEqual((self.stream.bytes_in, self.stream.bytes_out), (2, 2))

    async def test_reads_grow(self) -> None:
        """Reads ask for little until one is full: from then on a connection may bring much."""
        asked: list[int] = []
        recv = self.stream._recv

        def recorded(size: int) -> bytes:
            asked.append(size)
            return recv(size)

        self.stream._recv = recorded
        recorder = self.start(Recorder())
        for size in (10, 8192, 10):
            before = len(recorder.data)
            self.theirs.send(bytes(size))
            await until(lambda wanted=before + size: len(recorder.data) == wanted)  # type: ignore[misc]
        self.assertEqual((asked[0], asked[-1]), (8192, READ_SIZE))

    async def test_order(self) -> None:
        """What the kernel does not take waits, in order, and holds up the producer."""
        self.start(Recorder())
        producer = Producer()
        self.stream.registerProducer(producer, True)
        self.stream.write(LARGE)
        self.assertGreater(self.stream.buffered, HIGH_WATER)
        self.stream.write(b"end")
        self.assertEqual(producer.told, ["pause"])
        data = await self.taken(len(LARGE) + 3)
        self.assertEqual((len(data), data[-3:]), (len(LARGE) + 3, b"end"))
        await until(lambda: producer.told == ["pause", "resume"])
        self.assertEqual((self.stream.buffered, self.stream.bytes_out), (0, len(data)))

    async def test_order_of_pieces(self) -> None:
        """So it is for what is written in pieces, and nothing that they are made of is sent twice."""
        self.start(Recorder())
        producer = Producer()
        self.stream.registerProducer(producer, True)
        pieces = [b"%06d" % number * 20000 for number in range(60)]
        self.stream.writeSequence(pieces)
        self.assertEqual(self.stream.bytes_out + self.stream.buffered, sum(map(len, pieces)))
        self.assertGreater(self.stream.buffered, HIGH_WATER)
        self.stream.writeSequence([b"and", b"more"])
        self.assertEqual(producer.told, ["pause"])
        whole = b"".join(pieces) + b"andmore"
        self.assertEqual(await self.taken(len(whole)), whole)
        await until(lambda: producer.told == ["pause", "resume"])

    async def test_many_pieces(self) -> None:
        """More pieces than the kernel takes at once are written all the same."""
        self.start(Recorder())
        self.stream.writeSequence([b"ab"] * 2000)
        self.assertEqual(await self.taken(4000), b"ab" * 2000)

    async def test_pieces_to_a_reset_connection(self) -> None:
        """Pieces that can't be written end the connection later, and then nothing is written any more."""
        recorder = self.start(HalfRecorder())
        self.stream.pauseProducing()
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()
        await until(lambda: self.stream.writeSequence([b"x", b"y"]) or self.stream.disconnecting)
        self.stream.writeSequence([b"x", b"y"])
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.lost, self.stream.buffered), ([ConnectionLost], 0))

    async def test_buffers(self) -> None:
        """What waits is counted among all that does, until it is sent or thrown away."""
        self.start(Recorder())
        before = BUFFERS.held
        self.stream.write(b"a")
        self.assertEqual(BUFFERS.held, before)
        self.stream.write(LARGE)
        self.stream.write(b"end")
        self.assertEqual(BUFFERS.held - before, self.stream.buffered)
        self.assertGreater(self.stream.buffered, HIGH_WATER)
        await self.taken(len(LARGE) + 4)
        await until(lambda: BUFFERS.held == before)
        while not self.stream.buffered:
            # the kernel takes more once it has seen that it is read
            self.stream.write(LARGE)
        self.assertGreater(BUFFERS.held, before)
        self.stream.abortConnection()
        self.assertEqual(BUFFERS.held, before)

    async def test_all_buffers_are_full(self) -> None:
        """While too much waits in all, whoever has anything waiting is brought nothing more until that is sent."""
        self.start(Recorder())
        producer = Producer()
        self.stream.registerProducer(producer, True)
        self.addCleanup(setattr, BUFFERS, "bound", BUFFERS.bound)
        BUFFERS.bound = BUFFERS.held
        written = 0
        while not self.stream.buffered:
            self.assertEqual(producer.told, [])
            self.stream.write(bytes(1000))
            written += 1000
        self.assertEqual(producer.told, ["pause"])
        await self.taken(written)
        await until(lambda: producer.told == ["pause", "resume"])

    async def test_closing(self) -> None:
        """An end that is asked for comes when everything is sent, and not from inside the call."""
        recorder = self.start(Recorder())
        self.stream.write(LARGE)
        self.stream.loseConnection()
        self.stream.write(b"too late")
        self.assertEqual(recorder.lost, [])
        self.assertTrue(self.stream.disconnecting)
        self.assertEqual(len(await self.taken(len(LARGE))), len(LARGE))
        await until(lambda: recorder.lost)
        await until(lambda: receive(self.theirs) == b"")
        self.assertEqual(recorder.lost, [ConnectionDone])
        self.assertEqual(self.stream.fileno(), -1)

    async def test_abort(self) -> None:
        """An abort throws away what is queued, and resets; it is told once, later."""
        recorder = self.start(Recorder())
        self.stream.write(LARGE)
        self.stream.abortConnection()
        self.stream.abortConnection()
        self.assertEqual(recorder.lost, [])
        await until(lambda: recorder.lost)
        with self.assertRaises(ConnectionResetError):
            while receive(self.theirs) != b"":
                pass
        self.assertEqual(recorder.lost, [ConnectionAborted])

    async def test_peer_ends(self) -> None:
        """The other side's end is the end for a protocol that knows no half."""
        recorder = self.start(Recorder())
        self.theirs.send(b"last")
        self.theirs.close()
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.data, recorder.lost), (b"last", [ConnectionDone]))

    async def test_peer_resets(self) -> None:
        """A reset is no clean end."""
        recorder = self.start(HalfRecorder())
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.lost, recorder.ended), ([ConnectionLost], []))

    async def test_peer_ends_half(self) -> None:
        """After the other side's end there may still be written; then the connection is over."""
        recorder = self.start(HalfRecorder())
        self.theirs.shutdown(socket.SHUT_WR)
        await until(lambda: recorder.ended)
        self.assertEqual((recorder.ended, recorder.lost), (["read"], []))
        self.stream.resumeProducing()
        self.stream.write(b"answer")
        self.assertEqual(receive(self.theirs), b"answer")
        self.stream.loseWriteConnection()
        await until(lambda: recorder.lost)
        self.assertEqual((recorder.ended, recorder.lost), (["read", "write"], [ConnectionDone]))

    async def test_we_end_half(self) -> None:
        """Our direction is closed after what is queued; the other one goes on until its end."""
        recorder = self.start(HalfRecorder())
        self.stream.write(LARGE)
        self.stream.loseWriteConnection()
        self.stream.write(b"too late")
        self.assertEqual(len(await self.taken(len(LARGE))), len(LARGE))
        await until(lambda: receive(self.theirs) == b"")
        self.theirs.send(b"answer")
        await until(lambda: recorder.data == b"answer")
        self.assertEqual((recorder.ended, recorder.lost), (["write"], []))
        self.theirs.close()
        await until(lambda: recorder.lost)
        self.assertEqual(recorder.lost, [ConnectionDone])

    async def test_write_to_a_reset_connection(self) -> None:
        """A write that fails ends the connection later, never from inside it."""
        recorder = self.start(HalfRecorder())
        self.stream.pauseProducing()
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.theirs.close()
        await until(lambda: self.stream.write(b"x") or self.stream.disconnecting)
        await until(lambda: recorder.lost)
        self.assertEqual(recorder.lost, [ConnectionLost])

    async def test_acknowledged(self) -> None:
        """Of what was written it tells how much the other side's system has taken, and that this has stopped."""
        self.theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.start(Recorder())
        self.stream.write(LARGE)
        told = [-1]

        def stopped() -> bool:
            told.append(self.stream.acknowledged)
            return len(told) > 20 and len(set(told[-20:])) == 1

        await until(stopped)
        self.assertLess(told[-1], len(LARGE))
        await self.taken(len(LARGE))
        await until(lambda: self.stream.acknowledged >= len(LARGE))

    def test_acknowledged_elsewhere(self) -> None:
        """Where nothing is known of that, it is what our own system has taken."""
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        self.addCleanup(theirs.close)
        self.addCleanup(ours.close)
        stream = Stream(reactor, ours, HERE, THERE)  # type: ignore[arg-type]
        stream.write(b"12345")
        self.assertEqual(stream.acknowledged, 5)

    async def test_paused(self) -> None:
        """A stream that is paused reads nothing until it is resumed."""
        recorder = self.start(Recorder())
        self.stream.pauseProducing()
        self.theirs.send(b"x")
        self.stream.write(b"y")
        await until(lambda: receive(self.theirs) == b"y")
        self.assertEqual(recorder.data, b"")
        self.stream.resumeProducing()
        await until(lambda: recorder.data == b"x")

    async def test_producers(self) -> None:
        """There is one push producer; one that comes too late is stopped."""
        recorder = self.start(Recorder())
        self.assertRaises(ValueError, self.stream.registerProducer, Producer(), False)
        self.stream.registerProducer(Producer(), True)
        self.assertRaises(RuntimeError, self.stream.registerProducer, Producer(), True)
        self.stream.unregisterProducer()
        self.stream.stopProducing()
        late = Producer()
        self.stream.registerProducer(late, True)
        self.assertEqual(late.told, ["stop"])
        await until(lambda: recorder.lost)

    async def test_switch(self) -> None:
        """Another protocol can take over; from then on it alone is told, of half-closes too if it knows them."""
        first = self.start(Recorder())
        self.theirs.send(b"one")
        await until(lambda: first.data)
        second = HalfRecorder()
        self.stream.switch(second)
        self.theirs.send(b"two")
        self.theirs.shutdown(socket.SHUT_WR)
        await until(lambda: second.ended)
        self.assertEqual((first.data, second.data, second.ended), (b"one", b"two", ["read"]))
        self.assertFalse(self.stream.detachable)
        self.stream.loseConnection()
        await until(lambda: second.lost)
        self.assertEqual(first.lost, [])
