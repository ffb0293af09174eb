"""Tests of L{edgegate.replay.possible_routes}."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.replay.possible_routes import (
    AUTHORITY,
    QUERY,
    PossibleRoutes,
    Unsaid,
    asked_by,
    conditions_on,
    header_subject,
)
from edgegate.routing.matching import condition
from edgegate.routing.snapshot import VirtualHost
from tests.routing.test_matching import Asked
from tests.routing.test_table import matches, requests


def made(*wanted: HTTPMatch, name: str = "") -> HTTPRoute:
    """Return a route."""
    return HTTPRoute(name, Origin("a.yaml", 1, ""), (), wanted)


def nothing(unsaid: Unsaid) -> bool | None:
    """Of nothing that is not known anything can be told."""
    return None


EXACT = StringMatch(Kind.EXACT, "x")
subjects = st.sampled_from([AUTHORITY, QUERY, *map(header_subject, ("x-a", "x-b", "cookie"))])


class PossibleRoutesTests(SynchronousTestCase):
    """Routes of requests of which not all is known."""

    @settings(max_examples=300, deadline=None)
    @given(st.lists(st.lists(matches, max_size=3), max_size=8), requests, st.frozensets(subjects))
    def test_agrees(self, wanted: list[list[HTTPMatch]], asked: Asked, unknown: frozenset[str]) -> None:
        """Once it is told of each condition whether it holds, the route is the one that the gateway takes."""
        routes = tuple(made(*each, name=str(at)) for at, each in enumerate(wanted))
        possible = PossibleRoutes(routes, unknown).find(asked, nothing)

        def holds(unsaid: Unsaid) -> bool:
            check = condition(unsaid.match)
            return check is None or check(asked)

        found = next(route for needed, route in possible if all(map(holds, needed)))
        self.assertIs(found, VirtualHost("*", routes).selector.select(asked))
        self.assertEqual({each.subject for needed, _ in possible for each in needed} - unknown, set())

    def test_known(self) -> None:
        """Where all is known there is one route; where it is none, none."""
        routes = (made(HTTPMatch(uri=StringMatch(Kind.PREFIX, "/a"))),)
        table = PossibleRoutes(routes, frozenset())
        self.assertEqual(table.find(Asked(path=b"/ab"), nothing), ((frozenset(), routes[0]),))
        self.assertEqual(table.find(Asked(path=b"/b"), nothing), ((frozenset(), None),))

    def test_resolved(self) -> None:
        """What a log hints at decides."""
        match = HTTPMatch(headers=(("x-a", EXACT),))
        first, second = made(match), made()
        table = PossibleRoutes((first, second), frozenset((header_subject("x-a"),)))
        unsaid = frozenset((Unsaid(header_subject("x-a"), match),))
        both = (unsaid, first), (frozenset[Unsaid](), second)
        for told, found in ((None, both), (True, ((frozenset(), first),)), (False, both[1:])):
            self.assertEqual(table.find(Asked(), lambda each, told=told: told), found)  # type: ignore[misc]

    def test_subjects(self) -> None:
        """Conditions on the method and the scheme ask about nothing that a log may not tell; others do."""
        match = HTTPMatch(
            method=EXACT,
            scheme=EXACT,
            port=80,
            authority=EXACT,
            headers=((":method", EXACT), (":path", EXACT), ("host", EXACT), ("x-a", EXACT)),
            without_headers=(("x-b", EXACT),),
            query_params=(("q", EXACT),),
        )
        self.assertEqual(
            [subject for subject, _ in conditions_on(match)],
            [AUTHORITY, QUERY, AUTHORITY, header_subject("x-a"), header_subject("x-b"), QUERY],
        )
        plain = replace(match, authority=None, headers=match.headers[:1], without_headers=(), query_params=())
        self.assertEqual(asked_by([made(plain)]), frozenset())
