"""Tests of L{edgegate.analysis.witnesses}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.limits import TooMuch
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.analysis.witnesses import witness
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.routing.test_matching import holds

SHOP = Surroundings(8080, (b"https",), "shop.example", "shop.example:8080")


def exact(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.EXACT, value)


def regex(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.REGEX, value)


class WitnessTests(SynchronousTestCase):
    """Requests of boxes."""

    def made(self, match: HTTPMatch) -> Witness | dict[int, int]:
        """Return what is made of the box of a match."""
        space = Space([match], SHOP)
        box = space.box(match)
        assert box is not None
        return witness(space, box)

    def test_all_parts(self) -> None:
        """Each part of a request is what the box asks for; what it does not ask for is what clients send."""
        for match, said in (
            (HTTPMatch(), "GET https://shop.example:8080/"),
            (HTTPMatch(method=regex("P.*")), "POST https://shop.example:8080/"),
            (HTTPMatch(uri=exact("/a"), query_params=(("q", exact("1")),)), "GET https://shop.example:8080/a?q=1"),
            (HTTPMatch(authority=exact("shop.example")), "GET https://shop.example/"),
            (HTTPMatch(headers=((":path", exact("/b?c=d")),)), "GET https://shop.example:8080/b?c=d"),
            (HTTPMatch(headers=(("x-a", exact("v")),)), "GET https://shop.example:8080/ x-a: 'v'"),
            (HTTPMatch(headers=(("cookie", exact("s=1")),)), "GET https://shop.example:8080/ cookie: 's=1'"),
            (HTTPMatch(uri=exact("*"), method=exact("OPTIONS")), "OPTIONS https://shop.example:8080*"),
        ):
            found = self.made(match)
            self.assertEqual(str(found), said)
            assert isinstance(found, Witness)
            self.assertTrue(holds(match, found), said)  # type: ignore[arg-type]

    def test_none(self) -> None:
        """Where there is no request a box around says so: it asks for no more than what excludes each other."""
        match = HTTPMatch(uri=regex("/a"), headers=((":path", regex("/b.*")), ("x-a", exact("v"))))
        space = Space([match], SHOP)
        box = space.box(match)
        assert box is not None
        found = witness(space, box)
        assert isinstance(found, dict)
        self.assertLessEqual(found.keys(), box.keys())
        self.assertLess(len(found), len(box))

    def test_undecided(self) -> None:
        """What can't be brought together is not decided, rather than wrong."""
        match = HTTPMatch(headers=((":path", exact("/a?b=1")),), query_params=(("b", exact("2")),))
        with self.assertRaises(TooMuch):
            self.made(match)
