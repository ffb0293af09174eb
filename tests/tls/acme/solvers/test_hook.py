"""Tests of L{edgegate.tls.acme.solvers.hook}."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from functools import partial
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import HookCommand
from edgegate.tls.acme.solvers import hook
from edgegate.tls.acme.solvers.hook import MOST_TOLD, Doing, run_hook
from edgegate.tls.acme.solvers.solver import NotAnswered

NAME = "_acme-challenge.example.com"


class HookTests(SynchronousTestCase):
    """Programs, which are shells here."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)
        self.file = self.folder / "file"

    def command(self, script: str, timeout: float = 60.0) -> HookCommand:
        """Return a shell that gets the name of the file."""
        return HookCommand(("/bin/sh", "-c", script, "hook", str(self.file)), timeout)

    def fails(self, command: HookCommand) -> str:
        """Run what fails, and return the words."""
        return str(self.assertRaises(NotAnswered, run_hook, command, Doing.PRESENT, NAME, "value"))

    def assert_ends(self) -> None:
        """Wait until the process has ended whose number is in the file."""
        try:
            descriptor = os.pidfd_open(int(self.file.read_text()))
        except ProcessLookupError:
            return
        self.addCleanup(os.close, descriptor)
        self.assertTrue(select.select([descriptor], [], [], 60)[0])

    def test_environment(self) -> None:
        """It is told what to do by its environment, and nothing that the gateway's supervisor has told the gateway."""
        self.patch(os, "environ", {**os.environ, "NOTIFY_SOCKET": "/run/x", "TOKEN": "t"})
        script = 'env >"$1"; pwd >>"$1"; cat >>"$1"'
        run_hook(self.command(script, 30), Doing.CLEANUP, NAME, "va lue")
        lines = self.file.read_text().splitlines()
        for line in (
            "EDGEGATE_ACTION=cleanup",
            f"EDGEGATE_NAME={NAME}",
            "EDGEGATE_VALUE=va lue",
            "EDGEGATE_TIMEOUT=30",
        ):
            self.assertIn(line, lines)
        self.assertIn("TOKEN=t", lines)
        self.assertEqual(lines[-1], "/")
        self.assertNotIn("NOTIFY_SOCKET", "".join(lines))

    def test_no_shell(self) -> None:
        """What is special to a shell is not to it."""
        run_hook(
            HookCommand(("/bin/sh", "-c", 'echo "$2" >"$1"', "x", str(self.file), "$(id) *")), Doing.PRESENT, NAME, "v"
        )
        self.assertEqual(self.file.read_text(), "$(id) *\n")

    def test_failures(self) -> None:
        """Its status is told, with the last that it has said."""
        start = f"the command /bin/sh (present {NAME}) "
        self.assertEqual(self.fails(self.command("exit 3")), f"{start}ended with status 3")
        self.assertEqual(
            self.fails(self.command("echo one; echo; printf 'two\\033[1m' >&2; exit 1")),
            f"{start}ended with status 1: one; two [1m",
        )
        self.assertEqual(self.fails(self.command("kill -9 $$")), f"{start}was ended by signal 9")
        self.assertIn("can't be run: No such file or directory", self.fails(HookCommand(("/nowhere/hook",))))
        self.file.write_text("#!/bin/sh\n")
        self.assertIn("can't be run: Permission denied", self.fails(HookCommand((str(self.file),))))
        self.assertIn("can't be run: ", self.fails(HookCommand(("a\0b",))))

    def test_megabytes(self) -> None:
        """However much it says, it is not held up, and little is kept."""
        run_hook(self.command("head -c 20000000 /dev/zero"), Doing.PRESENT, NAME, "value")
        words = self.fails(self.command("head -c 20000000 /dev/zero | tr '\\0' x; echo end; exit 1"))
        self.assertTrue(words.endswith("xend"), words)
        self.assertLess(len(words), MOST_TOLD + 200)

    def test_too_long(self) -> None:
        """It is ended with all that it has started."""
        command = self.command('echo begun; sleep 1000 & echo $! >"$1.new"; mv "$1.new" "$1"; sleep 1000', 5)
        asked: list[None] = []

        def clock() -> float:
            asked.append(None)
            return 1000.0 if len(asked) > 1 and self.file.exists() else 0.0

        error = self.assertRaises(NotAnswered, run_hook, command, Doing.PRESENT, NAME, "value", clock)
        self.assertIn("has not ended within 5 s: begun", str(error))
        self.assert_ends()

    def test_interrupted(self) -> None:
        """It does not outlast who waits for it, and is interrupted."""

        class Interrupted(Exception):
            pass

        def sleep(seconds: float) -> None:
            if self.file.exists():
                raise Interrupted

        command = self.command('echo $$ >"$1.new"; mv "$1.new" "$1"; sleep 1000')
        waited = partial(run_hook, command, Doing.PRESENT, NAME, "value", sleep=sleep)
        self.assertRaises(Interrupted, waited)
        self.assert_ends()

    def test_left_running(self) -> None:
        """What it leaves running is ended, and does not hold it up with its output."""
        run_hook(self.command('sleep 1000 & echo $! >"$1"'), Doing.PRESENT, NAME, "value")
        self.assert_ends()

    def test_left_its_group(self) -> None:
        """What has left it, and is out of reach, does not hold it up either."""
        self.patch(hook, "_END_OF_OUTPUT", 0.05)
        run_hook(self.command('setsid sleep 1000 & echo $! >"$1"'), Doing.PRESENT, NAME, "value")
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(self.file.read_text()), signal.SIGKILL)

    def test_nobody_reads_for_ever(self) -> None:
        """What a program leaves outside its group keeps its output open, but nobody waits for it."""
        self.patch(hook, "_END_OF_OUTPUT", 0.01)
        script = """setsid sh -c 'echo $$ >"$1"; exec sleep 300' left "$1" & while ! [ -s "$1" ]; do sleep 0.01; done"""
        run_hook(self.command(script), Doing.PRESENT, NAME, "value")
        self.addCleanup(os.kill, int(self.file.read_text()), signal.SIGKILL)
        for thread in threading.enumerate():
            if thread.name == "edgegate hook":
                thread.join(20)
                self.assertFalse(thread.is_alive())
