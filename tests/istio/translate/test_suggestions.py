"""Tests of L{edgegate.istio.translate.suggestions}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.suggestions import MOST, Suggestions


class SuggestionsTests(SynchronousTestCase):
    """Did you mean ...?"""

    def test_near(self) -> None:
        """A misspelt name finds the one that was meant; another finds none."""
        suggestions = Suggestions()
        self.assertEqual(suggestions.like("apiservr", ["catalog", "apiserver"]), '; did you mean "apiserver"?')
        self.assertEqual(suggestions.like("zzz", ["catalog", "apiserver"]), "")

    def test_limit(self) -> None:
        """Thousands of wrong names are not compared with thousands of right ones."""
        suggestions = Suggestions()
        found = [suggestions.like("aple", ["apple"]) for _ in range(MOST + 5)]
        self.assertEqual(sum(map(bool, found)), MOST)
