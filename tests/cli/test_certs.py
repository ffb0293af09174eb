"""Tests for C{edgegate certs}."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.certs import certs


class CertsTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())

    def ask(self, *arguments: str) -> Result:
        """Run the command."""
        return CliRunner().invoke(certs, [str(self.folder), *arguments])

    def test_says_what_it_made(self) -> None:
        """One line for each certificate."""
        result = self.ask("--host", "a.example", "--host", "b.example")
        self.assertEqual(result.exit_code, 0, result.output)
        lines = result.output.splitlines()
        self.assertEqual(len(lines), 5)
        self.assertIn(f"made {self.folder / 'b.example.crt'}: server b.example, valid until 20", lines[2])

    def test_says_what_it_kept(self) -> None:
        """A second run keeps everything and ends well, so a script may always call it."""
        self.ask("--host", "a.example")
        result = self.ask("--host", "a.example")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertTrue(all(line.startswith("kept ") for line in result.output.splitlines()), result.output)

    def test_force(self) -> None:
        """--force replaces them."""
        self.ask("--host", "a.example")
        result = self.ask("--host", "a.example", "--force")
        self.assertTrue(all(line.startswith("made ") for line in result.output.splitlines()), result.output)

    def test_refusal(self) -> None:
        """What can't be kept is a message, not a traceback."""
        self.folder.mkdir()
        (self.folder / "ca.crt").write_text("my own notes")
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertIn("--force", result.output)
        self.assertEqual((self.folder / "ca.crt").read_text(), "my own notes")

    def test_unwritable(self) -> None:
        """A folder that can't be made is a message, too."""
        self.folder.write_text("a file")
        result = CliRunner().invoke(certs, [str(self.folder / "below")])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("Error: ", result.output)

    def test_default_hosts(self) -> None:
        """The help names the hosts of the chapter."""
        result = self.ask("--help")
        self.assertIn("apiserver.istioinaction.io", result.output)
