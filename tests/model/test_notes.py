"""Tests of L{edgegate.model.notes}."""

from __future__ import annotations

import pickle
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import HTTPMatch
from edgegate.model.notes import Cause, LeftOut, Notes, RouteNote
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute

ITEM, MATCH, OBJECT = (Origin("a.yaml", line, "VirtualService default/a") for line in (9, 10, 1))


class NotesTests(SynchronousTestCase):
    """What is noted beside a Snapshot."""

    def test_routes(self) -> None:
        """A route is found by itself, not by what it is equal to."""
        route = HTTPRoute("a", ITEM, (), (HTTPMatch(port=80),))
        note = RouteNote((MATCH,), OBJECT)
        notes = Notes()
        notes.keep(route, note)
        self.assertIs(notes.of(route), note)
        self.assertEqual(notes.of(replace(route)), RouteNote((ITEM,), ITEM))

    def test_unknown(self) -> None:
        """Of a route of which nothing was noted each match is where the route is."""
        notes = Notes()
        self.assertEqual(notes.of(HTTPRoute("a", ITEM, ())), RouteNote((ITEM,), ITEM))
        two = HTTPRoute("a", ITEM, (), (HTTPMatch(port=80), HTTPMatch(port=81)))
        self.assertEqual(notes.of(two), RouteNote((ITEM, ITEM), ITEM))

    def test_left_out(self) -> None:
        """What is left out is told once, in order."""
        first, second = (LeftOut(Cause.PORT, MATCH, ("a.example",), port, "why") for port in (80, 81))
        notes = Notes()
        for each in (first, second, first):
            notes.leave_out(each)
        self.assertEqual(notes.left_out, (first, second))

    def test_pickled(self) -> None:
        """Together with its routes it goes to another process."""
        route = HTTPRoute("a", ITEM, (), (HTTPMatch(port=80),))
        left = LeftOut(Cause.PORT, MATCH, ("a.example",), 80, "why")
        notes = Notes([left], [(route, RouteNote((MATCH,), OBJECT))])
        there, other = pickle.loads(pickle.dumps((notes, route)))
        self.assertEqual(there.of(other).matches, (MATCH,))
        self.assertEqual(there.left_out, (left,))
