"""Tests of L{edgegate.istio.translate.exports}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.exports import exported


class ExportedTests(SynchronousTestCase):
    """Who sees a document."""

    def test_scopes(self) -> None:
        """Everyone, its own namespace, those that it names, or nobody."""
        for scopes, seen in (
            ((), "ab"),
            (("*",), "ab"),
            ((".",), "a"),
            (("b",), "b"),
            ((".", "b"), "ab"),
            (("~",), ""),
        ):
            self.assertEqual([name for name in "ab" if exported(scopes, "a", name)], list(seen), scopes)
