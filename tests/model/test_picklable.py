"""Tests of L{edgegate.model.picklable}; whole Snapshots are pickled in tests.istio.translate.test_pickling."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

from twisted.trial.unittest import SynchronousTestCase

import edgegate.model
from edgegate.model.addresses import TCPAddress
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.picklable import Picklable

ROOT = Path(__file__).parents[2]

ELSEWHERE = {"cel", "diagnostics", "match_parts", "notes", "servers", "syslog", "translation"}
"""Modules of values that are in no Snapshot: on their way to one, or made of a text that is in it."""


def values() -> Iterator[type]:
    """Yield all classes that the values in a Snapshot may have."""
    names = [each.name for each in walk_packages(edgegate.model.__path__, "edgegate.model.") if not each.ispkg]
    for name in (*names, "edgegate.routing.snapshot"):
        if name.rpartition(".")[2] not in ELSEWHERE:
            for each in vars(import_module(name)).values():
                if isinstance(each, type) and each.__module__ == name and is_dataclass(each):
                    yield each


class PicklableTests(SynchronousTestCase):
    """Values in other processes."""

    def test_again(self) -> None:
        """A value is made again of what it was made of, with all that follows from that."""
        changes = HeaderChanges((b"x-a",), ((b"x-b", Template.parse("b")),))
        for value in (TCPAddress("::1", 80), changes):
            again = pickle.loads(pickle.dumps(value))
            self.assertEqual(again, value)
            self.assertIs(type(again), type(value))
        self.assertEqual((again.names, again.static), (changes.names, True))

    def test_all(self) -> None:
        """Every value that a Snapshot may hold is one: compiled it could not be unpickled otherwise."""
        found = list(values())
        self.assertGreater(len(found), 40)
        self.assertEqual([each.__qualname__ for each in found if not issubclass(each, Picklable)], [])

    def test_compiled_together(self) -> None:
        """Modules of values are compiled, as the base is: a class that is not can't have a compiled base."""
        for name in {each.__module__ for each in values()}:
            source = Path(ROOT, *name.split(".")).with_suffix(".py").read_text()
            self.assertTrue(source.startswith(("# Hot path: ", "# Compiled: ")), name)
