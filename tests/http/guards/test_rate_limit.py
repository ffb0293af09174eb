"""Tests of L{edgegate.http.guards.rate_limit}."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.rate_limit_state import Connect, RateLimits
from edgegate.http.guards.redis_link import LinkFailed, RedisLink
from edgegate.model.guards.rate_limit import (
    GlobalCount,
    KeyPart,
    KeySource,
    OnFailure,
    RateLimit,
    RateLimited,
    RateLimitGuard,
)
from edgegate.model.redis import RedisServer
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation, to_web
from tests.http.h1.test_downstream_connection import OK

KEYED = RateLimit("keyed", 2, 3600.0, 2, (KeyPart(KeySource.HEADER, ("x-key",)),))
HERE = RateLimitGuard("default/api", ORIGIN, (KEYED,), RateLimited(body=b"slow"), shown=True)
SHARED = replace(HERE, shared=GlobalCount(RedisServer("redis", 6379)))


def asking(key: str = "k", more: bytes = b"") -> bytes:
    """Return a request with a key."""
    return b"GET / HTTP/1.1\r\nHost: web.example\r\nX-Key: %b\r\n%b\r\n" % (key.encode(), more)


class Link:
    """A connection to a Redis that answers when the test says so."""

    def __init__(self) -> None:
        self.usable = True
        self.asked: list[tuple[list[bytes], list[int]]] = []
        self.waiting: list[Deferred[object]] = []
        self.late = 0

    def evaluate(self, script: bytes, keys: list[bytes], arguments: list[int]) -> Deferred[object]:
        """See L{RedisLink.evaluate}."""
        self.asked.append((keys, arguments))
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def timed_out(self) -> None:
        """See L{RedisLink.timed_out}."""
        self.late += 1

    def stop(self) -> None:
        """See L{RedisLink.stop}."""


class Linked(RateLimits):
    """Rate limits with such a connection."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.there = link

    def link(self, server: RedisServer, connect: Connect) -> RedisLink:
        """See L{RateLimits.link}."""
        return cast(Any, self.there)


class LocalTests(SynchronousTestCase):
    """Requests that are counted here."""

    def test_refused(self) -> None:
        """The third request is one too many; all responses say how the limit stands."""
        talk = Conversation(to_web(guards=(HERE,)))
        backend = None
        for left in (1, 0):
            client = talk.ask(asking())
            backend = backend or talk.backend()
            backend.deliver(OK)
            self.assertIn(b'ratelimit-policy: "keyed";q=2;w=3600\r\nratelimit: "keyed";r=%d;t=' % left, client.sent)
        client = talk.ask(asking())
        self.assertIn(b"HTTP/1.1 429 ", client.sent)
        for words in (b'ratelimit: "keyed";r=0;t=1800\r\n', b"retry-after: 1800\r\n", b"\r\n\r\nslow"):
            self.assertIn(words, client.sent)
        ended = talk.ended[-1]
        self.assertEqual((ended.flags, ended.details, ended.guard), ("RL", "rate_limited[default/api:keyed]", HERE))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_shadow(self) -> None:
        """In shadow all pass; what would not have is counted and noted."""
        talk = Conversation(to_web(guards=(replace(HERE, shadow=True, shown=False),)))
        talk.ask(asking())
        backend = talk.backend()
        backend.deliver(OK)
        for _ in range(2):
            client = talk.ask(asking())
            backend.deliver(OK)
            self.assertTrue(client.sent.endswith(b"ok"))
            self.assertNotIn(b"ratelimit", client.sent)
        self.assertEqual(talk.ended[-1].metadata, {"edgegate.rate_limit": {"shadow": "default/api:keyed"}})
        counted = dict(talk.environment.access.shared(RateLimits, RateLimits).counted())
        found = [counted["default/api", "keyed", verdict] for verdict in ("allowed", "limited", "shadow", "failed")]
        self.assertEqual(found, [2, 0, 1, 0])

    def test_grpc(self) -> None:
        """A client of gRPC is told to come again, or that it has used up what it may, as the policy says."""
        grpc = b"Content-Type: application/grpc\r\nTE: trailers\r\n"
        for exhausted, status in ((False, b"14"), (True, b"8")):
            guard = replace(
                HERE, limits=(replace(KEYED, requests=1, burst=1),), response=RateLimited(grpc_exhausted=exhausted)
            )
            talk = Conversation(to_web(guards=(guard,)))
            talk.ask(asking("g", grpc))
            self.assertIn(b"grpc-status: %b\r\n" % status, talk.ask(asking("g", grpc)).sent)


