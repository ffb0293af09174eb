"""Tests of L{edgegate.access.rate_limits.conditions}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.conditions import condition_of
from edgegate.model.guards.rate_limit import Matched
from edgegate.model.matching import Kind, StringMatch
from tests.access.rate_limits.requests import Asked

POST = StringMatch(Kind.EXACT, "POST")
LOGIN = StringMatch(Kind.EXACT, "/login")
API = StringMatch(Kind.PREFIX, "/api/")


class ConditionTests(SynchronousTestCase):
    """Which requests are counted."""

    def test_all(self) -> None:
        """Without conditions each is."""
        self.assertIsNone(condition_of(None))
        self.assertIsNone(condition_of(Matched()))

    def test_together(self) -> None:
        """All that is given holds, each by one of its values."""
        holds = condition_of(Matched((POST, StringMatch(Kind.EXACT, "PUT")), (LOGIN, API)))
        assert holds is not None
        asked = [(b"POST", b"/login"), (b"PUT", b"/api/x"), (b"GET", b"/login"), (b"POST", b"/")]
        self.assertEqual([holds(Asked(method, path)) for method, path in asked], [True, True, False, False])

    def test_not(self) -> None:
        """Some paths may be left out."""
        holds = condition_of(Matched(not_paths=(LOGIN,)))
        assert holds is not None
        self.assertEqual([holds(Asked(path=path)) for path in (b"/login", b"/")], [False, True])

    def test_headers(self) -> None:
        """A header is there, or has one of some values."""
        there = condition_of(Matched(headers=(("x-key", ()),)))
        one = condition_of(
            Matched(headers=(("x-tier", (StringMatch(Kind.EXACT, "free"), StringMatch(Kind.PREFIX, "t"))),))
        )
        assert there is not None
        assert one is not None
        self.assertEqual((there(Asked()), there(Asked(headers=((b"x-key", b""),)))), (False, True))
        self.assertTrue(one(Asked(headers=((b"x-tier", b"paid"), (b"x-tier", b"trial")))))
        self.assertFalse(one(Asked(headers=((b"x-tier", b"paid"),))))
