"""Tests of L{edgegate.cli.reload}; a gateway is asked in tests/acceptance/test_looking."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.admin_client import Admin, Answer
from edgegate.cli.reload import tell_to_reload
from edgegate.model.addresses import TCPAddress


class ReloadTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def ask(self, status: int, text: str) -> tuple[int, str]:
        """Run the command, the gateway answers this; return its exit status and what it printed."""
        self.asked: list[tuple[Admin, str, str]] = []

        def answer(admin: Admin, method: str, path: str) -> Answer:
            self.asked.append((admin, method, path))
            return Answer(status, text, "a gateway")

        with redirect_stdout(StringIO()) as out:
            return tell_to_reload(Admin(TCPAddress("127.0.0.1", 1)), answer), out.getvalue()

    def test_installed(self) -> None:
        """What changed is printed."""
        self.assertEqual(self.ask(200, "installed\nlistener added\n"), (0, "installed\nlistener added\n"))
        self.assertEqual(self.asked, [(Admin(TCPAddress("127.0.0.1", 1)), "POST", "/reload")])

    def test_refused(self) -> None:
        """Files that are refused are a failure."""
        self.assertEqual(self.ask(422, "refused\na.yaml:1:1: error: no\n"), (1, "refused\na.yaml:1:1: error: no\n"))
