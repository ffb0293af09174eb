"""The access log of a gateway that runs, followed by C{edgegate log} and by curl."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Sequence
from typing import Any, ClassVar

from tests.acceptance.manifests import EVERY_HOST, GATEWAY, static_service
from tests.acceptance.processes import ENVIRONMENT, PATIENCE, Running, program
from tests.acceptance.served import ServedTestCase

TOKEN = "0123456789abcdef0123456789abcdef"


class LogCase(ServedTestCase):
    """Tests of who follows the log of a gateway."""

    files = {
        "gw.yaml": GATEWAY
        + static_service("web", "web.internal", "one")
        + static_service("gone", "gone.internal", "nowhere")
        + EVERY_HOST
        + """\
  - name: gone
    match: [{uri: {prefix: /gone}}]
    route: [{destination: {host: gone.internal}}]
  - name: web
    route: [{destination: {host: web.internal}}]
""",
        "token": TOKEN,
    }
    dead = ("nowhere",)
    options: ClassVar[Sequence[str]] = ("--admin-token-file=etc/token",)

    def command(self, *options: str, token: str = "etc/token") -> list[str]:
        """Return the command that follows."""
        admin = f"--admin=127.0.0.1:{self.served.ports['admin']}"
        return [program("edgegate"), "log", admin, f"--admin-token-file={token}", *options]

    def follow(self, *options: str) -> Running:
        """Follow the log; return the command, once it does."""
        running = Running(self.command(*options), self.served.folder)
        self.addCleanup(lambda: running.process.poll() is None and running.stop())
        running.says("following the gateway")
        return running

    def refused(self, *options: str, token: str = "etc/token") -> str:
        """Return what is said to who can't follow."""
        ran = subprocess.run(
            self.command("-f", *options, token=token),
            cwd=self.served.folder,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual((ran.returncode, ran.stdout), (1, ""), ran.stderr)
        return ran.stderr

    def lines(self, running: Running) -> list[str]:
        """Return the lines of the log that were shown."""
        return [line for line in running.lines if not line.startswith("following ")]

    def check_filters(self) -> None:
        """Each who follows sees what was asked for as it ends, of all workers, and nothing else, until it is enough."""
        everything = self.follow("-f", "--host", "*.example", "-n", "7")
        gone = self.follow("-f", "--route", "gone", "--status", "5xx", "--flag", "UF,UH")
        successes = self.follow("-n", "4", "--status", "<400", "--host", "b.example", "--json")
        self.ask("/other", host="other.test")
        for number in range(4):
            self.ask(f"/{number}?a=b", host="b.example")
        for number in range(3):
            self.assertEqual(self.ask(f"/gone/{number}", host="a.example").status, 503)
        for running in (everything, successes):
            self.assertEqual(running.ends(), 0)
        gone.says("/gone/2")
        gone.stop()
        self.assertEqual(len(self.lines(everything)), 7)
        self.assertEqual(len(self.lines(gone)), 3)
        for line in self.lines(gone):
            self.assertRegex(line, r'^\[20\S+\] "GET /gone/\d HTTP/1.1" 503 .*UF.* "a.example" .* gone\n$')
        shown = [json.loads(line) for line in self.lines(successes)]
        self.assertEqual(sorted(each["path"] for each in shown), [f"/{number}?a=b" for number in range(4)])
        for each in shown:
            self.assertEqual(without_time(each), without_time(self.logged(each["path"])))


class LogTests(LogCase):
    """One process."""

    def test_filters(self) -> None:
        """What is asked for is shown, and nothing else."""
        self.check_filters()

    def test_ended(self) -> None:
        """Ctrl-C ends it, and so does whoever reads no more."""
        running = self.follow("-f", "--route", "gw.yaml")
        running.process.send_signal(signal.SIGINT)
        self.assertEqual(running.ends(), 0)
        with subprocess.Popen(
            self.command("-f"), cwd=self.served.folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as head:
            assert head.stdout is not None
            assert head.stderr is not None
            self.assertIn(b"following", head.stderr.readline())
            self.ask("/", host="c.example")
            self.assertIn(b'"c.example"', head.stdout.readline())
            head.stdout.close()
            while head.poll() is None:
                self.ask("/", host="c.example")
            self.assertNotIn(b"Traceback", head.stderr.read())

    def test_bad(self) -> None:
        """Who asks for what can't be, or has no right to, is told so."""
        self.assertIn("status: expected 404, 5xx, >=500", self.refused("--status", "teapot"))
        self.assertIn("'UFF' is none of DC, ", self.refused("--flag", "UFF"))
        (self.served.folder / "other").write_text("another-token-that-is-longer")
        self.assertIn("does not take this token", self.refused(token="other"))


class WorkersLogTests(LogCase):
    """Two workers."""

    options = (*LogCase.options, "--workers=2")

    def test_filters(self) -> None:
        """The same, of both."""
        self.check_filters()


def without_time(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line without what is read off a clock more than once."""
    return {name: value for name, value in line.items() if name not in ("duration", "start_time")}
