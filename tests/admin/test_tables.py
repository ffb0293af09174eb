"""Tests of L{edgegate.admin.tables}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.tables import COLUMNS, OPTIONAL, table
from edgegate.admin.views import Row
from tests.admin.test_views import EVERYTHING


class TableTests(SynchronousTestCase):
    """Text."""

    def test_table(self) -> None:
        """Columns are aligned; what there is none of is a dash."""
        rows: list[Row] = [
            {"endpoint": "10.0.0.1:80", "status": None, "outlier_check": None, "cluster": "a", "file": "a.yaml:1"},
            {"endpoint": "b", "status": "HEALTHY", "outlier_check": "OK", "cluster": "", "file": "b.yaml:22"},
        ]
        self.assertEqual(
            table("endpoints", rows),
            "ENDPOINT      STATUS    OUTLIER CHECK   CLUSTER   FILE\n"
            "10.0.0.1:80   -         -               a         a.yaml:1\n"
            "b             HEALTHY   OK              -         b.yaml:22\n",
        )

    def test_kinds_of_values(self) -> None:
        """Lists are joined, and truth has a word."""
        _, line = table("secrets", [{"valid": True, "hosts": ["a", "b"]}]).splitlines()
        self.assertEqual(line.split(), ["-", "-", "-", "true", "a,", "b", "-", "-", "-", "-"])

    def test_optional(self) -> None:
        """Columns that are about few rows are there where one has them."""
        rows: list[Row] = [{"name": "a"}, {"name": "b", "state": "failing", "last_error": "no"}]
        for view in ("secrets", "certs"):
            head, _, line = table(view, rows).splitlines()
            self.assertIn("STATE", head)
            self.assertNotIn("ISSUED BY", head)
            self.assertIn("failing", line)
            self.assertNotIn("STATE", table(view, rows[:1]))

    def test_none(self) -> None:
        """Where there is nothing, that is said."""
        self.assertEqual([table(view, []) for view in COLUMNS][:2], ["no listeners found\n", "no routes found\n"])

    def test_columns(self) -> None:
        """Every column is in the rows of its view."""
        for (view, columns), rows in zip(COLUMNS.items(), EVERYTHING, strict=True):
            for row in rows:
                self.assertLessEqual(set(columns.values()) - OPTIONAL, row.keys(), view)
