"""Tests of L{edgegate.server.loader_process}: real processes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from threading import Thread

from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.loader_process import CannotLaunch, LoaderProcess
from edgegate.server.program import fresh_python
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.sources.loading import Answer, Configuration
from edgegate.sources.named import source_named
from edgegate.sources.pieces import Pieces
from tests.sources.test_loading import HTTP

DESCRIPTORS = Path("/proc/self/fd")

WAITS = (
    "import os, sys; sys.stderr.write('it waits'); sys.stderr.flush(); os.read(0, 1); os.read(0, 10**7); os.read(0, 1)"
)


class LoaderProcessTests(SynchronousTestCase):
    """A process that is waited for."""

    def setUp(self) -> None:
        """Write a file, and see which descriptors are open."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "all.yaml").write_text(HTTP)
        self.configuration = Configuration(source_named(str(folder)))
        self.open = self.descriptors()

    def descriptors(self) -> set[tuple[str, str]]:
        """Return what is open: numbers, and what they are of."""
        found = set()
        for each in DESCRIPTORS.iterdir() if DESCRIPTORS.is_dir() else ():
            # that of this folder is closed by now
            with contextlib.suppress(FileNotFoundError):
                found.add((each.name, str(each.readlink())))
        return found

    def nothing_is_left(self) -> None:
        """No descriptor and no process is left; what older tests have left may be closed meanwhile."""
        self.assertEqual(self.descriptors() - self.open, set())
        self.assertRaises(ChildProcessError, os.waitpid, -1, os.WNOHANG)

    def failing(self, statement: str, longest: float = 60.0) -> LoaderProcess:
        """Return a process that does something else."""
        return LoaderProcess(self.configuration, None, longest, lambda program: fresh_python(statement))

    def fails(self, process: LoaderProcess) -> str:
        """Return why it fails; nothing of it is left."""
        reason = str(self.assertRaises(ReadingFailed, process.run))
        self.nothing_is_left()
        return reason

    def test_read(self) -> None:
        """What it has read comes by a file; nothing else of it is left."""
        file = LoaderProcess(self.configuration, None).run()
        pieces = Pieces(file, {})
        for _ in pieces:
            pass
        file.close()
        assert isinstance(pieces.value, Answer)
        self.assertEqual(pieces.value.snapshot, self.configuration.load().snapshot)
        self.nothing_is_left()

    def test_dies(self) -> None:
        """How it ends is the reason; what it has said is logged by the gateway."""
        died = self.fails(self.failing("import os; os.kill(os.getpid(), 9)"))
        self.assertEqual(died, "the process that read the files was killed by SIGKILL")
        self.assertEqual(
            self.fails(self.failing("sys.exit('no')")), "the process that read the files ended with status 1"
        )

    def test_too_long(self) -> None:
        """One that takes too long is killed."""
        self.assertIn("SIGKILL", self.fails(self.failing(WAITS, longest=0.1)))

    def test_killed(self) -> None:
        """It can be ended in the middle, by another thread, and before it has begun."""
        process = self.failing("import os, sys; os.close(2); os.read(0, 10**7); os.read(0, 10**7)")
        found: list[str] = []
        thread = Thread(target=lambda: found.append(self.fails(process)))
        thread.start()
        process.kill()
        thread.join(60)
        self.assertEqual(len(found), 1)
        self.assertIn("not read any more", self.fails(process))

    def test_none_there(self) -> None:
        """Where there is no Python to be started, as in a folder that the process was locked into, that is told."""
        process = LoaderProcess(self.configuration, None, python=lambda program: (["/nowhere/python"], {}))
        self.assertEqual(str(self.assertRaises(CannotLaunch, process.run)), "No such file or directory")
        self.nothing_is_left()
