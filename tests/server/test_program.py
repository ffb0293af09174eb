"""Tests of L{edgegate.server.program}."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.net.channel import JSON, Channel, pair
from edgegate.server import program
from edgegate.server.handover import VARIABLE
from edgegate.server.program import Program, command, environment, fresh_python

PYTHON = "/opt/v1/bin/python3"


class FreshPythonTests(SynchronousTestCase):
    """Another process that runs a statement."""

    def test_run(self) -> None:
        """It has the modules of this one, and none that lies in the current folder."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "edgegate.py").write_text("raise SystemExit('another one')")
        words, variables = fresh_python("import edgegate.server.program as found; print(found.__file__)")
        said = subprocess.run(words, env=variables, cwd=folder, stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertEqual(said.strip(), program.__file__)


class CommandTests(SynchronousTestCase):
    """How a process is started again."""

    def script(self, first: str, mode: int = 0o755) -> str:
        """Make a script."""
        path = Path(self.mktemp())
        path.write_text(f"{first}\n")
        path.chmod(mode)
        return str(path)

    def test_script(self) -> None:
        """A script that its own first line started is started by it again, with whichever Python that names then."""
        for first in (f"#!{PYTHON}", f"#! {PYTHON} ", f"#!{PYTHON} -E"):
            script = self.script(first)
            self.assertEqual(command([PYTHON, script, "-n"], PYTHON), (script, "-n"))

    def test_python(self) -> None:
        """Everything else is started by the Python that it has."""
        scripts = [
            self.script("#!/usr/bin/python3"),
            self.script("print()"),
            self.script(f"#!{PYTHON}", 0o644),
            self.mktemp(),
        ]
        for arguments in (["-m", "twisted"], ["-c", "x"], [], *([each, "-n"] for each in scripts)):
            self.assertEqual(command(["python", *arguments], PYTHON), (PYTHON, *arguments))

    def test_environment(self) -> None:
        """It is that of this process, but for what is this one's alone."""
        before = {"A": "1", "WATCHDOG_PID": "5", "WATCHDOG_USEC": "6", VARIABLE: "9"}
        self.assertEqual(environment(before), {"A": "1", "WATCHDOG_USEC": "6", VARIABLE: "3"})


class LaunchTests(TestCase):
    """Real processes."""

    async def launch(self, code: str, folder: str = ".") -> tuple[str, list[str], Channel]:
        """Run code in a new process to its end; return how that was, what it said, and the channel to it."""
        ours, theirs = pair()
        channel = Channel(ours, codec=JSON)
        self.addCleanup(channel.close)
        ended: Deferred[str] = Deferred()
        program = Program((sys.executable, "-c", code), folder)
        launched = program.launch(reactor, theirs.fileno(), ended.callback)  # type: ignore[arg-type]
        theirs.close()
        return await ended, launched.said(), channel

    async def test_ends(self) -> None:
        """How it ended is told with its last lines."""
        code = "import sys\nfor number in range(100): print(number, file=sys.stderr)\nsys.exit(78)"
        how, said, _ = await self.launch(code)
        self.assertEqual((how, said), ("it ended with status 78", [str(number) for number in range(80, 100)]))
        self.assertEqual((await self.launch("import os; os.kill(os.getpid(), 9)"))[0], "it was killed by signal 9")
        self.assertEqual((await self.launch("pass"))[:2], ("", []))

    def folder(self) -> str:
        """Make a folder."""
        path = Path(self.mktemp()).resolve()
        path.mkdir()
        return str(path)

    async def test_channel(self) -> None:
        """It has the channel, and works where this process was started."""
        code = (
            "import os, socket\nfrom edgegate.net.channel import JSON, Channel\n"
            f"channel = Channel(socket.socket(fileno=int(os.environ['{VARIABLE}'])), codec=JSON)\n"
            "channel.send(os.getcwd())"
        )
        folder = self.folder()
        path, before = os.pathsep.join(filter(None, sys.path)), os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = path
        self.addCleanup(os.environ.pop if before is None else os.environ.__setitem__, "PYTHONPATH", before)
        how, said, channel = await self.launch(code, folder)
        self.assertEqual((how, said), ("", []))
        self.assertEqual([received.value for received in channel.receive()], [folder])

    async def test_no_fork(self) -> None:
        """It is no fork of this process first, which would hold the connections that this one closes meanwhile."""
        forks: list[None] = []
        os.register_at_fork(before=lambda: forks.append(None))
        before = Path.cwd()
        for folder in (".", self.folder()):
            await self.launch("pass", folder)
        self.assertEqual((forks, Path.cwd()), ([], before))

    async def test_no_folder(self) -> None:
        """A folder that is gone is an error."""
        with self.assertRaises(OSError):
            await self.launch("pass", self.mktemp())

    def test_this(self) -> None:
        """This process was started somehow."""
        program = Program.of_this_process()
        self.assertEqual(program.folder, os.getcwd())  # noqa: PTH109
        self.assertTrue(program.command[0])
