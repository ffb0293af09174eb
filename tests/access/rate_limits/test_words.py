"""Tests of L{edgegate.access.rate_limits.words}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.words import counting
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource, Matched, RateLimit, RateLimitGuard
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.origin import Origin
from tests.access.rate_limits.requests import Asked

HEADER = KeyPart(KeySource.HEADER, ("x-key",))


def words(*limits: RateLimit, request: Asked | None = None) -> list[str]:
    """Return what is told of limits."""
    guard = RateLimitGuard("default/api", Origin("a.yaml", 1, ""), limits)
    return list(counting(guard, Asked() if request is None else request))


class CountingTests(SynchronousTestCase):
    """Limits in words."""

    def test_keys(self) -> None:
        """The key is told as it was sent."""
        keyed = RateLimit("key", 5, 60.0, 5, (HEADER,))
        self.assertEqual(words(keyed), ["key counts those without it: 5 in 60 s"])
        sent = Asked(headers=((b"x-key", b"a\x07" + b"b" * 99),))
        self.assertEqual(words(keyed, request=sent), [f"key counts a\\x07{'b' * 75}...: 5 in 60 s"])
        both = RateLimit("both", 5, 0.5, 5, (KeyPart(KeySource.HOST), HEADER))
        self.assertEqual(
            words(both, request=Asked(headers=((b"x-key", b"k"),))), ["both counts 13:=shop.example2:=k: 5 in 0.5 s"]
        )

    def test_which(self) -> None:
        """Limits that would not count it are not told."""
        posts = RateLimit("posts", 5, 60.0, 5, match=Matched((StringMatch(Kind.EXACT, "POST"),)))
        skipped = RateLimit("skipped", 5, 60.0, 5, (KeyPart(KeySource.HEADER, ("x-key",), Absent.SKIP),))
        everything = RateLimit("all", 5, 60.0, 5)
        self.assertEqual(words(posts, skipped, everything), ["all counts all together: 5 in 60 s"])
