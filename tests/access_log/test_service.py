"""Tests of L{edgegate.access_log.service}."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock

from edgegate.access_log.service import AccessLogService, CannotLog
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import json_format, text_format
from edgegate.model.origin import Origin
from edgegate.observe.access_log import DELAY
from edgegate.observe.export.exporter import LAST_SECONDS
from edgegate.observe.log_file import PATIENCE
from tests.access_log.records import AHEAD, ENDED, RecordCase
from tests.net.pairs import all_opened

CODE = text_format("%RESPONSE_CODE%")


class ThreadsClock(Clock):
    """A clock that threads may have call something."""

    def callFromThread(self, what: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        """Call it at once."""
        what(*arguments, **named)


class ServiceCase(RecordCase):
    """Tests of a service with files in a folder."""

    def setUp(self) -> None:
        """Make a folder."""
        super().setUp()
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.clock = ThreadsClock()
        self.path = self.folder / "log"

    def wanted(self, name: str = "log", form: str = "%RESPONSE_CODE%") -> AccessLogFile:
        """Return a log in the folder."""
        return AccessLogFile(str(self.folder / name), text_format(form), origin=Origin("mesh.yaml", 7, "MeshConfig"))

    def end(self, service: AccessLogService, status: int = 200) -> None:
        """Have a request end."""
        self.exchange.status = status
        service.log.request_ended(self.exchange)
        service.log.flush()

    def read(self, name: str = "log") -> str:
        """Return what is in a file."""
        return (self.folder / name).read_text()


class AskedTests(ServiceCase):
    """The log that options ask for."""

    def setUp(self) -> None:
        """Make a log in a file."""
        super().setUp()
        self.service = AccessLogService(self.clock, (self.wanted(),))

    def start(self) -> None:
        """Start as an application does."""
        self.service.privilegedStartService()
        self.service.startService()

    def test_end(self) -> None:
        """The end writes everything, and leaves no timer behind."""
        self.start()
        self.service.log.request_ended(self.exchange)
        self.service.stopService()
        self.assertEqual(self.read(), "200\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timer(self) -> None:
        """One timer serves all that wait; none runs while nothing does."""
        self.start()
        for _ in range(3):
            self.service.log.request_ended(self.exchange)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(DELAY)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.service.log.request_ended(self.exchange)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.service.stopService()
        self.assertEqual(self.read(), "200\n" * 4)

    def test_reopen(self) -> None:
        """What ended before the file was renamed stands in the old one."""
        self.start()
        self.end(self.service)
        self.path.rename(self.folder / "log.1")
        self.service.reopen()
        self.end(self.service, 404)
        self.service.stopService()
        self.assertEqual((self.read("log.1"), self.read()), ("200\n", "404\n"))

    def test_reopen_fails(self) -> None:
        """A file that can't be opened anew stays in use; that it is so is logged."""
        self.start()
        self.path.rename(self.folder / "log.1")
        self.path.mkdir()
        self.service.reopen()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual(self.read("log.1"), "200\n")

    def test_cannot_start(self) -> None:
        """A file that can't be opened ends the start with a reason."""
        self.path.mkdir()
        error = self.assertRaises(CannotLog, self.service.privilegedStartService)
        self.assertEqual(str(error), f"cannot open the access log {self.path}: Is a directory")

    def test_handed(self) -> None:
        """A process may be given the descriptor of its file."""
        service = AccessLogService(
            self.clock, (AccessLogFile("-", CODE),), lambda: os.open(self.path, os.O_WRONLY | os.O_CREAT)
        )
        service.startService()
        self.end(service)
        service.stopService()
        self.assertEqual(self.read(), "200\n")

    def test_files_say_otherwise(self) -> None:
        """What options ask for is not changed by the files."""
        self.start()
        self.service.prepare((self.wanted("other"),))(True)
        self.end(self.service)
        self.service.stopService()
        self.assertEqual(self.read(), "200\n")
        self.assertFalse((self.folder / "other").exists())


