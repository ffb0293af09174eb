"""Tests of L{edgegate.http.guards.redis_link}."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.redis_link import (
    CONNECT_SECONDS,
    LAST_PAUSE,
    MOST_ASKED,
    STALLED_SECONDS,
    LinkFailed,
    LinkState,
    RedisLink,
)


class Protocol:
    """A connection that is there; what it is asked waits to be answered."""

    def __init__(self) -> None:
        self.transport = self
        self.asked: list[Deferred[object]] = []
        self.gone: Deferred[object] = Deferred()
        self.aborted = False

    def eval(self, script: bytes, keys: list[bytes], arguments: list[int]) -> Deferred[object]:
        """See C{txredisapi}."""
        self.asked.append(Deferred())
        return self.asked[-1]

    def whenDisconnected(self) -> Deferred[object]:
        """See C{txredisapi}."""
        return self.gone

    def abortConnection(self) -> None:
        """See L{ITCPTransport}."""
        self.aborted = True
        self.lose()

    def lose(self) -> None:
        """The connection is lost."""
        if not self.gone.called:
            self.gone.callback(self)
            for each in self.asked:
                if not each.called:
                    each.errback(ConnectionError("Lost connection"))


class LinkTests(SynchronousTestCase):
    """A connection that is made again."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.tries: list[Deferred[Any]] = []
        self.link = RedisLink(self.clock, "redis:6379", self.connect, Random(1))

    def connect(self) -> Deferred[Any]:
        """Begin to connect."""
        self.tries.append(Deferred())
        return self.tries[-1]

    def ready(self) -> Protocol:
        """Have the connection that is being made be there."""
        protocol = Protocol()
        self.tries[-1].callback(protocol)
        return protocol

    def asked(self) -> Deferred[object]:
        """Ask something."""
        return self.link.evaluate(b"script", [b"key"], [1])

    def test_asked(self) -> None:
        """A question is sent, and its answer told."""
        protocol = self.ready()
        first, second = self.asked(), self.asked()
        self.assertEqual(len(protocol.asked), 2, "without waiting for the first answer")
        protocol.asked[0].callback([0, 0])
        self.assertEqual(self.successResultOf(first), [0, 0])
        protocol.asked[1].errback(ValueError("WRONGTYPE"))
        self.assertIn("WRONGTYPE", str(self.failureResultOf(second, LinkFailed).value))

    def test_waits_for_the_first(self) -> None:
        """What is asked while a connection is made is sent once it is there, or fails with it."""
        waiting = self.asked()
        self.assertNoResult(waiting)
        protocol = self.ready()
        protocol.asked[0].callback(1)
        self.assertEqual(self.successResultOf(waiting), 1)
        protocol.lose()
        self.clock.advance(1)
        waiting = self.asked()
        self.tries[-1].errback(ConnectionError())
        self.failureResultOf(waiting, LinkFailed)

    def test_given_up(self) -> None:
        """Who does not wait any more is told nothing, and disturbs nobody."""
        early = self.asked()
        early.cancel()
        self.failureResultOf(early)
        protocol = self.ready()
        self.assertEqual(protocol.asked, [])
        late, other = self.asked(), self.asked()
        late.cancel()
        self.failureResultOf(late)
        protocol.asked[0].callback(1)
        protocol.asked[1].callback(2)
        self.assertEqual(self.successResultOf(other), 2)

    def test_lost(self) -> None:
        """A connection that is lost is made again, and nobody waits for it until it is tried."""
        protocol = self.ready()
        question = self.asked()
        protocol.lose()
        self.failureResultOf(question, LinkFailed)
        self.assertFalse(self.link.usable)
        self.failureResultOf(self.asked(), LinkFailed)
        self.clock.advance(0.1)
        self.assertEqual((len(self.tries), self.link.state), (2, LinkState.CONNECTING))
        self.ready()
        self.assertTrue(self.link.usable)

    def test_pauses(self) -> None:
        """Pauses between tries grow, to some seconds."""
        times = []
        for _ in range(14):
            self.tries[-1].errback(ConnectionError("refused"))
            begin, before = self.clock.seconds(), len(self.tries)
            while len(self.tries) == before:
                self.clock.advance(0.05)
            times.append(self.clock.seconds() - begin)
        self.assertLess(times[0], 0.2)
        self.assertTrue(LAST_PAUSE / 2 <= times[-1] <= LAST_PAUSE + 0.1, times)
        self.ready().lose()
        self.clock.advance(0.1)
        self.assertEqual(self.link.state, LinkState.CONNECTING, "once it was there pauses begin anew")

    def test_connecting_takes_too_long(self) -> None:
        """A connection that is neither made nor refused is given up."""
        self.clock.advance(CONNECT_SECONDS)
        self.assertEqual(self.link.state, LinkState.PAUSED)

    def test_raises(self) -> None:
        """What can't even be tried is tried again."""

        def broken() -> Deferred[Any]:
            raise OSError("no such file")

        link = RedisLink(self.clock, "redis:6379", broken, Random(1))
        self.assertEqual(link.state, LinkState.PAUSED)

    def test_stalled(self) -> None:
        """A connection on which no answer comes is given up, so that the next question does not wait for it."""
        protocol = self.ready()
        question = self.asked()
        self.link.timed_out()
        self.assertFalse(protocol.aborted, "it may be slow")
        self.clock.advance(STALLED_SECONDS + 0.1)
        self.link.timed_out()
        self.assertTrue(protocol.aborted)
        self.failureResultOf(question, LinkFailed)

    def test_refuses(self) -> None:
        """What Redis refuses is told; one that only copies another is left, as its name may lead to that one by now."""
        protocol = self.ready()
        question = self.asked()
        protocol.asked[0].errback(ValueError("OOM command not allowed when used memory > 'maxmemory'"))
        self.assertIn("OOM", str(self.failureResultOf(question, LinkFailed).value))
        self.assertFalse(protocol.aborted)
        question = self.asked()
        protocol.asked[1].errback(ValueError("READONLY You can't write against a read only replica."))
        self.failureResultOf(question, LinkFailed)
        self.assertEqual((protocol.aborted, self.link.state), (True, LinkState.PAUSED))

    def test_slow_but_alive(self) -> None:
        """One on which answers come late is kept."""
        protocol = self.ready()
        self.asked()
        self.clock.advance(STALLED_SECONDS + 0.1)
        self.asked()
        protocol.asked[0].callback(1)
        self.link.timed_out()
        self.assertFalse(protocol.aborted)

    def test_too_many(self) -> None:
        """There is a bound to what is asked at one time."""
        protocol = self.ready()
        for _ in range(MOST_ASKED):
            self.asked()
        self.failureResultOf(self.asked(), LinkFailed)
        protocol.asked[0].callback(1)
        self.assertNoResult(self.asked())

    def test_stop(self) -> None:
        """In the end nothing is left, whatever state it is in."""
        protocol = self.ready()
        question = self.asked()
        self.link.stop()
        self.assertTrue(protocol.aborted)
        self.failureResultOf(question, LinkFailed)
        connecting = RedisLink(self.clock, "redis:6379", self.connect, Random(1))
        connecting.stop()
        self.failureResultOf(connecting.evaluate(b"", [], []), LinkFailed)
        paused = RedisLink(self.clock, "redis:6379", lambda: fail(OSError()), Random(1))
        paused.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
