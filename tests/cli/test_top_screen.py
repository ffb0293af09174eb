"""Tests of L{edgegate.cli.top_screen}; in a terminal it is tried in tests/acceptance/test_live."""

from __future__ import annotations

from io import StringIO
from typing import Any

import click
from rich.console import Console
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.top_screen import Screen, StreamProtocol
from tests.cli.test_top_table import tables


class ScreenTests(SynchronousTestCase):
    """What is painted."""

    def setUp(self) -> None:
        """Have a screen with something on it."""
        self.screen = Screen("route", "rps")
        self.screen.tables = tables()

    def painted(self) -> str:
        """Return it as text."""
        out = StringIO()
        Console(file=out, width=160, height=30).print(self.screen.painted())
        return out.getvalue()

    def test_painted(self) -> None:
        """It has the gateway, the rows, how many more there are, and the keys."""
        text = self.painted()
        for words in ("edgegate 1  serving", "shop.example", "cart", "4.0%", "and 7 more", "q ends"):
            self.assertIn(words, text)

    def test_keys(self) -> None:
        """Keys choose what rows are of, which are first, and hold; only another sort asks anew."""
        self.assertFalse(self.screen.press("4"))
        self.assertIn("10.0.0.1:80", self.painted())
        self.assertEqual([self.screen.press(key) for key in "reEx"], [False, True, False, False])
        self.assertEqual((self.screen.by, self.screen.sort), ("endpoint", "errors"))
        self.screen.press(" ")
        self.assertIn("held", self.painted())
        self.screen.press(" ")
        self.assertNotIn("held", self.painted())

    def test_lost(self) -> None:
        """It says why nothing comes, and shows what came last."""
        self.screen.lost = "the gateway has gone"
        self.assertIn("the gateway has gone", self.painted())
        self.assertIn("cart", self.painted())


class StreamTests(SynchronousTestCase):
    """What comes from a gateway."""

    def setUp(self) -> None:
        """Connect."""
        self.taken: list[tuple[str, dict[str, Any]]] = []
        self.stream = StreamProtocol(lambda *event: self.taken.append(event))
        self.transport = StringTransport()
        self.stream.makeConnection(self.transport)

    def test_events(self) -> None:
        """Events are taken until the end."""
        self.stream.dataReceived(b'data: {"a":1}\n\ndata')
        self.assertEqual(self.taken, [("message", {"a": 1})])
        self.stream.connectionLost(Failure(ConnectionDone()))
        self.assertIsNone(self.successResultOf(self.stream.over))

    def test_bad(self) -> None:
        """What is no event ends it, with words for a user."""
        self.stream.dataReceived(b"data: nonsense\n\n")
        self.stream.dataReceived(b'data: {"a":1}\n\n')
        self.assertEqual((self.taken, self.transport.disconnecting), ([], True))
        self.stream.connectionLost(Failure(ConnectionDone()))
        self.failureResultOf(self.stream.over, click.ClickException)
