"""Tests of L{edgegate.cli.diff}."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import click
from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.diff import TroubleCommand, diff
from tests.cli.test_proxy_config import FILES as GATEWAY
from tests.diff.test_revisions import repository

FILES = f"""\
{GATEWAY}---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: all}}
spec: {{hosts: [a.example], gateways: [gw], http: [{{directResponse: {{status: 200}}}}]}}
"""
OTHER = FILES.replace("status: 200", "status: 201")
RENAMED = FILES.replace("name: all", "name: everything")


class DiffTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        """Make two folders."""
        self.folders = [Path(self.mktemp()), Path(self.mktemp())]
        for folder in self.folders:
            folder.mkdir()

    def ask(self, old: str, new: str, *arguments: str) -> Result:
        """Compare two texts."""
        for folder, text in zip(self.folders, (old, new), strict=True):
            (folder / "gateway.yaml").write_text(text)
        return CliRunner().invoke(diff, [*map(str, self.folders), *arguments])

    def test_equal(self) -> None:
        """Nothing that changes is 0."""
        result = self.ask(FILES, RENAMED)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertRegex(result.output, r"^\S+ -> \S+: no change of behaviour \(proved\)\n$")

    def test_differs(self) -> None:
        """A change is 1, and is shown."""
        result = self.ask(FILES, OTHER)
        self.assertEqual(result.exit_code, 1, result.output)
        self.assertIn("answer status 200 -> answer status 201", result.output.replace("\n", " "))

    def test_trouble(self) -> None:
        """Files with errors are 2: the problems are told of the side that has them."""
        result = self.ask(FILES, FILES.replace("servers", "bogus"))
        self.assertEqual(result.exit_code, 2)
        self.assertIn(f"{self.folders[1]} can't be compared", result.output)
        self.assertEqual(CliRunner().invoke(diff, ["/nowhere", str(self.folders[0])]).exit_code, 2)

    def test_unexpected(self) -> None:
        """What goes wrong unexpectedly is no change: it is 2, whatever it is."""
        for error in (ValueError("odd"), RecursionError(), click.ClickException("odd")):

            @click.command(cls=TroubleCommand)
            def fail(error: Exception = error) -> None:
                raise error

            with contextlib.redirect_stderr(io.StringIO()):
                self.assertEqual(CliRunner().invoke(fail, []).exit_code, 2)
        self.assertIsInstance(diff, TroubleCommand)

    def test_outputs(self) -> None:
        """It is told to programs and to pull requests, too."""
        self.assertEqual(json.loads(self.ask(FILES, OTHER, "-o", "json").output)["verdict"], "differs")
        self.assertIn("### edgegate diff: 1 change of behaviour", self.ask(FILES, OTHER, "-o", "markdown").output)

    def test_undecided(self) -> None:
        """What can't be decided is told, and is 1 where that is asked for."""
        asked = "http: [{match: [{uri: {regex: '/%s'}}], directResponse: {status: 200}}]"
        answer = "http: [{directResponse: {status: 200}}]"
        old, new = (FILES.replace(answer, asked % each) for each in (r"\p{Greek}+", r"[\p{Greek}]+"))
        result = self.ask(old, new)
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertIn("1 not decided", result.output)
        self.assertNotIn("proved", result.output)
        self.assertEqual(self.ask(old, new, "--strict").exit_code, 1)

    def test_options(self) -> None:
        """Files are taken as the gateway takes them."""
        result = self.ask(FILES, OTHER, "--map-port", "80:8080")
        self.assertIn("::127.0.0.1:8080", result.output)
        self.assertEqual(self.ask(GATEWAY, GATEWAY, "--selector", "istio=none").exit_code, 0)

    def test_usage(self) -> None:
        """What is not named is asked for."""
        folder = str(self.folders[0])
        for arguments, words in (
            ((), "expected OLD and NEW, got 0"),
            ((folder,), "expected OLD and NEW, got 1"),
            ((folder, folder, "--git", "HEAD"), "expected one folder or file, got 2"),
            ((folder, "--git", "HEAD", "--admin", "127.0.0.1:1"), "give one of them"),
            (("-", "-"), "only one of both can be standard input"),
            ((folder, ""), "a name is empty"),
            (("-", "--git", "HEAD"), "--git compares one folder"),
            ((folder, *("--git", "a") * 3), "--git compares one folder"),
        ):
            result = CliRunner().invoke(diff, arguments)
            self.assertEqual(result.exit_code, 2, arguments)
            self.assertIn(words, result.output)

    def test_standard_input(self) -> None:
        """One side may be standard input."""
        (self.folders[0] / "a.yaml").write_text(FILES)
        result = CliRunner().invoke(diff, [str(self.folders[0]), "-"], input=RENAMED)
        self.assertEqual(result.exit_code, 0, result.output)


class RevisionTests(SynchronousTestCase):
    """Revisions of one folder."""

    def test_revisions(self) -> None:
        """One is compared with what is there now, two with each other."""
        folder = repository(self.mktemp(), FILES, OTHER)
        (folder / "a.yaml").write_text(RENAMED)
        for arguments, status in (
            (("--git", "v1"), 0),
            (("--git", "HEAD"), 1),
            (("--git", "v1", "--git", "HEAD"), 1),
            (("--git", "v1..HEAD"), 1),
            (("--git", "v1.."), 1),
            (("--git", "HEAD...v1"), 0),
            (("--git", "v1...HEAD"), 1),
            (("--git", "v2"), 2),
        ):
            result = CliRunner().invoke(diff, [str(folder), *arguments])
            self.assertEqual(result.exit_code, status, (arguments, result.output))
        result = CliRunner().invoke(diff, [str(folder), "--git", "v1"])
        self.assertIn(f"{folder} (v1) -> {folder}: no change", result.output)
