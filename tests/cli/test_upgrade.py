"""Tests of L{edgegate.cli.upgrade}; a gateway is upgraded in tests/acceptance/test_new_version."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.admin_client import Admin, Answer
from edgegate.cli.upgrade import PATIENCE, tell_to_upgrade
from edgegate.model.addresses import TCPAddress
from edgegate.server.upgrade import LONGEST_START


class UpgradeTests(SynchronousTestCase):
    """What the command asks and says."""

    def ask(self, code: int, text: str) -> tuple[bool, str, str]:
        """Run the command, the gateway answers this; return whether it could be done, and what was printed."""

        def answer(admin: Admin, method: str, path: str) -> Answer:
            self.assertEqual((method, path), ("POST", "/upgrade"))
            return Answer(code, text, "a gateway")

        with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
            done = tell_to_upgrade(Admin(TCPAddress("127.0.0.1", 1)), answer)
        return done, out.getvalue(), err.getvalue()

    def test_upgraded(self) -> None:
        """What the gateway says is printed."""
        self.assertEqual(self.ask(200, "upgraded: pid 2\n"), (True, "upgraded: pid 2\n", ""))

    def test_failed(self) -> None:
        """So is why it could not."""
        self.assertEqual(self.ask(422, "upgrade failed: no\nno\n"), (False, "", "upgrade failed: no\nno\n"))

    def test_patience(self) -> None:
        """It waits for longer than the gateway does."""
        self.assertGreater(PATIENCE, LONGEST_START + 5)
