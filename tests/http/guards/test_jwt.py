"""Tests of L{edgegate.http.guards.jwt}."""

from __future__ import annotations

import time

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.filters.iteration import FilterIteration
from edgegate.http.guards.jwt import FIRST_FETCH, TokenFilter, token_state
from edgegate.http.guards.key_sets import KeySets
from edgegate.http.interfaces import IResource
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys, JWTRule, RemoteKeys, TokenGuard
from tests.access.jwt.test_rule import ORIGIN
from tests.access.jwt.tokens import ISSUER, believed, good
from tests.http.conversation import Conversation, FakeStream, to_web

REMOTE = RemoteKeys("https://idp.example/keys", False, 5.0)


def guard(keys: InlineKeys | RemoteKeys, **more: object) -> TokenGuard:
    """Return a guard with one rule."""
    headers = (ClaimHeader(b"x-user", ("sub",)),)
    return TokenGuard("a/b", ORIGIN, (JWTRule("a/b", ORIGIN, ISSUER, keys, claim_headers=headers, **more),))  # type: ignore[arg-type]


class Client:
    """Says at once which keys there are, or never."""

    def __init__(self) -> None:
        self.waiting: list[Deferred[bytes]] = []

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """Wait."""
        self.waiting.append(Deferred())
        return self.waiting[-1]


@implementer(IResource)
class Answer:
    """Answers 200."""

    def render(self, exchange: Exchange) -> None:
        """Answer."""
        exchange.reply(200, [], b"")


class TokenFilterTests(SynchronousTestCase):
    """L{TokenFilter}."""

    def setUp(self) -> None:
        """Make an environment whose keys come when the test says so."""
        self.talk = Conversation(to_web())
        self.environment = self.talk.environment
        self.client = Client()
        self.environment.key_sets = KeySets(self.environment.wheel.clock, client=self.client)

    def ask(self, filter_: TokenFilter, *fields: bytes) -> tuple[FilterStatus, Exchange]:
        """Show a filter a request."""
        _, exchange = self.asked(*fields)
        return filter_.request_head(exchange), exchange

    def asked(self, *fields: bytes) -> tuple[FakeStream, Exchange]:
        """Make a request."""
        head = b"".join(each + b"\r\n" for each in fields)
        stream = self.talk.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n" + head + b"\r\n")
        exchange = next(iter(self.talk.environment.connections))._exchange  # type: ignore[attr-defined]
        exchange.upload = None
        self.addCleanup(stream.finish)
        return stream, exchange

    def test_never_fetched(self) -> None:
        """Where keys can't be fetched tokens are refused, and nothing waits."""
        filter_ = TokenFilter(guard(REMOTE), self.environment)
        self.client.waiting.pop().errback(OSError("nobody there"))
        status, exchange = self.ask(filter_, b"Authorization: Bearer " + good(time.time()))
        self.assertEqual((status, exchange.status), (FilterStatus.STOP, 401))
        assert exchange.guard is not None
        self.assertEqual(exchange.guard.name, "a/b")

    def test_first(self) -> None:
        """While keys are fetched for the first time a token waits: until they are there, or for some seconds."""
        for outcome, status in (("there", 200), ("failed", 401), ("late", 401)):
            self.setUp()
            filter_ = TokenFilter(guard(REMOTE), self.environment)
            stream, exchange = self.asked(b"Authorization: Bearer " + good(time.time()))
            exchange.filters = iteration = FilterIteration((filter_,), Answer(), 1)
            iteration.start(exchange)
            self.assertEqual((exchange.status, stream.sent), (0, b""))
            if outcome == "there":
                self.client.waiting.pop().callback(believed().encode())
            elif outcome == "failed":
                self.client.waiting.pop().errback(OSError("nobody there"))
            else:
                self.talk.advance(FIRST_FETCH)
            self.assertEqual(exchange.status, status, outcome)
            counts = token_state(guard(REMOTE), self.environment).counts
            self.assertEqual((counts.allowed, counts.denied), (1, 0) if status == 200 else (0, 1))

    def test_fetched(self) -> None:
        """Once they are there, they count; a state that stays over a change of the files keeps them."""
        state = token_state(guard(REMOTE), self.environment)
        self.client.waiting.pop().callback(believed().encode())
        filter_ = TokenFilter(guard(REMOTE), self.environment)
        status, exchange = self.ask(filter_, b"Authorization: Bearer " + good(time.time()))
        self.assertIs(status, FilterStatus.CONTINUE)
        self.assertEqual(exchange.head.fields, [(b"x-user", b"alice@example.com")])
        self.assertEqual((state.counts.allowed, state.counts.denied, state.counts.fetched), (1, 0, 1))

    def test_kept(self) -> None:
        """A guard that changes keeps the keys of the rules that stay."""
        states = self.environment.access
        token_state(guard(REMOTE), self.environment)
        self.client.waiting.pop().callback(believed().encode())
        other = guard(REMOTE, forward=True)
        state = token_state(other, self.environment)
        states.keep([other])
        self.assertEqual(self.client.waiting, [])
        self.assertIsNotNone(state.rules[0].keys)
        states.keep([])
        self.assertEqual(self.environment.key_sets.counts.fetched, 1)
