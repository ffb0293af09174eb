"""Tests of L{edgegate.http.guards.oidc.provider}."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.fetch_schedule import KEPT, REFRESH
from edgegate.access.oidc.provider import BadProvider, Refused
from edgegate.http.guards.oidc.provider import MOST_PROVIDERS, MOST_REDEEMED, Provider, Providers, Unavailable
from edgegate.model.guards.oidc import OIDCClient
from tests.http.guards.oidc.providing import ISSUER, METADATA, NEW_KEY, NOW, SAYS, HeldProvider, tokens


class ProviderTests(SynchronousTestCase):
    """What is known of a provider, and what is asked of it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.client = HeldProvider()
        self.provider = Provider(SAYS, self.client, self.clock)
        self.provider.fetch()

    def test_many_codes(self) -> None:
        """So many codes are redeemed at a time, and others when there is room again; refreshes are not among them."""
        self.client.tell()
        done = [self.provider.redeem("c", "v", "u") for _ in range(MOST_REDEEMED + 1)]
        self.assertEqual(len(self.client.posts), MOST_REDEEMED)
        self.failureResultOf(done.pop(), Unavailable)
        self.provider.refresh("r")
        self.client.answer((400, b'{"error": "invalid_grant"}'))
        self.failureResultOf(done.pop(0), Refused)
        self.provider.redeem("c", "v", "u")
        self.assertEqual(len(self.client.posts), MOST_REDEEMED + 1)

    def test_known(self) -> None:
        """Who comes before it is known waits; from then on nobody does."""
        waiting = self.provider.known()
        self.assertNoResult(waiting)
        self.assertEqual(self.client.fetches[0][0], ISSUER + "/.well-known/openid-configuration")
        self.client.tell()
        self.assertTrue(self.successResultOf(waiting))
        self.assertTrue(self.successResultOf(self.provider.known()))
        assert self.provider.metadata is not None
        self.assertEqual(self.provider.metadata.token, METADATA["token_endpoint"])

    def test_away(self) -> None:
        """One that does not answer is asked again, and who waits is told."""
        waiting = self.provider.known()
        self.client.fetches.pop()[1].errback(ConnectionError("refused"))
        self.assertFalse(self.successResultOf(waiting))
        self.assertFalse(self.successResultOf(self.provider.known()))
        self.assertIsInstance(self.failureResultOf(self.provider.refresh("x")).value, Unavailable)
        self.clock.advance(1)
        self.client.tell()
        self.assertEqual((self.provider.ready, self.provider.error), (True, ""))

    def test_asked_for(self) -> None:
        """After many tries one is made when a user comes, and not each time."""
        for _ in range(8):
            self.client.fetches.pop()[1].errback(ConnectionError("refused"))
            self.clock.advance(1)
        self.assertEqual(self.client.fetches, [])
        waiting = self.provider.known()
        self.assertEqual(len(self.client.fetches), 1)
        self.client.fetches.pop()[1].errback(ConnectionError("refused"))
        self.assertFalse(self.successResultOf(waiting))
        self.assertFalse(self.successResultOf(self.provider.known()))
        self.assertEqual(self.client.fetches, [])
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)

    def test_outage(self) -> None:
        """What was known stays when it can't be fetched again, for a week."""
        self.client.tell()
        self.clock.advance(REFRESH)
        self.client.fetches.pop()[1].errback(ConnectionError("refused"))
        self.assertTrue(self.provider.ready)
        self.clock.advance(KEPT)
        self.client.fetches.pop()[1].errback(ConnectionError("refused"))
        self.assertFalse(self.provider.ready)

    def test_another(self) -> None:
        """What another says of itself, or no keys at all, is not taken."""
        self.client.fetches.pop()[1].callback(b'{"issuer": "https://evil.example"}')
        self.assertIn("another issuer", self.provider.error)
        self.clock.advance(1)
        self.client.fetches.pop()[1].callback(b'{"issuer": "%b"}' % ISSUER.encode())
        self.assertIn("authorization_endpoint", self.provider.error)
        self.assertFalse(self.provider.ready)

    def test_new_keys(self) -> None:
        """Keys are fetched at once where one is not known, but not again and again."""
        self.client.tell()
        waiting = self.provider.refetched()
        self.client.tell(NEW_KEY)
        self.assertTrue(self.successResultOf(waiting))
        assert self.provider.keys is not None
        self.assertTrue(self.provider.keys.knows("two"))
        self.assertFalse(self.successResultOf(self.provider.refetched()))
        self.assertEqual(self.client.fetches, [])

    def test_tokens(self) -> None:
        """Codes and refresh tokens are sent with the client's secret, and what comes of it is told."""
        self.client.tell()
        redeemed = self.provider.redeem("c", "v", "https://a/cb")
        asked = self.client.answer(tokens(NOW, "n"))
        self.assertEqual(
            asked,
            {"grant_type": "authorization_code", "code": "c", "code_verifier": "v", "redirect_uri": "https://a/cb"},
        )
        self.assertEqual(self.client.secrets, [b"me:secret"])
        self.assertEqual(self.successResultOf(redeemed).refresh, f"refresh {int(NOW)}")
        for answer, error in (
            ((400, b'{"error": "invalid_grant"}'), Refused),
            ((500, b""), BadProvider),
            (ConnectionError("refused"), Unavailable),
        ):
            refreshed: Deferred[Any] = self.provider.refresh("r")
            self.assertEqual(self.client.answer(answer), {"grant_type": "refresh_token", "refresh_token": "r"})
            self.assertIsInstance(self.failureResultOf(refreshed).value, error)

    def test_revoked(self) -> None:
        """A token is given back to a provider that takes it; nobody waits for that, and nothing comes of a failure."""
        self.provider.revoke("early")
        self.client.tell()
        self.provider.revoke("")
        self.provider.revoke("one")
        self.assertEqual(self.client.answer(ConnectionError("refused"))["token"], "one")
        assert self.provider.metadata is not None
        self.provider.metadata = replace(self.provider.metadata, revocation="")
        self.provider.revoke("two")
        self.assertEqual(self.client.posts, [])

    def test_stops(self) -> None:
        """A provider that nobody asks for any more is asked nothing more."""
        self.client.tell()
        self.provider.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        other = Provider(SAYS, self.client, self.clock)
        other.fetch()
        other.stop()
        self.client.fetches.clear()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ProvidersTests(SynchronousTestCase):
    """All providers."""

    def test_kept(self) -> None:
        """One that was asked is known to all policies that name it, and there is no end of none."""
        client, clock = HeldProvider(), Clock()
        providers = Providers(lambda says: Provider(says, client, clock))
        first = providers.of(SAYS)
        self.assertIs(providers.of(OIDCClient(ISSUER, "me", b"secret")), first)
        for number in range(MOST_PROVIDERS):
            providers.of(OIDCClient(ISSUER, f"{number}"))
        # two policies have it: that it is known for the longest time is no reason to ask it no more
        self.assertIs(providers.of(SAYS), first)
        for _ in range(3):
            providers.left(SAYS)
        self.assertIsNot(providers.of(SAYS), first)
        providers.stop()
        self.assertEqual(clock.getDelayedCalls(), [])