class DeclaredTests(ServiceCase):
    """Logs that the files ask for."""

    def setUp(self) -> None:
        """Make a service that is not told by options."""
        super().setUp()
        self.service = AccessLogService(self.clock)
        self.addCleanup(lambda: self.service.running and self.service.stopService())

    def use(self, *wanted: AccessLogFile) -> None:
        """Load files that ask for some logs."""
        self.service.prepare(wanted)(True)

    def test_several(self) -> None:
        """Several logs are written at once, two of them to one file."""
        self.use(self.wanted("a"), self.wanted("b", "b %PROTOCOL%"), self.wanted("a", "again"))
        self.service.startService()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.read("b")), ("200\nagain\n", "b HTTP/1.1\n"))

    def followed(self, json: bool = False) -> str:
        """Return a line as who follows sees it."""
        return self.service.line(json)(self.exchange, ENDED, AHEAD)

    def test_followed(self) -> None:
        """Who follows sees all lines, in the format of the first log that has it, else in the default one."""
        self.assertIn('" 200 - via_upstream ', self.followed())
        self.assertIn('"response_code":200', self.followed(json=True))
        files = self.wanted("a"), replace(self.wanted("b", "b %PROTOCOL%"), filter="false"), self.wanted("c")
        self.use(replace(files[0], format=json_format({"code": "%RESPONSE_CODE%"})), *files[1:])
        self.assertEqual((self.followed(), self.followed(json=True)), ("b HTTP/1.1\n", '{"code":200}\n'))
        self.use()
        self.assertIn('" 200 - via_upstream ', self.followed())

    def test_reload(self) -> None:
        """A reload goes on in the files that stay, opens new ones, and closes the others with all their lines."""
        self.use(self.wanted("a"), self.wanted("b"))
        self.service.startService()
        self.service.log.request_ended(self.exchange)
        self.use(self.wanted("b", "other"), self.wanted("c"))
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.read("b"), self.read("c")), ("200\n", "200\nother\n", "200\n"))

    def test_left(self) -> None:
        """A reload waits for no file that is taken away: here a pipe that is full until the end."""
        os.mkfifo(self.path)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        self.use(self.wanted(form="x" * 60_000))
        self.service.startService()
        for _ in range(3):
            self.end(self.service)
        begun = time.monotonic()
        self.use(self.wanted("b"))
        self.assertLess(time.monotonic() - begun, PATIENCE / 2)
        os.set_blocking(reader, True)
        got = b""
        while got.count(b"\n") < 3:
            got += os.read(reader, 65536)
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((len(got), self.read("b")), (3 * 60_001, "200\n"))

    def test_lost(self) -> None:
        """What was lost is counted on, whatever file is written then, and after the end."""
        self.use(AccessLogFile("/dev/full", CODE))
        self.service.startService()
        self.end(self.service)
        self.use(self.wanted("b"))
        self.use(self.wanted("c"))
        self.service.stopService()
        self.assertEqual(self.service.lines_lost(), 1)

    def test_refused(self) -> None:
        """A file that can't be opened changes nothing, and is told with the place that names it."""
        self.use(self.wanted("a"))
        self.path.mkdir()
        error = self.assertRaises(CannotLog, self.service.prepare, (self.wanted("b"), self.wanted()))
        self.assertEqual(str(error.wanted.origin), "mesh.yaml:7")
        self.service.startService()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.read("b")), ("200\n", ""))

    def test_no_lines(self) -> None:
        """What can't be made into lines, or a path, changes nothing either, and leaves no file open."""
        self.use(self.wanted("a"))
        for bad in (
            AccessLogFile("syslog:nowhere"),
            AccessLogFile("otlp:nowhere"),
            AccessLogFile("otlp:http://127.0.0.1:9", filter="nonsense"),
            AccessLogFile(str(self.path), filter="nonsense"),
        ):
            self.assertRaises(CannotLog, self.service.prepare, (self.wanted("b"), bad))
        folder = self.folder.resolve()
        self.assertEqual({each for each in all_opened() if Path(each).parent == folder}, {str(folder / "a")})
        self.service.startService()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.read("b")), ("200\n", ""))

    def test_not_taken(self) -> None:
        """Where something else of the files can't be served all is as it was."""
        self.use(self.wanted("a"))
        self.service.prepare((self.wanted("b"),))(False)
        self.service.startService()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.read("b")), ("200\n", ""))

    def test_collected(self) -> None:
        """Logs that go to one collector by one name share what sends them; a reload leaves one that is gone."""
        url = "otlp:http://127.0.0.1:9"
        self.use(AccessLogFile(url), AccessLogFile(url, CODE), AccessLogFile(url, log_name="other"), self.wanted("a"))
        self.service.startService()
        self.end(self.service)
        # one of each collected log, and that of lines that wait
        self.assertEqual(len(self.clock.getDelayedCalls()), 3)
        self.use(AccessLogFile(url), self.wanted("a"))
        self.end(self.service)
        ended = self.service.stopService()
        self.assertEqual(self.read("a").count("200"), 2)
        self.clock.advance(LAST_SECONDS)
        self.assertTrue(ended.called)
        # two records of the first log, one of the second, and one more of the third; one after the reload
        self.assertEqual(self.service.lines_lost(), 4)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_early(self) -> None:
        """Collectors may be left before files are: those get what ends later still."""
        self.use(AccessLogFile("otlp:http://127.0.0.1:9"), self.wanted("a"))
        self.service.startService()
        closed = self.service.close_collected()
        self.assertTrue(closed.called)
        self.end(self.service)
        self.service.stopService()
        self.assertEqual((self.read("a"), self.service.lines_lost()), ("200\n", 1))

    def test_none(self) -> None:
        """Files may say that there is no log."""
        self.use()
        self.service.startService()
        self.end(self.service)
        self.service.stopService()
        self.assertEqual(list(self.folder.iterdir()), [])
