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
        return CliRunner().invoke(certs, ["--dir", str(self.folder), *arguments])

    def test_says_what_it_made(self) -> None:
        """One line for each certificate: those that were asked for and their authority, nothing of the demo's."""
        result = self.ask("a.example", "b.example,*.b.example", "--client", "alice")
        self.assertEqual(result.exit_code, 0, result.output)
        said = [line.partition(", valid until 20")[0] for line in result.output.splitlines()]
        self.assertEqual(
            said,
            [
                f"made {self.folder / 'ca.crt'}: authority",
                f"made {self.folder / 'a.example.crt'}: server a.example",
                f"made {self.folder / 'b.example.crt'}: server b.example, *.b.example",
                f"made {self.folder / 'alice.crt'}: client alice",
            ],
        )
        self.assertEqual(len(list(self.folder.iterdir())), 8)

    def test_default_folder(self) -> None:
        """Without a folder they are put where the examples look for them."""
        runner = CliRunner()
        with runner.isolated_filesystem():
            self.assertEqual(runner.invoke(certs, ["a.example"]).exit_code, 0)
            self.assertTrue(Path("certs/a.example.crt").exists())

    def test_nothing_asked(self) -> None:
        """Without a name there is nothing to make, and the demo is there for who wants that."""
        result = self.ask()
        self.assertEqual(result.exit_code, 2)
        self.assertIn("--demo", result.output)
        self.assertFalse(self.folder.exists())

    def test_a_folder_for_a_name(self) -> None:
        """Who names the folder as if it were a host is told how a folder is named."""
        result = CliRunner().invoke(certs, ["etc/certs"])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("a folder is named by --dir", result.output)

    def test_says_what_it_kept(self) -> None:
        """A second run keeps everything and ends well, so a script may always call it."""
        self.ask("a.example")
        result = self.ask("a.example")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertTrue(all(line.startswith("kept ") for line in result.output.splitlines()), result.output)

    def test_force(self) -> None:
        """--force replaces them."""
        self.ask("a.example")
        result = self.ask("a.example", "--force")
        self.assertTrue(all(line.startswith("made ") for line in result.output.splitlines()), result.output)

    def test_refusal(self) -> None:
        """What can't be kept is a message, not a traceback."""
        self.folder.mkdir()
        (self.folder / "ca.crt").write_text("my own notes")
        result = self.ask("a.example")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("--force", result.output)
        self.assertEqual((self.folder / "ca.crt").read_text(), "my own notes")

    def test_unwritable(self) -> None:
        """A folder that can't be made is a message, too."""
        self.folder.write_text("a file")
        result = CliRunner().invoke(certs, ["a.example", "--dir", str(self.folder / "below")])
        self.assertEqual(result.exit_code, 1)
        self.assertIn("Error: ", result.output)

    def test_demo(self) -> None:
        """The demo's are made on request, and others with them."""
        result = self.ask("--demo", "a.example")
        self.assertEqual(result.exit_code, 0, result.output)
        for name in ("a.example", "apiserver.istioinaction.io", "client", "stranger", "stranger-ca"):
            self.assertTrue((self.folder / f"{name}.crt").exists(), name)
