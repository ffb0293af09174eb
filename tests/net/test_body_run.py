"""Tests of L{edgegate.net.body_run}; its kinds have their own."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.body_run import BodyRun


class Over:
    """Writes down that a run is over."""

    def __init__(self) -> None:
        self.told = 0

    def run_over(self) -> None:
        self.told += 1


class Idle(BodyRun):
    """A run that never moves anything."""

    def fill(self) -> bool:
        return False

    def empty(self) -> bool:
        return True


class BodyRunTests(SynchronousTestCase):
    """What all runs share."""

    def test_abstract(self) -> None:
        """How bytes are moved is for each kind to say."""
        with self.assertRaises(TypeError):
            BodyRun(None, None, 1, print)  # type: ignore[abstract, arg-type]

    def test_stop(self) -> None:
        """Both streams are told, once."""
        source: Any = Over()
        sink: Any = Over()
        run = Idle(source, sink, 7, lambda _: None)
        self.assertEqual((run.left, run.sink), (7, sink))
        run.stop()
        self.assertEqual((source.told, sink.told), (1, 1))
