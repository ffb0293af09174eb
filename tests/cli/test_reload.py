"""Tests of L{edgegate.cli.reload}; a gateway is asked in tests/acceptance/test_looking."""

from __future__ import annotations

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli import reload as module
from edgegate.cli.reload import reload
from edgegate.routing.snapshot import Address, TCPAddress


class ReloadTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def ask(self, status: int, text: str) -> Result:
        """Run the command; the gateway answers this."""
        self.asked: list[tuple[Address, str, str]] = []

        def answer(address: Address, method: str, path: str) -> tuple[int, str]:
            self.asked.append((address, method, path))
            return status, text

        self.patch(module, "ask", answer)
        return CliRunner().invoke(reload, ["--admin", "127.0.0.1:1"])

    def test_installed(self) -> None:
        """What changed is printed."""
        result = self.ask(200, "installed\nlistener added\n")
        self.assertEqual((result.exit_code, result.output), (0, "installed\nlistener added\n"))
        self.assertEqual(self.asked, [(TCPAddress("127.0.0.1", 1), "POST", "/reload")])

    def test_refused(self) -> None:
        """Files that are refused are a failure."""
        result = self.ask(422, "refused\na.yaml:1:1: error: no\n")
        self.assertEqual((result.exit_code, result.output), (1, "refused\na.yaml:1:1: error: no\n"))
