"""Tests of L{edgegate.sources.loader_process}: a real process reads real files."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.program import fresh_python
from edgegate.sources.loader_process import PROGRAM, ask
from edgegate.sources.loading import Answer, Configuration
from edgegate.sources.named import source_named
from edgegate.sources.source import Contents
from tests.sources.test_loading import HTTP
from tests.sources.test_pieces import read

PATIENCE = 60.0
"""Seconds."""


class LoaderProcessTests(SynchronousTestCase):
    """A process that is asked for what is in files."""

    def setUp(self) -> None:
        """Write a file."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "all.yaml").write_text(HTTP)

    def start(self) -> subprocess.Popen[bytes]:
        """Start it."""
        command, environment = fresh_python(PROGRAM)
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.addCleanup(process.__exit__, None, None, None)
        self.addCleanup(process.kill)
        return process

    def answer(self, configuration: Configuration, before: Contents | None = None) -> bytes:
        """Return what it writes."""
        process = self.start()
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        ask(process.stdin, configuration, before)
        content = process.stdout.read()
        self.assertEqual((process.wait(PATIENCE), process.stderr.read()), (0, b""))
        return content

    def test_read(self) -> None:
        """It reads what this process would read; of an unchanged folder it says that."""
        configuration = Configuration(source_named(str(self.folder)))
        here = configuration.load()
        found = read(self.answer(configuration)).value
        assert isinstance(found, Answer)
        loaded = found.loaded(configuration.source)
        self.assertEqual((loaded.snapshot, loaded.contents), (here.snapshot, here.contents))
        self.assertEqual((list(loaded.problems), loaded.endpoints), (list(here.problems), here.endpoints))
        self.assertIsNone(read(self.answer(configuration, here.contents)).value)

    def test_standard_input(self) -> None:
        """What was standard input goes to it: it can't be read twice."""
        configuration = Configuration(source_named("-", HTTP.encode))
        found = read(self.answer(configuration)).value
        assert isinstance(found, Answer)
        self.assertEqual(found.snapshot, configuration.load().snapshot)

    def test_given_up(self) -> None:
        """It ends when nobody waits for it any more, in the middle of what it does, and has written nothing."""
        process = self.start()
        assert process.stdin is not None
        # it is not even asked for something
        process.stdin.close()
        self.assertNotEqual(process.wait(PATIENCE), 0)
        process = self.start()
        assert process.stdin is not None and process.stdout is not None
        slow = Configuration(source_named("-", lambda: (HTTP + "---\n").encode() * 20_000))
        ask(process.stdin, slow, None)
        process.stdin.close()
        self.assertEqual(process.wait(PATIENCE), 1)
        self.assertEqual(process.stdout.read(), b"")
