"""Tests of L{edgegate.tcp.stream_pair}: two streams that are copied to each other."""

from __future__ import annotations

from typing import cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.errors import CLIENT_GONE, STREAM_IDLE, UPSTREAM_CUT_SHORT, Fault
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.tcp.state import RelayState, Side
from edgegate.tcp.stream_pair import CLOSE_TIMEOUT, StreamPair
from tests.tcp.test_copying import FakeStream

IDLE = 300.0


class StreamPairTests(SynchronousTestCase):
    """Bytes both ways, and every end."""

    def setUp(self) -> None:
        """Make a pair."""
        self.clock = Clock()
        self.ends: list[tuple[Fault | None, int, int]] = []
        self.down, self.up = FakeStream(), FakeStream()

    def pair(self, onward: bytes = b"", back: bytes = b"", state: RelayState | None = None) -> StreamPair:
        """Begin to copy."""
        streams = cast(Stream, self.down), cast(Stream, self.up)
        pair = StreamPair(TimerWheel(self.clock, 0.5), *streams, IDLE, lambda *end: self.ends.append(end), state)
        pair.start(onward, back)
        return pair

    def test_on_behalf(self) -> None:
        """What comes from the backend is the client's, in whose turn it is read."""
        self.pair()
        self.assertIs(getattr(self.up.protocol, "on_behalf_of", None), self.down.client)

    def test_begin(self) -> None:
        """Both are read from then on, each holds up the other, and both tell of half-closes."""
        self.pair()
        self.assertEqual((self.down.told, self.up.told), (["resume"], ["resume"]))
        self.assertIs(self.down.producer, self.up)
        self.assertIs(self.up.producer, self.down)
        for stream in (self.down, self.up):
            verifyObject(IHalfCloseableProtocol, stream.protocol)

    def test_first(self) -> None:
        """What was read before goes before all else, and counts."""
        pair = self.pair(b"early ", b"greeting ")
        self.down.receive(b"late")
        self.up.receive(b"more")
        self.assertEqual((self.up.written, self.down.written), (b"early late", b"greeting more"))
        self.assertEqual(repr(pair), "<StreamPair 10 onward, 13 back>")

    def test_good_end(self) -> None:
        """When both have ended both are closed, and the end is told when both are gone."""
        self.pair()
        self.down.finish()
        self.assertEqual(self.up.told, ["resume", "finish"])
        self.up.receive(b"last")
        self.up.finish()
        self.assertEqual((self.down.told[1:], self.up.told[1:]), (["close"], ["finish", "close"]))
        self.up.lose(ConnectionDone())
        self.assertEqual(self.ends, [])
        self.down.lose(ConnectionDone())
        self.assertEqual(self.ends, [(None, 0, 4)])

    def test_ended_before(self) -> None:
        """A client that ended its stream before there was a backend is passed on as one that has."""
        state = RelayState()
        state.read_finished(Side.DOWNSTREAM)
        self.pair(b"all", state=state)
        self.assertEqual((self.up.written, self.up.told), (b"all", ["resume", "finish"]))

    def test_cut(self) -> None:
        """A side that is cut off cuts the other off, and is named."""
        for cut, fault in (("down", CLIENT_GONE), ("up", UPSTREAM_CUT_SHORT)):
            self.setUp()
            self.pair()
            one, other = (self.down, self.up) if cut == "down" else (self.up, self.down)
            one.lose(ConnectionLost())
            self.assertEqual(other.told[-1], "abort")
            other.lose(ConnectionLost())
            self.assertEqual(self.ends, [(fault, 0, 0)])

    def test_idle(self) -> None:
        """Without a byte either way for too long both are reset; any byte begins anew."""
        self.pair()
        for stream in (self.down, self.up, self.down):
            self.clock.pump([0.5] * int(IDLE))
            stream.receive(b"x")
        self.clock.pump([0.5] * int(IDLE * 2 + 4))
        self.assertEqual((self.down.told[-1], self.up.told[-1]), ("abort", "abort"))
        self.down.lose(ConnectionLost())
        self.up.lose(ConnectionLost())
        self.assertEqual(self.ends, [(STREAM_IDLE, 2, 1)])
        self.clock.pump([0.5] * 100)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_slow_end(self) -> None:
        """A side that does not take what is left for it is reset after a while."""
        self.pair()
        self.up.finish()
        self.down.finish()
        self.up.lose(ConnectionDone())
        self.clock.pump([0.5] * int(CLOSE_TIMEOUT * 2 + 4))
        self.assertEqual(self.down.told[-1], "abort")

    def test_abort(self) -> None:
        """An abort resets both and is nobody's fault."""
        self.pair().abort()
        self.down.lose(ConnectionLost())
        self.up.lose(ConnectionLost())
        self.assertEqual(self.ends, [(None, 0, 0)])
