"""Tests of L{edgegate.access.rate_limits.limits}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.limits import CountedLimit, LocalLimits, identity
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource, Matched, RateLimit
from edgegate.model.matching import Kind, StringMatch
from tests.access.rate_limits.requests import Asked
from tests.access.rate_limits.test_buckets import buckets

CLIENT = RateLimit("client", 10, 1.0, 3, (KeyPart(KeySource.CLIENT_ADDRESS),))
ALL = RateLimit("all", 100, 10.0, 5)


class LimitsTests(SynchronousTestCase):
    """The limits of one policy."""

    def limits(self, *rules: RateLimit) -> LocalLimits:
        """Return limits that nobody has met yet."""
        there = buckets()
        return LocalLimits([CountedLimit(rule, "default/api", there) for rule in rules], there)

    def passed(self, limits: LocalLimits, request: Asked, times: int, now: float = 50.0) -> int:
        """Return how many of some requests pass."""
        return sum(limits.take(request, now) is None for _ in range(times))

    def test_one(self) -> None:
        """A client has his burst, and another one his own; what is refused says until when."""
        limits = self.limits(CLIENT)
        self.assertEqual(self.passed(limits, Asked(), 5), 3)
        self.assertEqual(self.passed(limits, Asked(client_address=b"192.0.2.2"), 5), 3)
        over = limits.take(Asked(), 50.0)
        assert over is not None
        self.assertAlmostEqual(over.wait, 0.1, places=6)
        self.assertEqual((over.limit.rule, over.limit.counts.allowed), (CLIENT, 6))

    def test_several(self) -> None:
        """All limits have to have room, and what one refuses counts in none."""
        limits = self.limits(CLIENT, ALL)
        self.assertEqual(self.passed(limits, Asked(), 20), 3)
        self.assertEqual(self.passed(limits, Asked(client_address=b"192.0.2.2"), 20), 2)
        over = limits.take(Asked(), 50.0)
        assert over is not None
        self.assertEqual(over.limit.rule, CLIENT, "both wait as long: the first is told")

    def test_the_longest(self) -> None:
        """Of several that are over the one is told that is for longest."""
        slow = RateLimit("slow", 1, 60.0, 1)
        limits = self.limits(replace(ALL, burst=1), slow)
        self.assertEqual(self.passed(limits, Asked(), 1), 1)
        over = limits.take(Asked(), 50.0)
        assert over is not None
        self.assertEqual((over.limit.rule, round(over.wait)), (slow, 60))

    def test_not_counted(self) -> None:
        """A request that no limit counts passes."""
        posts = replace(CLIENT, match=Matched((StringMatch(Kind.EXACT, "POST"),)))
        keyed = replace(CLIENT, name="key", by=(KeyPart(KeySource.HEADER, ("x-key",), Absent.SKIP),))
        for limits in (self.limits(posts), self.limits(posts, keyed)):
            self.assertEqual(self.passed(limits, Asked(), 20), 20)
            self.assertEqual(limits.standings(Asked(), 50.0), [])
            self.assertEqual(limits.limits[0].counts.allowed, 0)

    def test_standings(self) -> None:
        """What is left, and until when, in whole requests."""
        limits = self.limits(replace(CLIENT, cost=2, burst=5))
        limits.take(Asked(), 50.0)
        (standing,) = limits.standings(Asked(), 50.0)
        self.assertEqual((standing.left, round(standing.reset, 3)), (1, 0.2))
        limits.take(Asked(), 50.0)
        (standing,) = limits.standings(Asked(), 50.0)
        self.assertEqual((standing.left, round(standing.reset, 3)), (0, 0.1))

    def test_identity(self) -> None:
        """A limit that is read again goes on where it was; one with other numbers, or another policy's, begins anew."""
        self.assertEqual(identity("a/b", CLIENT), identity("a/b", replace(CLIENT)))
        others = [
            identity("a/c", CLIENT),
            *(identity("a/b", replace(CLIENT, **{name: 7})) for name in ("requests", "burst")),
        ]
        self.assertEqual(len({identity("a/b", CLIENT), *others}), 4)
