"""Tests of L{edgegate.tap}; whole processes are started in tests/acceptance."""

from __future__ import annotations

import signal
from contextlib import redirect_stderr
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import cast

from twisted.application.service import IService, IServiceMaker, MultiService
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.plugin import getPlugins
from twisted.python.usage import UsageError
from twisted.scripts._twistd_unix import ServerOptions
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.service import AdminService
from edgegate.http.fields import Underscores
from edgegate.http.limits import Limits
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import TCPAddress
from edgegate.net.system_resolver import SystemResolver
from edgegate.observe.access_log import AccessLogService
from edgegate.server.service import GatewayService
from edgegate.server.service_log import LoggedService
from edgegate.server.signals import Signals
from edgegate.sources.watch import WatchService
from edgegate.startup import Startup
from edgegate.tap import EX_CONFIG, Options, makeService


def options(*arguments: str) -> Options:
    """Read options."""
    found = Options()
    found.parseOptions(arguments)
    return found


class OptionsTests(SynchronousTestCase):
    """What the command line says."""

    def test_values(self) -> None:
        """Repeated options are one dictionary; defaults are those of the docs."""
        found = options("--config", "etc", "--selector", "a=b", "--selector", "c=d", "--map-port", "80:8080")
        self.assertEqual((found["selector"], found["map-port"]), ({"a": "b", "c": "d"}, {80: 8080}))
        self.assertEqual(
            (found["trusted-hops"], found["watch"], found["access-log"], str(found["admin-address"])),
            (0, True, "-", "127.0.0.1:15000"),
        )
        self.assertIs(found["paths"], PathNormalisation.BASE)
        merged = options("-c", "etc", "--path-normalization=merge-slashes")
        self.assertIs(merged["paths"], PathNormalisation.MERGE_SLASHES)
        self.assertEqual(found["limits"], Limits())
        limited = options(
            "-c", "etc", "--headers-with-underscores=drop", "--unfinished-heads=1MiB", "--body-min-rate=0"
        )
        self.assertEqual(
            limited["limits"], Limits(underscores=Underscores.DROP, unfinished_heads_bytes=1 << 20, body_rate=0)
        )
        self.assertFalse(options("-c", "etc", "--no-watch")["watch"])
        self.assertFalse(options("-c", "etc")["shadow-hosts"])
        self.assertTrue(options("-c", "etc", "--shadow-hosts")["shadow-hosts"])
        self.assertEqual([options("-c", "etc", *more)["strict"] for more in ((), ("--strict",))], [False, True])
        ports = ("--proxy-protocol", "80", "--proxy-protocol", "443:optional")
        found = options("-c", "etc", *ports, "--proxy-protocol-from", "10.0.0.0/8")
        self.assertEqual(found["proxy-protocol"], {80: False, 443: True})
        self.assertEqual(found["proxy-protocol-from"], [ip_network("10.0.0.0/8")])
        servers = options("-c", "etc", "--dns-server=192.0.2.1", "--dns-server=[::1]:5353")["dns-server"]
        self.assertEqual(servers, [TCPAddress("192.0.2.1", 53), TCPAddress("::1", 5353)])

    def test_refused(self) -> None:
        """What can't be understood is said in one line."""
        for arguments, words in (
            ((), "--config is required"),
            (("--config", "etc", "more"), "'more' is no option"),
            (("etc",), "'etc' is no option: files are named by --config etc"),
            (("--config", "etc", "--selector", "a"), "--selector: expected KEY=VALUE"),
            (("--config", "etc", "--map-port", "80"), "--map-port: expected two port numbers"),
            (("--config", "etc", "--ignore-kind", "Gateway"), "--ignore-kind: expected AuthorizationPolicy or"),
            (("--config", "etc", "--trusted-hops", "-1"), "--trusted-hops: expected a number of proxies such as 1"),
            (("--config", "etc", "--trusted-hops", "x"), "--trusted-hops: expected a number of proxies such as 1"),
            (("--config", "etc", "--admin", "x"), "--admin: expected HOST:PORT"),
            (("--config", "etc", "--locality", "eu//1"), "--locality: expected REGION/ZONE/SUBZONE"),
            (("--config", "etc", "--access-log-format", "xml"), "--access-log-format is text or json"),
            (("--config", "etc", "--path-normalization", "BASE"), "--path-normalization is one of none, base, merge"),
            (("--config", "etc", "--headers-with-underscores", "x"), "is one of allow, drop, reject"),
            (("--config", "etc", "--unfinished-heads", "1GB"), "--unfinished-heads: expected a number of bytes"),
            (("--config", "etc", "--unfinished-heads", "1KiB"), "--unfinished-heads is at least 61440"),
            (("--config", "etc", "--body-min-rate", "-1"), "--body-min-rate: expected a number of bytes"),
            (("--config", "etc", "--log-format", "xml"), "--log-format is text or json"),
            (("--config", "etc", "--dns-server", "ns"), "--dns-server: expected an IP address"),
            (("--config", "etc", "--proxy-protocol", "x"), "--proxy-protocol: expected a port number"),
            (("--config", "etc", "--proxy-protocol", "80"), "belong together"),
            (("--config", "etc", "--proxy-protocol-from", "::1"), "belong together"),
            (("--config", "etc", "--proxy-protocol-from", "lb"), "--proxy-protocol-from: expected a network"),
        ):
            self.assertIn(words, str(self.assertRaises(UsageError, options, *arguments)), arguments)

    def test_ignored_kinds(self) -> None:
        """Kinds to be served without add up."""
        kinds = ["AuthorizationPolicy", "RequestAuthentication"]
        found = options("--config", "etc", *(f"--ignore-kind={kind}" for kind in kinds))
        self.assertEqual(found["ignore-kind"], kinds)

    def test_help(self) -> None:
        """Every option explains itself."""
        text = str(Options())
        for name in (
            "dns-server",
            "proxy-protocol",
            "proxy-protocol-from",
            "config",
            "selector",
            "map-port",
            "ignore-kind",
            "trusted-hops",
            "no-watch",
            "access-log",
            "admin",
            "log-format",
        ):
            self.assertIn(f"--{name}", text)
        self.assertNotIn("[default: ]", text)

    def test_help_is_prose(self) -> None:
        """The words of an option are one line to whoever wraps them, without the indentation of our source."""
        for name, words in Options().docs.items():
            self.assertNotRegex(str(words), r"\s\s|\n", name)


class MakeServiceTests(SynchronousTestCase):
    """What is made of it."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        resolving = cast(IReactorPluggableNameResolver, reactor)
        self.addCleanup(resolving.installNameResolver, resolving.nameResolver)
        self.addCleanup(signal.signal, signal.SIGHUP, signal.getsignal(signal.SIGHUP))
        self.errors = StringIO()

    def make(self, *arguments: str) -> IService:
        """Make the service."""
        with redirect_stderr(self.errors):
            return makeService(options("--config", str(self.folder), *arguments))

    def kinds(self, service: IService) -> set[type]:
        """Return what belongs to it."""
        assert isinstance(service, MultiService)
        return {type(child) for child in service}

    def test_parts(self) -> None:
        """All that a gateway has beside it, unless it is told otherwise."""
        service = self.make()
        self.assertIsInstance(service, GatewayService)
        self.assertEqual(self.kinds(service), {AccessLogService, AdminService, Signals, WatchService})
        bare = self.make("--access-log=none", "--admin=none", "--no-watch")
        self.assertEqual(self.kinds(bare), {Signals})
        self.assertIsInstance(cast(IReactorPluggableNameResolver, reactor).nameResolver, SystemResolver)

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
