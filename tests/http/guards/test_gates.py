"""Tests of L{edgegate.http.guards.gates}: a request passes as it would by the filters, and is counted once."""

from __future__ import annotations

import time
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.key_sets import KeySets
from edgegate.http.guards.rate_limit_state import RateLimits
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.guard import Guard
from edgegate.model.guards.jwt import InlineKeys
from tests.access.jwt.tokens import believed, good
from tests.access.test_address_list import addresses
from tests.http.conversation import ORIGIN, Conversation, FakeStream
from tests.http.guards.guards import guarded
from tests.http.guards.test_jwt import REMOTE, Client
from tests.http.guards.test_jwt import guard as token_guard
from tests.http.guards.test_rate_limit import HERE, asking
from tests.http.h1.test_downstream_connection import OK


class GatesTests(SynchronousTestCase):
    """Requests that meet guards of each kind which has a gate."""

    backend: FakeStream | None

    def statuses(self, talk: Conversation, *requests: bytes, guards: tuple[Guard, ...]) -> list[int]:
        """Return what requests are answered, one after the other."""
        client, self.backend = talk.client(guarded(*guards)), None
        for request in requests:
            asked = len(talk.ended)
            client.deliver(request)
            if len(talk.ended) == asked:
                self.backend = self.backend or talk.backend()
                self.backend.deliver(OK)
        return [each.status for each in talk.ended]

    def test_rate_limit(self) -> None:
        """One that passes is counted once, and so is one that does not."""
        talk = Conversation()
        silent = replace(HERE, shown=False)
        self.assertEqual(self.statuses(talk, *[asking()] * 4, guards=(silent,)), [200, 200, 429, 429])
        counted = dict(talk.environment.access.shared(RateLimits, RateLimits).counted())
        found = [counted["default/api", "keyed", verdict] for verdict in ("allowed", "limited", "shadow", "failed")]
        self.assertEqual(found, [2, 2, 0, 0])

    def test_address_list(self) -> None:
        """An address that is on a list does not pass."""
        for networks, status in (("192.0.2.0/24", 403), ("198.51.100.0/24", 200)):
            list_ = AddressList("n/a", ORIGIN, deny=addresses(networks))
            self.assertEqual(self.statuses(Conversation(), asking(), guards=(list_,)), [status])

    def test_token(self) -> None:
        """A token that is valid passes, and tells the backend who asks; all that need more are counted once, too."""
        talk = Conversation()
        talk.environment.key_sets = key_sets = KeySets(talk.environment.wheel.clock)
        bearer = b"Authorization: Bearer " + good(time.time()) + b"\r\n"
        asked = [b"GET / HTTP/1.1\r\nHost: web.example\r\nX-User: me\r\n%b\r\n" % each for each in (bearer, b"")]
        asked.append(asked[0].replace(b"\r\n\r\n", b"x\r\n\r\n"))
        asked.append(asked[1].replace(b"GET", b"OPTIONS"))
        self.assertEqual(
            self.statuses(talk, *asked, guards=(token_guard(InlineKeys(believed())),)), [200, 200, 401, 200]
        )
        assert self.backend is not None
        sent = self.backend.sent.split(b"\r\n\r\n")
        self.assertIn(b"\r\nx-user: alice@example.com\r\n", sent[0] + b"\r\n")
        self.assertNotIn(b"bearer", sent[0].lower())
        self.assertNotIn(b"x-user", sent[1] + sent[2])
        self.assertEqual((key_sets.counts.allowed, key_sets.counts.denied), (3, 1))

    def test_verified_once(self) -> None:
        """A token that is refused is verified once."""
        talk = Conversation()
        talk.environment.key_sets = key_sets = KeySets(talk.environment.wheel.clock)
        bearer = b"Authorization: Bearer " + good(time.time())
        asked = [b"GET / HTTP/1.1\r\nHost: web.example\r\n%b%b\r\n\r\n" % (bearer, each) for each in (b"x", b"y")]
        guards = (token_guard(InlineKeys(believed())),)
        self.assertEqual(self.statuses(talk, *asked, asked[0], guards=guards), [401, 401, 401])
        counts = key_sets.counts
        self.assertEqual((counts.denied, counts.cache_misses, counts.cache_hits), (3, 3, 0))

    def test_waiting(self) -> None:
        """A request whose keys are being fetched waits with its token, which is counted as what it is found to be."""
        talk, client = Conversation(), Client()
        talk.environment.key_sets = key_sets = KeySets(talk.environment.wheel.clock, client=client)
        bearer = b"GET / HTTP/1.1\r\nHost: web.example\r\nAuthorization: Bearer " + good(time.time())
        streams = [talk.client(guarded(token_guard(REMOTE))) for _ in range(2)]
        for stream, asked in zip(streams, (bearer, bearer[:-4] + b"AAAA"), strict=True):
            stream.deliver(asked + b"\r\n\r\n")
        counts = key_sets.counts
        self.assertEqual((counts.allowed, counts.denied, counts.cache_misses), (0, 0, 2))
        client.waiting.pop().callback(believed().encode())
        talk.backend().deliver(OK)
        self.assertEqual(sorted(each.status for each in talk.ended), [200, 401])
        self.assertEqual((counts.allowed, counts.denied, counts.cache_misses), (1, 1, 4))
