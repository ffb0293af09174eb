"""Tests of L{edgegate.twistd_options}."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.options import AdminOptions
from edgegate.http.fields import Underscores
from edgegate.http.limits import Limits
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import TCPAddress
from edgegate.model.proxy import ProxySettings
from edgegate.twistd_options import Options


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
            (found.gateway_options().trusted_hops, found["watch"], found["access-logs"], str(found["admin-address"])),
            (0, True, None, "127.0.0.1:15000"),
        )
        self.assertIs(found.gateway_options().paths, PathNormalisation.BASE)
        said = ProxySettings(2, "reject", "none")
        of_files = found.gateway_options(said)
        self.assertIs(of_files.paths, PathNormalisation.NONE)
        self.assertEqual((of_files.trusted_hops, of_files.limits.underscores), (2, Underscores.REJECT))
        given = options("-c", "etc", "--trusted-hops=0", "--headers-with-underscores=drop").gateway_options(said)
        self.assertEqual((given.trusted_hops, given.limits.underscores), (0, Underscores.DROP))
        merged = options("-c", "etc", "--path-normalization=merge-slashes")
        self.assertIs(merged.gateway_options(said).paths, PathNormalisation.MERGE_SLASHES)
        self.assertEqual(found["limits"], Limits())
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
            (
                ("--config", "etc", "--gateway-namespace", "a/b"),
                "--gateway-namespace: expected the name of a namespace",
            ),
            (("--config", "etc", "--ignore-kind", "Gateway"), "--ignore-kind: expected AuthorizationPolicy or"),
            (("--config", "etc", "--trusted-hops", "-1"), "--trusted-hops: expected a number of proxies such as 1"),
            (("--config", "etc", "--trusted-hops", "x"), "--trusted-hops: expected a number of proxies such as 1"),
            (("--config", "etc", "--admin", "x"), "--admin: expected HOST:PORT"),
            (("--config", "etc", "--admin", "0.0.0.0:1"), "may reach it, so it needs an --admin-token-file"),
            (("--config", "etc", "--admin", "[2001:db8::1]:1"), "may reach it, so it needs an --admin-token-file"),
            (("--config", "etc", "--tap-redact", "a b"), "--tap-redact: expected the name of a header"),
            (("--config", "etc", "--admin-token-file", ""), "--admin-token-file: it is empty"),
            (("--config", "etc", "--debug-from", "10.0.0.0/8,me"), "--debug-from: expected a network such as"),
            (("--config", "etc", "--locality", "eu//1"), "--locality: expected REGION/ZONE/SUBZONE"),
            (("--config", "etc", "--access-log-format", "xml"), "--access-log-format: neither text nor json"),
            (("--config", "etc", "--path-normalization", "BASE"), "--path-normalization is one of none, base, merge"),
            (("--config", "etc", "--headers-with-underscores", "x"), "is one of allow, drop, reject"),
            (("--config", "etc", "--drain-timeout", "soon"), "--drain-timeout: expected a time such as 500ms, 30s"),
            (("--config", "etc", "--upgrade-drain-timeout", "x"), "--upgrade-drain-timeout: expected a time such as"),
            (("--config", "etc", "--drain-delay", "-1"), "--drain-delay: expected a time such as 500ms, 30s"),
            (("--config", "etc", "--log-format", "xml"), "--log-format is text or json"),
            (("--config", "etc", "--dns-server", "ns"), "--dns-server: expected an IP address"),
            (("--config", "etc", "--proxy-protocol", "x"), "--proxy-protocol: expected a port number"),
            (("--config", "etc", "--proxy-protocol", "80"), "belong together"),
            (("--config", "etc", "--proxy-protocol-from", "::1"), "belong together"),
            (("--config", "etc", "--proxy-protocol-from", "lb"), "--proxy-protocol-from: expected a network"),
        ):
            self.assertIn(words, str(self.assertRaises(UsageError, options, *arguments)), arguments)

    def test_admin(self) -> None:
        """What only this machine reaches needs no token; the file of one is found from any folder."""
        for address in ("127.0.0.2:1", "[::1]:1", "localhost:1", "/run/a.sock", "none"):
            self.assertEqual(options("-c", "etc", "--admin", address).admin_options(), AdminOptions())
        found = options("-c", "etc", "--admin", "0.0.0.0:1", "--admin-token-file", "token").admin_options()
        self.assertEqual(found, AdminOptions(str(Path("token").absolute())))
        found = options("-c", "etc", "--tap-redact", "X-Api-Key", "--tap-redact=x-b").admin_options()
        self.assertEqual(found, AdminOptions(redacted=frozenset((b"x-api-key", b"x-b"))))
        self.assertEqual(options("-c", "etc", "--admin-quit").admin_options(), AdminOptions(may_quit=True))

    def test_debug_from(self) -> None:
        """Networks whose clients may ask add up, with commas and without; by default there are none."""
        self.assertEqual(options("-c", "etc").gateway_options().debug_from, ())
        found = options("-c", "etc", "--debug-from", "10.0.0.0/8,::1", "--debug-from=192.0.2.7").gateway_options()
        self.assertEqual(list(map(str, found.debug_from)), ["10.0.0.0/8", "::1/128", "192.0.2.7/32"])

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
            "admin-token-file",
            "log-format",
        ):
            self.assertIn(f"--{name}", text)
        self.assertNotIn("[default: ]", text)

    def test_help_is_prose(self) -> None:
        """The words of an option are one line to whoever wraps them, without the indentation of our source."""
        for name, words in Options().docs.items():
            self.assertNotRegex(str(words), r"\s\s|\n", name)
