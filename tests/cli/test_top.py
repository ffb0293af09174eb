"""Tests of L{edgegate.cli.top}; a gateway is looked at in tests/acceptance/test_live."""

from __future__ import annotations

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.admin_client import Admin, Answer
from edgegate.cli.live_query import SORTS
from edgegate.cli.top import look_once, top
from edgegate.model.addresses import TCPAddress

STREAM = (
    'event: full\ndata: {"routes":{"rows":[],"rest":0}}\n\n'
    'event: change\ndata: {"routes":{"rows":[{"id":"a","host":"shop.example","rps":5}],"order":["a"]}}\n\n'
)


class TopTests(SynchronousTestCase):
    """What the command says."""

    def look(self, status: int, text: str) -> str:
        """Look once, the gateway answers this."""
        self.asked: list[str] = []

        def answer(admin: Admin, method: str, path: str) -> Answer:
            self.asked.append(f"{method} {path}")
            return Answer(status, text, "a gateway")

        return look_once(Admin(TCPAddress("127.0.0.1", 1)), "route", "errors", "a b&c", 7, answer)

    def test_once(self) -> None:
        """One table is printed, of what is asked for."""
        self.assertIn("\nshop.example  -      5.0", self.look(200, STREAM))
        self.assertEqual(self.asked, ["GET /stream?sort=errors&top=7&filter=a%20b%26c&once=1"])

    def test_errors(self) -> None:
        """What can't be shown has a reason."""
        for status, text, words in (
            (404, "no such page", "older version"),
            (503, "8 look already\n", "answers 503: 8 look already"),
            (200, "event: full\ndata: {}\n\n", "ended too soon"),
            (200, "data: [\n\n", "can't be read"),
            (200, 'data: {"routes":5}\n\n', "can't be read"),
        ):
            error = self.assertRaises(click.ClickException, self.look, status, text)
            self.assertIn(words, error.message)

    def test_no_terminal(self) -> None:
        """Where there is no terminal nothing is painted."""
        found = CliRunner().invoke(top, [])
        self.assertEqual(found.exit_code, 1)
        self.assertIn("--once prints one table", found.output)

    def test_options(self) -> None:
        """The help has every sort, and a wrong one is an error."""
        shown = CliRunner().invoke(top, ["--help"]).output
        for sort in SORTS:
            self.assertIn(sort, shown)
        self.assertEqual(CliRunner().invoke(top, ["--sort", "best"]).exit_code, 2)
