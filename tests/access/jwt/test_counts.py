"""Tests of L{edgegate.access.jwt.counts}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.counts import TokenCounts
from edgegate.observe.metrics import families

NAMES = {
    "allowed": "allowed",
    "denied": "denied",
    "preflights": "cors_preflight_bypassed",
    "fetched": "jwks_fetch_success",
    "not_fetched": "jwks_fetch_failed",
    "cache_hits": "jwt_cache_hit",
    "cache_misses": "jwt_cache_miss",
}


class TokenCountsTests(SynchronousTestCase):
    """What has become of tokens."""

    def test_numbers(self) -> None:
        """Each number is that of the metric in its place."""
        order = [family.name.removeprefix("envoy_http_jwt_authn_") for family in families.TOKENS.families]
        self.assertEqual(TokenCounts().numbers(), (0,) * len(order))
        for attribute, name in NAMES.items():
            counts = TokenCounts()
            setattr(counts, attribute, 7)
            self.assertEqual([order[at] for at, number in enumerate(counts.numbers()) if number], [name])