class SharedTests(SynchronousTestCase):
    """Requests that Redis counts."""

    def talk(self, guard: RateLimitGuard = SHARED) -> tuple[Conversation, Link]:
        """Return a conversation, and the connection to Redis."""
        talk, link = Conversation(to_web(guards=(guard,))), Link()
        talk.environment.access.shared(RateLimits, lambda: Linked(link))
        return talk, link

    def test_passes(self) -> None:
        """A request waits for the answer, and goes on with what came of it meanwhile."""
        talk, link = self.talk()
        client = talk.ask(asking("k", b"Content-Length: 3\r\n"))
        client.deliver(b"abc")
        self.assertEqual((talk.connects, client.sent), ([], b""))
        self.assertEqual(link.asked, [([b"edgegate:default/api:keyed:3600000:=k"], [2, 3600000, 1])])
        link.waiting[0].callback([0, 0, 1, 1000])
        backend = talk.backend()
        self.assertTrue(backend.sent.endswith(b"\r\n\r\nabc"))
        backend.deliver(OK)
        self.assertIn(b'ratelimit: "keyed";r=1;t=1\r\n', client.sent)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_over(self) -> None:
        """Who is over is refused; until he is not any more nobody asks Redis for him."""
        talk, link = self.talk()
        client = talk.ask(asking())
        link.waiting[0].callback([1, 7_000, 0, 7_000])
        self.assertIn(b"HTTP/1.1 429 ", client.sent)
        self.assertIn(b"retry-after: 7\r\n", client.sent)
        again = talk.ask(asking()).sent
        self.assertIn(b"HTTP/1.1 429 ", again)
        self.assertIn(b'ratelimit: "keyed";r=0;t=7\r\n', again)
        self.assertEqual(len(link.asked), 1)
        talk.ask(asking("another"))
        self.assertEqual(len(link.asked), 2)

    def test_away(self) -> None:
        """While there is no connection, or no answer of use, the policy says what happens."""
        wanted = {OnFailure.OPEN: [b"", b"", b""], OnFailure.CLOSED: [b"503"] * 3, OnFailure.LOCAL: [b"", b"", b"429"]}
        for mode, found in wanted.items():
            assert SHARED.shared is not None
            talk, link = self.talk(replace(SHARED, shared=replace(SHARED.shared, on_failure=mode)))
            answers = []
            for way in ("away", "fails", "nonsense"):
                link.usable = way != "away"
                client = talk.ask(asking())
                if way == "fails":
                    link.waiting[-1].errback(LinkFailed("it was lost"))
                elif way == "nonsense":
                    link.waiting[-1].callback([b"PONG"])
                answers.append(client.sent[9:12])
                if client.sent and mode is OnFailure.LOCAL:
                    self.assertIn(b'ratelimit: "keyed";r=0;t=1800\r\n', client.sent)
            self.assertEqual(answers, found, mode)
            if mode is OnFailure.CLOSED:
                self.assertEqual(
                    (talk.ended[-1].flags, talk.ended[-1].details), ("RLSE", "rate_limiter_error[default/api]")
                )

    def test_late(self) -> None:
        """Nobody waits longer than the policy says, and a late answer disturbs nobody."""
        talk, link = self.talk()
        client = talk.ask(asking())
        talk.clock.advance(0.051)
        self.assertEqual(link.late, 1)
        backend = talk.backend()
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertTrue(link.waiting[0].called)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_client_leaves(self) -> None:
        """A client may leave before the answer."""
        talk, link = self.talk()
        client = talk.ask(asking())
        client.finish()
        link.waiting[0].callback([0, 0, 1, 1000])
        self.assertEqual((talk.connects, len(talk.ended)), ([], 1))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_shadow(self) -> None:
        """In shadow nobody waits."""
        talk, link = self.talk(replace(SHARED, shadow=True))
        client = talk.ask(asking())
        talk.backend().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        link.waiting[0].callback([1, 7_000, 0, 7_000])
        counted = dict(talk.environment.access.shared(RateLimits, RateLimits).counted())
        self.assertEqual(counted["default/api", "keyed", "shadow"], 1)
