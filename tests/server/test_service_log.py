"""Tests of L{edgegate.server.service_log}."""

from __future__ import annotations

import ast
import json
import pkgutil
from importlib import import_module
from io import StringIO
from pathlib import Path

from twisted.application.service import Application, IServiceCollection, MultiService
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate.server.service_log import LoggedService, json_observer


class JSONTests(SynchronousTestCase):
    """Lines of JSON."""

    def setUp(self) -> None:
        """Make a logger that writes lines."""
        self.out = StringIO()
        self.log = Logger("edgegate.test", observer=json_observer(self.out))  # type: ignore[arg-type]

    def lines(self) -> list[dict[str, object]]:
        """What was written."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def test_event(self) -> None:
        """Each event is a line: its words, and what they are made of."""
        self.log.emit(LogLevel.warn, "port {port} of {host}\n", port=80, host=("a", "b"))
        (line,) = self.lines()
        self.assertRegex(str(line.pop("time")), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            line,
            {
                "level": "warn",
                "scope": "edgegate.test",
                "message": "port 80 of ('a', 'b')\n",
                "port": 80,
                "host": "('a', 'b')",
            },
        )

    def test_failure(self) -> None:
        """An error that was caught is told with its traceback, on the same line."""
        try:
            raise ValueError("broken")
        except ValueError:
            self.log.failure("something broke")
        (line,) = self.lines()
        self.assertEqual(line["level"], "critical")
        self.assertIn("ValueError: broken", str(line["traceback"]))


class LoggedServiceTests(SynchronousTestCase):
    """Where events go."""

    def test_application(self) -> None:
        """An application logs to the observer of a service that it is given."""
        application = Application("edgegate")
        observer = json_observer(StringIO())
        service = LoggedService(observer)
        service.setServiceParent(application)
        self.assertIs(ILogObserver(application), observer)
        self.assertEqual(list(IServiceCollection(application)), [service])

    def test_other_parent(self) -> None:
        """Any other service leaves the log alone."""
        parent = MultiService()
        LoggedService(json_observer(StringIO())).setServiceParent(parent)
        self.assertEqual(len(list(parent)), 1)


class NamespaceTests(SynchronousTestCase):
    """Whose words a line of the log are."""

    def test_names(self) -> None:
        """Every module's logger bears the name of the module, in the compiled package too."""
        found = {}
        for module in pkgutil.walk_packages(edgegate.__path__, "edgegate."):
            log = getattr(import_module(module.name), "log", None)
            if isinstance(log, Logger):
                found[module.name] = log.namespace
        self.assertEqual(found, {name: name for name in found})
        self.assertIn("edgegate.net.listening", found)

    def test_given(self) -> None:
        """
        Every logger is given its name: Twisted would take the frame below for the module, and of a compiled module
        that is the one that imports it.
        """
        folder = Path(edgegate.__file__).parent
        self.assertEqual([place for path in sorted(folder.rglob("*.py")) for place in _nameless(path)], [])


def _nameless(path: Path) -> list[str]:
    """Return the places in a module where a logger is made without a namespace, which compiled code can't find out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Logger":
            given = {keyword.arg for keyword in node.keywords}
            if "namespace" not in given:
                found.append(f"{path}:{node.lineno}")
    return found
