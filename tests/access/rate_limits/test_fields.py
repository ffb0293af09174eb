"""Tests of L{edgegate.access.rate_limits.fields}."""

from __future__ import annotations

from dataclasses import replace

import http_sfv
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.fields import policy_item, retry_after, standing_fields
from edgegate.access.rate_limits.limits import CountedLimit, Standing
from edgegate.model.guards.rate_limit import RateLimit
from tests.access.rate_limits.test_buckets import buckets

MINUTE = RateLimit("per-minute", 100, 60.0, 100)
SECOND = RateLimit("per-second", 10, 1.0, 10)


class FieldsTests(SynchronousTestCase):
    """What clients are told."""

    def test_retry_after(self) -> None:
        """Whole seconds, at least one: a client that comes at once comes in vain."""
        self.assertEqual([retry_after(wait)[1] for wait in (0.1, 1.0, 1.2, 59.0)], [b"1", b"1", b"2", b"59"])

    def test_told(self) -> None:
        """The limit with the least left comes first in both fields."""
        limits = [CountedLimit(rule, "a/b", buckets()) for rule in (MINUTE, SECOND)]
        fields = standing_fields([Standing(limits[0], 50, 29.2), Standing(limits[1], 0, 0.1)])
        policies = (b"ratelimit-policy", b'"per-second";q=10;w=1, "per-minute";q=100;w=60')
        self.assertEqual(fields, [policies, (b"ratelimit", b'"per-second";r=0;t=1, "per-minute";r=50;t=30')])
        self.assertEqual(standing_fields([]), [])

    def test_structured(self) -> None:
        """Who reads structured fields finds names, quotas and times."""
        limits = [CountedLimit(replace(rule, name=f"a-b_{rule.name}.1"), "a/b", buckets()) for rule in (MINUTE, SECOND)]
        policies, levels = standing_fields([Standing(limits[0], 50, 29.2), Standing(limits[1], 0, 0.1)])
        parsed = []
        for _, value in (policies, levels):
            fields = http_sfv.List()
            fields.parse(value)
            parsed.append([(each.value, dict(each.params)) for each in fields])
        self.assertEqual(
            parsed[0], [("a-b_per-second.1", {"q": 10, "w": 1}), ("a-b_per-minute.1", {"q": 100, "w": 60})]
        )
        self.assertEqual(parsed[1], [("a-b_per-second.1", {"r": 0, "t": 1}), ("a-b_per-minute.1", {"r": 50, "t": 30})])

    def test_parts_of_seconds(self) -> None:
        """A window is in whole seconds: a shorter one is told with what passes in one."""
        self.assertEqual(policy_item(replace(SECOND, period=0.5)), b'"per-second";q=20;w=1')
        self.assertEqual(policy_item(replace(SECOND, cost=5)), b'"per-second";q=2;w=1')
