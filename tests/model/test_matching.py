"""Tests of L{edgegate.model.matching}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import Kind, StringMatch, text_condition


class StringMatchTests(SynchronousTestCase):
    """Istio's three forms of conditions on a text, and presence."""

    def test_kinds(self) -> None:
        """Exact is the whole text, prefix its begin by character, regex the whole text; presence needs no value."""
        for match, text, expected in (
            (StringMatch(Kind.EXACT, "/a"), b"/a", True),
            (StringMatch(Kind.EXACT, "/a"), b"/A", False),
            (StringMatch(Kind.EXACT, "/a"), b"/ab", False),
            (StringMatch(Kind.EXACT, "/a", ignore_case=True), b"/A", True),
            (StringMatch(Kind.EXACT, "/A", ignore_case=True), b"/a", True),
            (StringMatch(Kind.PREFIX, "/foo"), b"/foobar", True),
            (StringMatch(Kind.PREFIX, "/foo"), b"/fo", False),
            (StringMatch(Kind.PREFIX, "/foo"), b"/FOO", False),
            (StringMatch(Kind.PREFIX, "/Foo", ignore_case=True), b"/fOObar", True),
            (StringMatch(Kind.REGEX, "/a+"), b"/aaa", True),
            (StringMatch(Kind.REGEX, "/a+"), b"/aaab", False),
            (StringMatch(Kind.REGEX, "(?i)/items/[0-9]+"), b"/Items/7", True),
            (StringMatch(Kind.REGEX, r"/v\d/.*"), b"/v1/", True),
            (StringMatch(Kind.PRESENT), b"", True),
            (StringMatch(Kind.EXACT, "ü"), "ü".encode(), True),
        ):
            self.assertEqual(text_condition(match)(text), expected, (match, text))
