"""Tests of L{edgegate.cli.replay}."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from subprocess import PIPE, run

import click
from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.replay import replay, trouble
from tests.replay.logged import lines

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec: {servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: cart
    match: [{uri: {prefix: /cart}}]
    directResponse: {status: 200}
  - name: rest
    directResponse: {status: 404}
"""
PROGRAM = "from edgegate.cli.main import main; main()"
NGINX = b"".join(lines("nginx-combined.log")[:2])


class ReplayTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        """Make two folders and a log."""
        self.folder = Path(self.mktemp())
        self.old = self.write("old/shop.yaml", FILES.encode()).parent
        self.new = self.write("new/shop.yaml", FILES.replace("/cart", "/basket").encode()).parent
        self.log = self.write("access.log", NGINX)

    def write(self, name: str, data: bytes) -> Path:
        """Make a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def ask(self, *arguments: object) -> Result:
        """Replay the log, of a host and a port that it does not say."""
        words = [*map(str, arguments), "--host=shop.example", "--port=80", "--jobs=1"]
        return CliRunner().invoke(replay, words)

    def test_otherwise(self) -> None:
        """What would be answered otherwise is told with both routes and places, and the exit status is 1."""
        result = self.ask(self.log, "--config", self.new, "--against", self.old)
        self.assertEqual(result.exit_code, 1, result.output)
        expected = f"""\
1 answered otherwise
  1  answer status 200 (route cart, shop.yaml:13)
     -> answer status 404 (route rest, shop.yaml:16)
        direct status: 200 -> 404
      {self.log}:1: GET http://shop.example/cart?x=1&y=2

{self.log}: 2 lines, combined
2 requests: 1 answered otherwise, 0 perhaps, 1 as before
"""
        self.assertEqual(result.output, expected)

    def test_same(self) -> None:
        """Nothing otherwise is 0."""
        result = self.ask(self.log, "--config", self.old, "--against", self.old)
        self.assertEqual(result.exit_code, 0, result.output)

    def test_log(self) -> None:
        """Without older files the log's own words count, as JSON if that is asked for."""
        result = self.ask(self.log, "--config", self.new, "-o", "json")
        self.assertEqual(result.exit_code, 1, result.output)
        (group,) = json.loads(result.stdout)["groups"]
        self.assertEqual((group["old"]["summary"], group["count"]), ("200", 2))

    def test_standard_input(self) -> None:
        """Standard input can be only one thing."""
        result = self.ask("-", "--config", "-")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("standard input can be only one of", result.output)

    def test_compressed(self) -> None:
        """A log may be compressed."""
        log = self.write("access.log.1.gz", gzip.compress(NGINX))
        result = self.ask(log, "--config", self.old, "--against", self.old)
        self.assertEqual(result.exit_code, 0, result.output)

    def test_strict(self) -> None:
        """What may be otherwise is no failure unless that is asked for."""
        asks = FILES.replace("uri: {prefix: /cart}", "headers: {x-user: {exact: qa}}")
        (self.old / "shop.yaml").write_text(asks)
        (self.new / "shop.yaml").write_text(asks.replace("exact: qa", "exact: qi"))
        arguments = (self.log, "--config", self.new, "--against", self.old)
        self.assertEqual(self.ask(*arguments).exit_code, 0)
        result = self.ask(*arguments, "--strict")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("depends on header x-user", result.output)

    def test_broken_files(self) -> None:
        """Files with an error are told, and nothing is replayed."""
        (self.new / "shop.yaml").write_text(FILES.replace("spec:", "specs:", 1))
        result = self.ask(self.log, "--config", self.new)
        self.assertEqual(result.exit_code, 2)
        self.assertIn("can't be served: nothing was replayed", result.output)

    def test_full(self) -> None:
        """What can't be printed is trouble, too, and no difference."""
        words = [str(self.log), "--config", str(self.old), "--against", str(self.old), "--host=shop.example"]
        command = [sys.executable, "-c", PROGRAM, "replay", *words, "--port=80", "--jobs=1"]
        with Path("/dev/full").open("wb") as full:
            result = run(command, stdout=full, stderr=PIPE, check=False)
        self.assertEqual((result.returncode, result.stderr), (2, b"Error: No space left on device\n"))

    def test_trouble(self) -> None:
        """So is whatever else goes wrong; Ctrl-C has the status that shells give it."""
        for error, status, message in (
            (KeyboardInterrupt(), 130, ""),
            (RuntimeError("what"), 2, "Error: an error of edgegate: RuntimeError: what\n"),
            (click.ClickException("how"), 2, "Error: how\n"),
            (OSError(5, "broken", "a.log"), 2, "Error: a.log: broken\n"),
        ):

            @click.command
            def fails(error: BaseException = error) -> None:
                with trouble():
                    raise error

            result = CliRunner().invoke(fails)
            self.assertEqual((result.exit_code, result.stderr), (status, message), error)

    def test_unreadable(self) -> None:
        """A log that can't be read is told; so is one without any request."""
        result = self.ask(self.folder / "nothere.log", "--config", self.new)
        self.assertEqual((result.exit_code, "No such file" in result.output), (2, True))
        self.log.write_bytes(lines("nginx-combined.log")[5])
        self.assertEqual(self.ask(self.log, "--config", self.new).exit_code, 2)
