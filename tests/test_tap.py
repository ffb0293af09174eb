"""Tests of L{edgegate.tap}; whole processes are started in tests/acceptance."""

from __future__ import annotations

import os
import signal
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import cast

from twisted.application.service import IService, IServiceMaker, MultiService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorPluggableNameResolver, IReactorTime
from twisted.plugin import getPlugins
from twisted.scripts._twistd_unix import ServerOptions
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.service import AccessLogService
from edgegate.admin.service import AdminService
from edgegate.net.system_resolver import SystemResolver
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.server.handover import VARIABLE
from edgegate.server.pidfile import Pidfile
from edgegate.server.service import GatewayService
from edgegate.server.service_log import LoggedService
from edgegate.server.signals import Signals
from edgegate.sources.watch import WatchService
from edgegate.startup import Startup
from edgegate.tap import EX_CONFIG, makeService
from edgegate.twistd_options import Options
from tests.test_twistd_options import options


class MakeServiceTests(SynchronousTestCase):
    """What is made of it."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        resolving = cast(IReactorPluggableNameResolver, reactor)
        self.addCleanup(resolving.installNameResolver, resolving.nameResolver)
        self.addCleanup(setattr, reactor, "seconds", reactor.seconds)  # type: ignore[attr-defined]
        for number in (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))
        self.errors = StringIO()

    def make(self, *arguments: str) -> IService:
        """Make the service."""
        with redirect_stderr(self.errors):
            return makeService(options("--config", str(self.folder), *arguments))

    def kinds(self, service: IService) -> set[type]:
        """Return what belongs to it."""
        assert isinstance(service, MultiService)
        return {type(child) for child in service}

    def test_upgrades(self) -> None:
        """It can be started anew, with a pidfile where there is one, unless its files came by standard input."""
        service = self.make("--admin", "none")
        assert isinstance(service, GatewayService)
        self.assertTrue(callable(service.upgrades.launch))
        self.assertEqual(service.upgrades.companions, [])
        runner = ServerOptions()
        made = options("--config", str(self.folder), "--admin", "127.0.0.1:0")
        made.parent = runner
        with redirect_stderr(self.errors):
            service = makeService(made)
        (gateway,) = cast(MultiService, service)
        assert isinstance(gateway, GatewayService)
        self.assertEqual([type(each) for each in gateway.upgrades.companions], [AdminService, Pidfile])

    def test_not_handed(self) -> None:
        """What claims to take another process's place, and does not, ends at once."""
        os.environ[VARIABLE] = "none"
        error = self.assertRaises(SystemExit, self.make)
        self.assertIn("not started: EDGEGATE_UPGRADE_FD=none is no upgrade", str(error))
        self.assertNotIn(VARIABLE, os.environ)

    def test_parts(self) -> None:
        """All that a gateway has beside it, unless it is told otherwise."""
        service = self.make()
        self.assertIsInstance(service, GatewayService)
        self.assertEqual(self.kinds(service), {AccessLogService, AdminService, Signals, TracingService, WatchService})
        bare = self.make("--access-log=none", "--admin=none", "--no-watch")
        self.assertEqual(self.kinds(bare), {AccessLogService, Signals, TracingService})
        self.assertIsInstance(cast(IReactorPluggableNameResolver, reactor).nameResolver, SystemResolver)

    def test_clock(self) -> None:
        """Timers go by a clock that nobody sets."""
        self.make()
        self.assertIs(cast(IReactorTime, reactor).seconds, time.monotonic)

    def test_json_log(self) -> None:
        """The log's format is the application's matter."""
        service = self.make("--log-format=json")
        self.assertIsInstance(service, LoggedService)
        self.assertEqual(self.kinds(service), {GatewayService})

    def test_twistd(self) -> None:
        """Under twistd a start that fails is told; a daemon has no standard output for its logs, and says so."""
        for arguments, daemon in ((("-n",), False), ((), True)):
            runner = ServerOptions()
            runner.parseOptions([*arguments, "edgegate", "--config", str(self.folder), "--log-format=json"])
            with redirect_stderr(self.errors):
                service = makeService(runner.subOptions)
            self.assertEqual(type(service), Startup if daemon else LoggedService)
            (inner,) = cast(MultiService, service)
            self.assertEqual(type(inner), GatewayService if daemon else Startup)
            said = self.errors.getvalue()
            self.assertEqual("the access log goes nowhere" in said, daemon)
            self.assertEqual("--log-format json is left out" in said, daemon)
            self.successResultOf(maybeDeferred(service.stopService))

    def test_broken(self) -> None:
        """Files with errors are not served: all of them are printed."""
        (self.folder / "a.yaml").write_text("kind: Gateway\n")
        (self.folder / "b.yaml").write_text("kind: Gateway\n")
        end = self.assertRaises(SystemExit, self.make)
        self.assertEqual(end.code, EX_CONFIG)
        self.assertIn("a.yaml:1:1: error", self.errors.getvalue())
        self.assertIn("b.yaml:1:1: error", self.errors.getvalue())
        self.assertRegex(self.errors.getvalue().splitlines()[-1], r"^\d+ errors: not started$")

    def test_plugin(self) -> None:
        """C{twistd} finds it by its name, and loads nothing of it before it is asked for."""
        (maker,) = [plugin for plugin in getPlugins(IServiceMaker) if plugin.tapname == "edgegate"]
        self.assertIs(maker.options, Options)
        self.assertIs(maker.makeService, makeService)
