"""Tests of L{edgegate.server.log_levels}."""

from __future__ import annotations

from typing import cast

from twisted.logger import ILogObserver, LogEvent, Logger, LogLevel, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.log_levels import ALL, MOST, NAMES, BadLevel, LogLevels


class LogLevelsTests(SynchronousTestCase):
    """A log that is written by two."""

    def setUp(self) -> None:
        """Make it."""
        self.written: list[str] = []
        self.publisher = LogPublisher(cast(ILogObserver, self.write), cast(ILogObserver, lambda event: None))
        self.levels = LogLevels(self.publisher)

    def write(self, event: LogEvent) -> None:
        """Write an event."""
        self.written.append(formatEvent(event))

    def tell(self, namespace: str) -> list[str]:
        """Log at each level; return what is written of it."""
        self.written.clear()
        for name in NAMES:
            Logger(namespace=namespace, observer=self.publisher).emit(LogLevel.levelWithName(name), name)
        return self.written

    def test_untouched(self) -> None:
        """As long as nothing is set all is written, and those who write are told directly."""
        before = list(self.publisher._observers)
        self.assertEqual((self.tell("edgegate.a"), self.levels.default), (list(NAMES), ALL))
        self.assertRaises(BadLevel, self.levels.set_all, "loud")
        self.assertEqual(self.publisher._observers, before)

    def test_all(self) -> None:
        """A level for all is one of Twisted, too, and can be taken back."""
        self.levels.set_all("warn")
        for namespace in ("edgegate.a", "twisted.b"):
            self.assertEqual(self.tell(namespace), ["warn", "error", "critical"])
        self.levels.set_all(ALL)
        self.assertEqual(self.tell("edgegate.a"), list(NAMES))

    def test_namespaces(self) -> None:
        """What is within a namespace has its level, if it has none of its own; one for all forgets them."""
        self.levels.set("edgegate.a", "error")
        self.levels.set("edgegate.a.b", "info")
        self.assertEqual(self.levels.namespaces, {"edgegate.a": "error", "edgegate.a.b": "info"})
        self.assertEqual(self.tell("edgegate.a.c"), ["error", "critical"])
        self.assertEqual(self.tell("edgegate.a.b.c"), ["info", "warn", "error", "critical"])
        self.assertEqual(self.tell("edgegate.ab"), list(NAMES))
        self.levels.set_all("critical")
        self.assertEqual((self.levels.namespaces, self.tell("edgegate.a.b")), ({}, ["critical"]))

    def test_bad(self) -> None:
        """What can't be set changes nothing."""
        self.levels.set("edgegate.a", "error")
        for namespace, level in (
            ("edgegate.a", "loud"),
            ("edgegate.a", ""),
            ("", "info"),
            ("a b", "info"),
            ("\n", "info"),
        ):
            self.assertRaises(BadLevel, self.levels.set, namespace, level)
        self.assertRaises(BadLevel, self.levels.set, "a" * 201, "info")
        for number in range(MOST - 1):
            self.levels.set(f"n{number}", "info")
        self.assertRaises(BadLevel, self.levels.set, "one.more", "info")
        self.levels.set("edgegate.a", "warn")
        self.assertEqual((len(self.levels.namespaces), self.levels.namespaces["edgegate.a"]), (MOST, "warn"))
