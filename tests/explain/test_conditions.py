"""Tests of L{edgegate.explain.conditions}."""

from __future__ import annotations

from hypothesis import given, settings
from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.conditions import held, tried
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.routing.test_matching import Asked, holds
from tests.routing.test_table import matches, requests

EXACT, PREFIX = Kind.EXACT, Kind.PREFIX


class AgreementTests(SynchronousTestCase):
    """Two interpreters of one language."""

    @given(matches, requests)
    @settings(max_examples=500, deadline=None)
    def test_agree(self, match: HTTPMatch, asked: Asked) -> None:
        """What is explained is what is served by."""
        self.assertEqual(held(match, asked), holds(match, asked))
        conditions = list(tried(match, asked))
        self.assertEqual(all(each.holds for each in conditions), holds(match, asked))
        # the one that fails is the last one that is told
        self.assertTrue(all(each.holds for each in conditions[:-1]))


class TriedTests(SynchronousTestCase):
    """What is told of conditions."""

    def test_first_failure(self) -> None:
        """The first that fails ends the list, with what is wanted and what is there."""
        match = HTTPMatch(
            StringMatch(PREFIX, "/cart"),
            method=StringMatch(EXACT, "POST"),
            headers=(("x-user", StringMatch(EXACT, "qa")),),
        )
        conditions = list(tried(match, Asked(path=b"/cart/1")))
        self.assertEqual([(each.what, each.holds) for each in conditions], [("uri", True), ("method", False)])
        self.assertEqual((conditions[1].wish, conditions[1].there), ("exactly 'POST'", (b"GET",)))

    def test_missing(self) -> None:
        """What is not there at all is told apart from what is empty."""
        match = HTTPMatch(headers=(("x-user", StringMatch(PREFIX, "q", ignore_case=True)),))
        (missing,) = tried(match, Asked())
        (empty,) = tried(match, Asked(headers=[(b"x-user", b"")]))
        self.assertEqual((missing.there, empty.there), ((), (b"",)))
        self.assertEqual(missing.wish, "begins with 'q', whatever its case")

    def test_port(self) -> None:
        """A port is a number."""
        (tested,) = tried(HTTPMatch(port=81), Asked())
        self.assertEqual((tested.wish, tested.there, tested.holds), ("is 81", (b"80",), False))
