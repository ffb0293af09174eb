"""Tests of L{edgegate.cli.live_query}."""

from __future__ import annotations

import click
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.stream_page import MOST_ROWS as MOST
from edgegate.admin.live.view import SORTS as KNOWN
from edgegate.cli.live_query import MOST_ROWS, SORTS, check, path_of


class QueryTests(SynchronousTestCase):
    """What is asked, and what is no answer."""

    def test_path(self) -> None:
        """A filter may have any characters; without C{--once} the stream goes on."""
        self.assertEqual(path_of("rps", "", 50), "/stream?sort=rps&top=50&filter=")
        self.assertEqual(path_of("p99", "a b&c", 7, True), "/stream?sort=p99&top=7&filter=a%20b%26c&once=1")

    def test_same(self) -> None:
        """What can be asked for is what the gateway knows."""
        self.assertEqual((SORTS, MOST_ROWS), (KNOWN, MOST))

    def test_check(self) -> None:
        """An older gateway is told from one that is asked too much."""
        check(200, "")
        self.assertIn("older", self.assertRaises(click.ClickException, check, 404, "").message)
        self.assertIn("503: 8 look", self.assertRaises(click.ClickException, check, 503, "8 look\n").message)
