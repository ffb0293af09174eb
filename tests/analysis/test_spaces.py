"""Tests of L{edgegate.analysis.spaces}, and of the search for requests in them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.analysis.limits import TooMuch
from edgegate.analysis.search import find
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import Surroundings, Witness
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.routing.test_matching import holds

PRESENT = StringMatch(Kind.PRESENT)


def exact(value: str) -> StringMatch:
    """Make a condition."""
    return StringMatch(Kind.EXACT, value)


def found(wanted: HTTPMatch, *others: HTTPMatch) -> Witness | None:
    """Find a request that one match takes and none of the others."""
    space = Space([wanted, *others], Surroundings(port=80))
    box = space.box(wanted)
    if box is None:
        return None
    return find(space, box, [each for each in map(space.box, others) if each is not None])


class FindTests(SynchronousTestCase):
    """Requests that conditions leave."""

    def check(self, wanted: HTTPMatch, *others: HTTPMatch) -> None:
        """Find one, and ask the conditions that serve."""
        request = found(wanted, *others)
        assert request is not None, (wanted, others)
        self.assertTrue(holds(wanted, request), request)  # type: ignore[arg-type]
        self.assertFalse(any(holds(each, request) for each in others), request)  # type: ignore[arg-type]

    def test_there(self) -> None:
        """Each part of a request may be what makes the difference."""
        for wanted, other in (
            (HTTPMatch(StringMatch(Kind.PREFIX, "/a")), HTTPMatch(exact("/a"))),
            (HTTPMatch(), HTTPMatch(method=exact("GET"))),
            (HTTPMatch(), HTTPMatch(headers=(("x-a", PRESENT),))),
            (HTTPMatch(headers=(("x-a", PRESENT),)), HTTPMatch(headers=(("x-a", exact("")),))),
            (HTTPMatch(), HTTPMatch(without_headers=(("x-a", exact("v")),))),
            (
                HTTPMatch(headers=(("cookie", StringMatch(Kind.PREFIX, "a")),)),
                HTTPMatch(headers=(("cookie", exact("a")),)),
            ),
            (HTTPMatch(query_params=(("q", PRESENT),)), HTTPMatch(query_params=(("q", exact("1")),))),
            (HTTPMatch(headers=((":path", exact("/a?b=c")),)), HTTPMatch(query_params=(("b", exact("d")),))),
            (HTTPMatch(StringMatch(Kind.REGEX, "/[ab]+")), HTTPMatch(StringMatch(Kind.REGEX, "/a+|/b+"))),
        ):
            self.check(wanted, other)

    def test_not_there(self) -> None:
        """That there is none is a proof."""
        for wanted, *others in (
            (HTTPMatch(exact("/a")), HTTPMatch(StringMatch(Kind.PREFIX, "/a"))),
            (HTTPMatch(port=81),),
            (HTTPMatch(method=exact("get")),),
            (HTTPMatch(headers=((":method", exact("GET")),), method=exact("PUT")),),
            (HTTPMatch(headers=(("x-a", exact("v")),), without_headers=(("x-a", PRESENT),)),),
            (HTTPMatch(query_params=(("a&b", PRESENT),)),),
            (HTTPMatch(StringMatch(Kind.REGEX, "/a+")), HTTPMatch(StringMatch(Kind.REGEX, "/[ab]+"))),
        ):
            self.assertIsNone(found(wanted, *others), wanted)

    def test_not_decided(self) -> None:
        """What is not understood is no proof of anything."""
        greek = HTTPMatch(StringMatch(Kind.REGEX, r"/\p{Greek}+"))
        self.assertRaises(TooMuch, found, greek, HTTPMatch(StringMatch(Kind.REGEX, r"/[\p{Greek}]+")))
