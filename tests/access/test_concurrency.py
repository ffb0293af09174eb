"""Tests for L{edgegate.access.concurrency}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.concurrency import ConcurrencyLimits, CountedConcurrency, begin, end, full
from edgegate.model.guards.concurrency import ConcurrencyLimit
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource, Matched
from edgegate.model.matching import Kind, StringMatch
from tests.access.rate_limits.requests import Asked

BY_USER = (KeyPart(KeySource.HEADER, ("x-user",), Absent.SKIP),)
POSTS = Matched(methods=(StringMatch(Kind.EXACT, "POST"),))


class ConcurrencyTests(SynchronousTestCase):
    """How many requests are under way."""

    def test_places(self) -> None:
        """A request counts in each limit that it fits, by its key there."""
        rules = (
            ConcurrencyLimit("all", 5),
            ConcurrencyLimit("user", 2, BY_USER),
            ConcurrencyLimit("posts", 1, (), POSTS),
        )
        limits = ConcurrencyLimits([CountedConcurrency(rule, 1) for rule in rules])
        self.assertEqual([limit.rule.name for limit, _ in limits.places(Asked())], ["all"])
        asked = Asked(method=b"POST", headers=[(b"x-user", b"a")])
        self.assertEqual([limit.rule.name for limit, _ in limits.places(asked)], ["all", "user", "posts"])

    def test_full(self) -> None:
        """The first limit without room keeps a request from passing, and what has ended makes room."""
        limit = CountedConcurrency(ConcurrencyLimit("user", 2, BY_USER), 1)
        limits = ConcurrencyLimits([limit])
        one, other = (limits.places(Asked(headers=[(b"x-user", name)])) for name in (b"a", b"b"))
        begin(one)
        self.assertIsNone(full(one))
        begin(one)
        self.assertIs(full(one), limit)
        self.assertIsNone(full(other))
        end(one)
        self.assertIsNone(full(one))
        self.assertEqual(limit.counts.total, 1)

    @given(st.lists(st.tuples(st.booleans(), st.sampled_from([b"a", b"b", b"c"])), max_size=40))
    def test_any_order(self, events: list[tuple[bool, bytes]]) -> None:
        """Whatever begins and ends, keys are kept only while something is under way."""
        limit = CountedConcurrency(ConcurrencyLimit("user", 3, BY_USER), 1)
        there = dict.fromkeys((b"a", b"b", b"c"), 0)
        for begins, key in events:
            if begins and limit.under_way(key) < limit.most:
                limit.begin(key)
                there[key] += 1
            elif not begins and there[key]:
                limit.end(key)
                there[key] -= 1
            self.assertEqual({key: limit.under_way(key) for key in there}, there)
        self.assertEqual(limit.counts.under_way, {key: number for key, number in there.items() if number})
