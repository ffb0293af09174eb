"""Tests of L{edgegate.cli.completion}."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

from click.shell_completion import ShellComplete
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.completion import NAME, SHELLS, VARIABLE
from edgegate.cli.main import COMMANDS, main


class ScriptTests(SynchronousTestCase):
    """What is printed."""

    def test_shells(self) -> None:
        """For each shell it is a script that asks the command, by the variable that the command looks for."""
        for shell in SHELLS:
            result = CliRunner().invoke(main, ["completion", shell])
            self.assertEqual(result.exit_code, 0, result.output)
            self.assertIn(f"{VARIABLE}={shell}_complete", result.output)
        self.assertEqual(VARIABLE, f"_{NAME}_complete".upper())

    def test_unknown(self) -> None:
        """A shell that nobody knows is refused."""
        result = CliRunner().invoke(main, ["completion", "csh"])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("is not one of 'bash', 'zsh', 'fish'", result.output)


class WordTests(SynchronousTestCase):
    """What can come next."""

    def complete(self, *words: str) -> list[str]:
        """Return what can stand in place of the last word; of files, that they are."""
        found = ShellComplete(main, {}, NAME, VARIABLE).get_completions([*words[:-1]], words[-1])
        return [each.value if each.type == "plain" else each.type for each in found]

    def test_commands(self) -> None:
        """The commands, by how they begin."""
        self.assertEqual(self.complete(""), sorted(COMMANDS))
        self.assertEqual(self.complete("proxy"), ["proxy-config"])
        self.assertEqual(self.complete("--v"), ["--version"])

    def test_within(self) -> None:
        """Options of a command, words that an option takes, kinds, views, shells, files."""
        self.assertEqual(self.complete("drain", "--st"), ["--status"])
        self.assertEqual(self.complete("proxy-config", "--output", "y"), ["yaml"])
        self.assertEqual(self.complete("proxy-config", "li"), ["listeners"])
        self.assertEqual(self.complete("schema", "Vir"), ["VirtualService"])
        self.assertEqual(self.complete("completion", ""), [*SHELLS])

    def test_files(self) -> None:
        """What a command calls a file or a folder is completed as one; of a port that is mapped nothing is known."""
        for words in (
            ("check", "e"),
            ("test", "one.yaml", "t"),
            ("test", "--config", "e"),
            ("test", "--junit", "e"),
            ("proxy-config", "--config", "e"),
            ("diff", "old", "n"),
            ("schema", "--into", "e"),
            ("drain", "--admin", "/run"),
            ("drain", "--admin-token-file", "/run"),
        ):
            self.assertIn(self.complete(*words), (["file"], ["dir"]), words)
        self.assertEqual(self.complete("check", "--map-port", "8"), [])

    def test_loaded(self) -> None:
        """Where the name of a command is completed, none is loaded: that takes many times as long."""
        code = """
import sys
from click.shell_completion import ShellComplete
from edgegate.cli.main import main
ShellComplete(main, {}, "edgegate", "_EDGEGATE_COMPLETE").get_completions([], "")
print([name for name in sys.modules if name.startswith("edgegate.cli.")])
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(done.stdout, "['edgegate.cli.main']\n")


class BashTests(SynchronousTestCase):
    """A bash that somebody types into."""

    def setUp(self) -> None:
        """Start it on a terminal, in a folder with a folder."""
        folder = Path(self.mktemp())
        (folder / "shopfront").mkdir(parents=True)
        self.terminal, its = os.openpty()
        self.addCleanup(os.close, self.terminal)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            cwd=folder,
            env={**os.environ, "PATH": path, "PS1": "ready> ", "TERM": "dumb", "INPUTRC": "/dev/null"},
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        self.addCleanup(bash.wait)
        self.addCleanup(bash.kill)
        self.read()
        self.type("source <(edgegate completion bash)\n")

    def read(self) -> str:
        """Return what is shown until bash is ready again."""
        shown = b""
        while not shown.endswith(b"ready> "):
            self.assertTrue(select.select([self.terminal], [], [], 60)[0], shown)
            shown += os.read(self.terminal, 65536)
        return shown.decode()

    def type(self, keys: str) -> str:
        """Type a line, and return what is shown of it and of what it does."""
        os.write(self.terminal, keys.encode())
        return self.read()

    def test_tab(self) -> None:
        """The key completes a command and what follows it: here a kind, and a folder."""
        shown = self.type("edgegate sch\tVirt\t| head -3\n")
        self.assertIn("edgegate schema VirtualService | head -3", shown)
        self.assertIn('"title": "VirtualService"', shown)
        self.assertIn("edgegate check shopfront/ ", self.type("edgegate che\tsho\t --help | head -1\n"))
