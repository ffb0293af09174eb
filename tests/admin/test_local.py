"""Tests of L{edgegate.admin.local}."""

from __future__ import annotations

from twisted.internet import reactor
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.local import rows
from edgegate.admin.tables import COLUMNS
from edgegate.server.data_plane import DataPlane


class RowsTests(SynchronousTestCase):
    """The views of a data plane."""

    def test_views(self) -> None:
        """Every view can be shown, of a gateway that serves nothing, too."""
        plane = DataPlane(reactor)  # type: ignore[arg-type]
        self.addCleanup(plane.stop)
        shown = {view: rows(plane, view) for view in {*COLUMNS, "overload"}}
        self.assertTrue(shown.pop("overload"))
        self.assertEqual(set(map(len, shown.values())), {0})

    def test_unknown(self) -> None:
        """There is no other view."""
        plane = DataPlane(reactor)  # type: ignore[arg-type]
        self.addCleanup(plane.stop)
        self.assertRaises(KeyError, rows, plane, "nothing")
