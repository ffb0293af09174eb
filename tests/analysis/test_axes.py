"""Tests of L{edgegate.analysis.axes}."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.automata import expression
from edgegate.analysis.axes import BeforeQuestionMark, Kept, ListAxis, Numbers, TextAxis, engine, read
from edgegate.analysis.boxes import NO, YES
from edgegate.analysis.limits import OutOfSteps, Steps, TooMuch
from edgegate.analysis.spaces import PATH_KEPT
from edgegate.analysis.wire import STAR
from edgegate.model.matching import Kind, StringMatch, text_condition
from tests.analysis.routes import EXPRESSIONS, PATHS, texts


def exact(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.EXACT, value)


def prefix(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.PREFIX, value)


def regex(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.REGEX, value)


def axis(*conditions: StringMatch, kept: Kept = PATH_KEPT, steps: int = 1_000_000) -> TextAxis:
    """Make the axis of the path."""
    return TextAxis("path", conditions, kept, Numbers(Steps(steps)))


def value(path: TextAxis, *asked: tuple[StringMatch, bool]) -> bytes | None:
    """Return a text for which conditions hold, or don't; none where there is none."""
    box: dict[int, int] = {}
    for match, holds in asked:
        path.add(box, match, holds)
    found = path.value(box) if all(box.values()) else {}
    return None if isinstance(found, dict) else found


class TextAxisTests(SynchronousTestCase):
    """One text, in cells."""

    def test_cells(self) -> None:
        """There is a cell for each value, for what begins with each, for all else and for C{*}, and no other."""
        self.assertEqual(
            [cell.samples[0] for cell in axis(exact("/a"), prefix("/b")).cells], [b"/", b"/a", b"/b", STAR]
        )

    def test_values(self) -> None:
        """A text is found where there is one; where there is none it is known."""
        path = axis(exact("/a"), prefix("/a"), prefix("/a/"), regex("/a/[0-9]+"))
        self.assertEqual(value(path, (exact("/a"), True)), b"/a")
        self.assertEqual(value(path, (prefix("/a/"), True), (regex("/a/[0-9]+"), True)), b"/a/0")
        found = value(path, (prefix("/a"), True), (exact("/a"), False), (prefix("/a/"), False))
        self.assertTrue(found is not None and found.startswith(b"/a") and found != b"/a", found)
        self.assertIsNone(value(path, (regex("/a/[0-9]+"), True), (prefix("/a/"), False)))
        self.assertIsNone(value(path, (exact("/a"), True), (prefix("/a/"), True)))

    def test_around(self) -> None:
        """Where there is no text, the box that is learnt is as wide as it may be: other expressions are left out."""
        path = axis(prefix("/a"), prefix("/b"), regex("/a.*"), regex("/[ab].*"), regex(".*"))
        box: dict[int, int] = {}
        for match, holds in ((prefix("/b"), True), (regex("/a.*"), True), (regex(".*"), True)):
            path.add(box, match, holds)
        found = path.value(box)
        assert isinstance(found, dict)
        self.assertNotIn(path.expressions[".*"], found)
        self.assertEqual(found[path.expressions["/a.*"]], YES)
        self.assertFalse(found[path.number] & path.where(prefix("/a")))

    def test_expressions(self) -> None:
        """What a value that stands alone decides of an expression is known without a search."""
        numbers = Numbers(Steps(1_000_000))
        path = TextAxis("path", [exact("/a"), regex("/[ab]")], PATH_KEPT, numbers)
        self.assertIn({path.number: path.where(exact("/a")), path.expressions["/[ab]"]: NO}, numbers.constraints)

    def test_steps(self) -> None:
        """Searches are bounded."""
        path = axis(prefix("/a"), regex("(?:/[a-z]{1,9}){9}"), regex(".*x.{9}"), steps=3000)
        with self.assertRaises(OutOfSteps):
            value(path, (regex("(?:/[a-z]{1,9}){9}"), True), (regex(".*x.{9}"), True), (prefix("/a"), False))

    @given(st.lists(texts(PATHS, st.booleans()), min_size=1, max_size=5), st.data())
    def test_as_served(self, conditions: list[StringMatch], data: st.DataObject) -> None:
        """Of what is found all conditions are as they were asked for; nothing that is made up is missed."""
        try:
            path = axis(*conditions)
            asked = [(match, data.draw(st.booleans())) for match in conditions]
            found = value(path, *asked)
        except TooMuch:
            assume(False)
        for text in (b"/a", b"/ab", b"/a/b", b"/b", b"/", b"/abc", b"/A"):
            if all(text_condition(match)(text) is holds for match, holds in asked):
                self.assertIsNotNone(found, (asked, text))
        if found is not None:
            self.assertEqual([text_condition(match)(found) for match, _ in asked], [holds for _, holds in asked], found)


class ListAxisTests(SynchronousTestCase):
    """Texts of which all values are known."""

    def test_where(self) -> None:
        """Conditions choose among them; the likeliest is shown."""
        methods = ListAxis([b"GET", b"POST", b"PUT"], Numbers(Steps(1)))
        box: dict[int, int] = {}
        methods.add(box, prefix("P"), True)
        self.assertEqual(methods.first(box), b"POST")
        methods.add(box, exact("POST"), False)
        self.assertEqual(methods.first(box), b"PUT")
        methods.add(box, exact("GET"), True)
        self.assertEqual(box, {methods.number: 0})


class ReaderTests(SynchronousTestCase):
    """What reads texts."""

    def test_before_question_mark(self) -> None:
        """The path is what is read, whatever follows."""
        reader = BeforeQuestionMark(expression("/a+"))
        for text, accepted in ((b"/aa", True), (b"/a?b?/", True), (b"/a?", True), (b"/?a", False), (b"/ab", False)):
            self.assertEqual(read(reader, text), accepted, text)

    def test_engine(self) -> None:
        """Expressions are asked as the gateway does: the whole text must match, which needs no UTF-8."""
        for source in EXPRESSIONS:
            self.assertEqual(engine(source)(b"/a"), text_condition(regex(source))(b"/a"))
        self.assertTrue(engine("/.*")(b"/\xff"))
