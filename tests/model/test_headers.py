"""Tests for L{edgegate.model.headers}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.operators import Operator, UnknownOperator


class TemplateTests(SynchronousTestCase):
    """Values with Envoy's command operators."""

    def test_parts(self) -> None:
        """Texts and operators are told apart; two percent signs are one."""
        for text, parts in (
            ("", ()),
            ("plain", (b"plain",)),
            ("100%%", (b"100", b"%")),
            ("%PROTOCOL%", (Operator("PROTOCOL"),)),
            ("a %REQ(x-user)% b", (b"a ", Operator("REQ", "x-user"), b" b")),
            ("%REQ(x-a?x-b):16%", (Operator("REQ", "x-a?x-b", 16),)),
            ("%START_TIME%%START_TIME(%Y %3f)%", (Operator("START_TIME"), Operator("START_TIME", "%Y %3f"))),
            ("é", ("é".encode(),)),
        ):
            self.assertEqual(Template.parse(text).parts, parts, text)

    def test_constant(self) -> None:
        """A value without operators is known at once."""
        self.assertEqual(Template.parse("100%% sure").constant, b"100% sure")
        self.assertEqual(Template.parse("").constant, b"")
        self.assertIsNone(Template.parse("%PROTOCOL%").constant)

    def test_refused(self) -> None:
        """What begins no operator, is none that is known, or lacks its argument."""
        for text, words in (
            ("50% off", "begins no operator"),
            ("%", "begins no operator"),
            ("%RE-Q(a)%", "begins no operator"),
            ("%REQ(a)", "begins no operator"),
            ("%REQ%", "needs an argument"),
            ("%REQ()%", "needs an argument"),
            ("%PROTOCOL(a)%", "has no argument"),
        ):
            self.assertIn(words, str(self.assertRaises(ValueError, Template.parse, text)), text)
        self.assertEqual(self.assertRaises(UnknownOperator, Template.parse, "%REQUEST(a)%").name, "REQUEST")

    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_any_text(self, text: str) -> None:
        """Every text can be written with doubled percent signs, and means itself."""
        self.assertEqual(Template.parse(text.replace("%", "%%")).constant, text.encode())


class HeaderChangesTests(SynchronousTestCase):
    """Operations on headers."""

    def test_names(self) -> None:
        """All that are changed are known, and whether it comes to the same each time."""
        constant, dynamic = Template.parse("1"), Template.parse("%PROTOCOL%")
        changes = HeaderChanges((b"a",), ((b"b", constant),), ((b"c", constant), (b"c", constant)))
        self.assertEqual(changes.names, {b"a", b"b", b"c"})
        self.assertTrue(changes.static)
        self.assertFalse(HeaderChanges(add=((b"b", dynamic),)).static)
        self.assertFalse(HeaderChanges(set=((b"b", dynamic),)).static)
        self.assertTrue(HeaderChanges().static)
