"""Tests of L{edgegate.observe.observer}."""

from __future__ import annotations

from typing import get_args

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.access_log import AccessLog
from edgegate.observe.observer import Observer
from edgegate.observe.observers import Observers
from tests.observe.counters import Counters


def events(each: object) -> set[str]:
    """Return the methods of a class for others."""
    return {name for name in vars(each) if not name.startswith("_")}


class ObserverTests(SynchronousTestCase):
    """What an observer can want."""

    def test_events(self) -> None:
        """Each event has one method, and those who tell tell of it by the same one."""
        wanted = [events(each) for each in get_args(Observer)]
        self.assertEqual({len(each) for each in wanted}, {1})
        others = {"begun", "ended", "add", "remove", "tracer", "trace_by"}
        told = {name for name in events(Observers) if not name.startswith("wants_")} - others
        told = {name for name in events(Observers) if not name.startswith("wants_")} - others
        self.assertEqual(set().union(*wanted), told)

    def test_ours(self) -> None:
        """The counters and the access log have no method of another name by mistake."""
        known = {name for each in get_args(Observer) for name in events(each)}
        self.assertEqual(len(events(Counters) & known), 5)
        self.assertEqual(events(AccessLog) - known, {"flush", "use"})
