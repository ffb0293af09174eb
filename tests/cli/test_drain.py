"""Tests of L{edgegate.cli.drain}; a gateway is drained in tests/acceptance/test_drain."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.admin_client import Admin, Answer
from edgegate.cli.drain import tell_to_drain
from edgegate.model.addresses import TCPAddress


class DrainTests(SynchronousTestCase):
    """What the command asks and says."""

    def ask(self, code: int, text: str, status: bool = False) -> tuple[bool, str, str]:
        """Run the command, the gateway answers this; return whether it could be done, and what was printed."""
        self.asked: list[tuple[str, str]] = []

        def answer(admin: Admin, method: str, path: str) -> Answer:
            self.asked.append((method, path))
            return Answer(code, text, "a gateway")

        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            done = tell_to_drain(Admin(TCPAddress("127.0.0.1", 1)), status, answer)
        return done, out.getvalue(), err.getvalue()

    def test_drain(self) -> None:
        """It is told to, and what it says is printed."""
        self.assertEqual(self.ask(200, "draining, 3 connections\n"), (True, "draining, 3 connections\n", ""))
        self.assertEqual(self.asked, [("POST", "/drain")])

    def test_status(self) -> None:
        """It is only asked."""
        self.assertEqual(self.ask(200, "serving, 3 connections\n", status=True)[0], True)
        self.assertEqual(self.asked, [("GET", "/drain")])

    def test_refused(self) -> None:
        """A gateway that has no such page is a failure."""
        self.assertEqual(self.ask(404, "no such page\n"), (False, "", "no such page\n"))
