"""Tests of L{edgegate.analysis.reachability}."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.reachability import Unreached, reaching, unreached
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.matching import condition
from tests.analysis.routes import SHOP, matches, requests


def holds(match: HTTPMatch, request: Witness) -> bool:
    """Whether a request satisfies a match, as the gateway asks it."""
    check = condition(match)
    return check is None or check(request)


def paths(*values: str) -> list[HTTPMatch]:
    """Rows by regular expressions, or prefixes where they end in a slash."""
    return [
        HTTPMatch(StringMatch(Kind.PREFIX if value.endswith("/") else Kind.REGEX, value)) if value else HTTPMatch()
        for value in values
    ]


def methods(*values: str) -> list[HTTPMatch]:
    """Rows by methods; an empty one is any."""
    return [HTTPMatch(method=StringMatch(Kind.EXACT, value)) if value else HTTPMatch() for value in values]


def headers(**values: str) -> HTTPMatch:
    """A row by headers of exact values."""
    found = ((name.replace("_", "-"), StringMatch(Kind.EXACT, value)) for name, value in values.items())
    return HTTPMatch(headers=tuple(found))


class UnreachedTests(SynchronousTestCase):
    """Rows behind others."""

    @settings(max_examples=30, deadline=None)
    @given(st.lists(matches, min_size=2, max_size=6), st.lists(requests, min_size=10, max_size=30))
    def test_as_served(self, rows: list[HTTPMatch], asked: list[Witness]) -> None:
        """No request reaches a row that is told, and all that it asks for one of the others that are told takes."""
        found = {each.place: each for each in unreached(rows, SHOP)}
        for request in asked:
            taking = [place for place, match in enumerate(rows) if holds(match, request)]
            self.assertNotIn(taking[0] if taking else None, found)
            for place in taking:
                if place in found:
                    self.assertTrue(set(found[place].by) & set(taking[: taking.index(place)]))

    def test_claims(self) -> None:
        """A claim of a token is one that a request may have, though no header is called so."""
        for name in ("@request.auth.claims[sub]", "@request.auth.claims[realm][roles]"):
            row = HTTPMatch(headers=((name, StringMatch(Kind.EXACT, "ali")),))
            without = HTTPMatch(without_headers=((name, StringMatch(Kind.EXACT, "ali")),))
            self.assert_unreached([row, HTTPMatch()])
            self.assert_unreached([without, row, HTTPMatch()], Unreached(2, (0, 1)))

    def assert_unreached(self, rows: Sequence[HTTPMatch], *expected: Unreached) -> None:
        """These rows are told, and no others."""
        self.assertEqual(list(unreached(rows)), list(expected))

    def test_one(self) -> None:
        """A row is covered by one before it: a prefix, an expression, a header that is there at all."""
        self.assert_unreached(paths("/a/", "/b", "/a/[0-9]+"), Unreached(2, (0,)))
        self.assert_unreached(paths("/[a-z]+", "/x|/y", "/x1"), Unreached(1, (0,)))
        there = HTTPMatch(headers=(("x-user", StringMatch(Kind.PRESENT)),))
        self.assert_unreached([there, headers(x_user="qa"), headers(x_other="qa")], Unreached(1, (0,)))
        none = HTTPMatch(without_headers=(("x-user", StringMatch(Kind.EXACT, "qa")),))
        self.assert_unreached(
            [none, HTTPMatch(without_headers=(("x-user", StringMatch(Kind.PRESENT)),))], Unreached(1, (0,))
        )

    def test_several(self) -> None:
        """A row is covered by several together, of which only those are told that are needed."""
        self.assert_unreached(paths("/v[0-4].*", "/w/", "/v[5-9].*", "/v[0-9]{2}"), Unreached(3, (0, 2)))
        without = HTTPMatch(without_headers=(("x-user", StringMatch(Kind.EXACT, "qa")),))
        self.assert_unreached([headers(x_user="qa"), without, *methods("GET")], Unreached(2, (0, 1)))

    def test_reached(self) -> None:
        """Rows that only look as if they were covered: another case, another field, another port than theirs."""
        self.assert_unreached(paths("/a/", "(?i)/a/.*"))
        self.assert_unreached([headers(x_user="qa"), HTTPMatch(headers=(("x-user", StringMatch(Kind.PREFIX, "q")),))])
        self.assert_unreached([headers(x_user="b"), headers(x_user="a")])
        self.assert_unreached(methods("GET", "POST", ""))
        self.assert_unreached(paths("/a/\\pL*", "/a/b"))

    def test_reaching(self) -> None:
        """A request is shown that comes to a row, past those before it; of a row that none reaches there is none."""
        rows = [*paths("/a/[0-9]+", "/a/"), *methods("GET", ""), HTTPMatch()]
        found = [reaching(rows, place) for place in range(len(rows))]
        self.assertEqual([request and request.target for request in found], [b"/a/0", b"/a/", b"/", b"/", None])
        self.assertEqual(found[3] and found[3].method, b"POST")

    def test_own_conditions(self) -> None:
        """Conditions that exclude each other are told, whatever stands before them."""
        both = HTTPMatch(method=StringMatch(Kind.EXACT, "GET"), headers=((":method", StringMatch(Kind.EXACT, "PUT")),))
        without = HTTPMatch(
            headers=(("x", StringMatch(Kind.EXACT, "abc")),),
            without_headers=(("x", StringMatch(Kind.PREFIX, "a")),),
        )
        odd = HTTPMatch(StringMatch(Kind.PREFIX, "/a"), headers=((":path", StringMatch(Kind.REGEX, "/b.*")),))
        self.assert_unreached([both, without, odd], Unreached(0), Unreached(1), Unreached(2))

    def test_surroundings(self) -> None:
        """A port and a host that no request has there make a row one that none reaches."""
        elsewhere = HTTPMatch(authority=StringMatch(Kind.EXACT, "other.example"))
        found = unreached([HTTPMatch(port=81), elsewhere], Surroundings(80, domain="*.shop.example"))
        self.assertEqual(list(found), [Unreached(0), Unreached(1)])

    def test_too_many(self) -> None:
        """Of rows that are too many to be tried one by one all are told."""
        rows = paths(*(f"/{number}x?" for number in range(10, 60)), "/[1-5][0-9]")
        self.assert_unreached(rows, Unreached(50, tuple(range(50))))
