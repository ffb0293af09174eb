"""Tests of L{edgegate.admin.logging_page}, asked as a client asks it."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.logger import LogPublisher, capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.logging_page import Logging
from edgegate.admin.site import admin_site
from edgegate.server.log_levels import LogLevels
from tests.admin.asking import asked
from tests.admin.served import PretendedGateway


class LoggingTests(SynchronousTestCase):
    """The page."""

    def setUp(self) -> None:
        """Make it, for a log of its own."""
        self.levels = LogLevels(LogPublisher())
        self.site = admin_site(Clock(), PretendedGateway())
        self.site.resource.putChild(b"logging", Logging(self.levels))

    def test_shown(self) -> None:
        """GET shows the levels, as text or JSON."""
        self.levels.set("edgegate.upstream", "error")
        text = "default             debug\nedgegate.upstream   error\n"
        self.assertEqual(asked(self.site, "GET /logging").text, text)
        shown = json.loads(asked(self.site, "GET /logging?format=json").body)
        self.assertEqual(shown, {"default": "debug", "namespaces": {"edgegate.upstream": "error"}})

    def test_changed(self) -> None:
        """POST changes one or all, shows them, and says so in the log."""
        with capturedLogs() as logged:
            found = asked(self.site, "POST /logging?namespace=edgegate.tls&level=warn")
            self.assertEqual((found.status, found.text), (200, "default        debug\nedgegate.tls   warn\n"))
            self.assertEqual(asked(self.site, "POST /logging?level=error").text, "default   error\n")
        said = [formatEvent(event) for event in logged]
        self.assertEqual(said, ["log level of edgegate.tls is warn now", "log level of all is error now"])

    def test_refused(self) -> None:
        """What can't be meant, and what another origin asks, changes nothing."""
        for query in ("", "?level=", "?level=loud", "?namespace=&level=info", "?namespace=a"):
            self.assertEqual(asked(self.site, f"POST /logging{query}").status, 400, query)
        self.assertEqual(asked(self.site, "POST /logging?level=info", "Origin: http://evil.example").status, 403)
        self.assertEqual((self.levels.default, self.levels.namespaces), ("debug", {}))
