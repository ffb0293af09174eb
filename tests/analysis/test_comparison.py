"""Tests of L{edgegate.analysis.comparison}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.comparison import compare
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Witness
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.analysis.routes import SHOP, Rows, changed, requests, table


def exact(value: str) -> StringMatch:
    """An exact value."""
    return StringMatch(Kind.EXACT, value)


def prefix(value: str) -> StringMatch:
    """A prefix."""
    return StringMatch(Kind.PREFIX, value)


def regex(value: str) -> StringMatch:
    """A regular expression."""
    return StringMatch(Kind.REGEX, value)


def at(uri: StringMatch | None = None, does: str = "A", **others: object) -> tuple[tuple[HTTPMatch, ...], str]:
    """A row with one match."""
    return (HTTPMatch(uri, **others),), does  # type: ignore[arg-type]


class PropertyTests(SynchronousTestCase):
    """Nothing is claimed that the tables that serve do not do."""

    @settings(max_examples=40, deadline=None)
    @given(changed(), st.lists(requests, min_size=10, max_size=20))
    def test_as_served(self, both: tuple[Rows, Rows], asked: list[Witness]) -> None:
        """What is equal is the same for every request, and each difference is one."""
        old, new = map(table, both)
        found = compare(*both, SHOP, most=3)
        for each in found.differences:
            self.assertEqual((old(each.request), new(each.request)), (each.old, each.new))
            self.assertNotEqual(each.old, each.new)
        self.assertFalse([reason for reason in found.undecided if "what the tables say" in reason])
        if found.equal:
            for request in asked:
                self.assertEqual(old(request), new(request), request)


class ComparisonTests(SynchronousTestCase):
    """Lists that differ, and lists that only look as if they did."""

    def assert_equal(self, old: Rows, new: Rows) -> None:
        """It is proved that nothing changes."""
        self.assertEqual(compare(old, new, SHOP).undecided, ())
        self.assertEqual(compare(old, new, SHOP).differences, ())

    def difference(self, old: Rows, new: Rows) -> str:
        """Return the first difference in words."""
        (found,) = compare(old, new, SHOP, 1).differences
        return f"{found.request}: {found.old} {found.new}"

    def test_order(self) -> None:
        """Rows that are apart may change places, by their paths, methods, parameters or expressions."""
        for one, other in (
            (at(prefix("/a")), at(prefix("/b"), "B")),
            (at(exact("/a")), at(exact("/A"), "B")),
            (at(method=exact("GET")), at(method=exact("PUT"), does="B")),
            (at(query_params=(("v", exact("1")),)), at(query_params=(("v", exact("2")),), does="B")),
            (at(regex("/[0-9]+")), at(regex("/[a-z]+"), "B")),
            (at(headers=((":path", exact("/a?x=1")),)), at(exact("/b"), "B")),
        ):
            self.assert_equal([one, other], [other, one])

    def test_several_fields(self) -> None:
        """Two values of a header are not apart: a request may have both. A cookie is but one."""
        one, other = at(headers=(("x-user", exact("a")),)), at(headers=(("x-user", exact("b")),), does="B")
        self.assertEqual(
            self.difference([one, other], [other, one]), "GET http://shop.example/ x-user: 'a' x-user: 'b': A B"
        )
        one, other = at(headers=(("cookie", exact("a")),)), at(headers=(("cookie", exact("b")),), does="B")
        self.assert_equal([one, other], [other, one])

    def test_union(self) -> None:
        """What several rows cover together is seen."""
        halves = [at(regex("/v[0-4].*")), at(regex("/v[5-9].*"))]
        self.assert_equal([*halves, at(regex("/v[0-9]"), "B")], halves)
        there = [at(headers=(("x", StringMatch(Kind.PRESENT)),)), at(without_headers=(("x", exact("1")),))]
        self.assert_equal([*there, at(does="B")], there)

    def test_differences(self) -> None:
        """A request shows what has changed, as simple as can be."""
        shop = at(prefix("/shop"), "shop")
        self.assertEqual(self.difference([shop], []), "GET http://shop.example/shop: shop None")
        self.assertEqual(
            self.difference([at(regex("/[a-z]+/\\d{3}")), shop], [shop]), "GET http://shop.example/shop/000: A shop"
        )
        self.assertEqual(
            self.difference([at(exact("/a"), does="B"), at(prefix("/a"))], [at(prefix("/a"))]),
            "GET http://shop.example/a: B A",
        )
        self.assertEqual(
            self.difference([at(headers=((":path", prefix("/a?b=")),))], []), "GET http://shop.example/a?b=: A None"
        )
        self.assertEqual(
            self.difference([at(authority=prefix("shop.example:8"))], []), "GET http://shop.example:8/: A None"
        )

    def test_star(self) -> None:
        """A row that names no path does not take OPTIONS *, one that names every path does."""
        self.assertEqual(self.difference([at()], [at(prefix("/"))]), "OPTIONS http://shop.example*: None A")
        self.assert_equal([at(exact("*"), method=exact("GET")), at()], [at()])

    def test_never(self) -> None:
        """What no request can be counts for nothing: another port, a host that is not there, odd names and values."""
        for row in (
            at(port=81),
            at(authority=prefix("other")),
            at(exact("a")),
            at(method=exact("NONE")),
            at(headers=(("no name", StringMatch(Kind.PRESENT)),)),
            at(headers=(("x", exact("blank ")),)),
            at(query_params=(("a", exact("1&2")),)),
            at(headers=((":method", exact("GET")),), method=exact("PUT")),
        ):
            self.assert_equal([row], [])

    def test_work(self) -> None:
        """All pairs of rows together may be no more than some work: beyond it one thing is said."""
        space = Space([HTTPMatch()], SHOP, 10)
        with self.assertRaises(TooMuch):
            find(space, {}, [{0: 1}] * 10)
        self.assertTrue(space.steps.spent)
        path = StringMatch(Kind.PREFIX, "/")
        rows = [at(path, does=f"{i}", headers=((f"x-{i}", exact("1")),)) for i in range(40)]
        other = [(matches, f"{does}b") for matches, does in rows]
        found = compare(rows, other, SHOP, work=5_000)
        self.assertEqual(found.undecided, ("there are too many combinations of conditions",))
        self.assertLess(0, len(found.differences))
        self.assertEqual(len(compare(rows, other, SHOP).differences), 40)

    def test_undecided(self) -> None:
        """Where an expression is not understood nothing is proved, and it is named; what is plain is still found."""
        odd = at(regex("/\\pL.*x"))
        found = compare([odd, at(does="B")], [at(does="B")], SHOP)
        self.assertFalse(found.equal)
        self.assertIn("\\pL", found.undecided[0])
        self.assertFalse(compare([odd], [at(exact("/"), "B"), odd], SHOP, 1).undecided)
