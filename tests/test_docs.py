"""Tests for what the documentation says of the code."""

from __future__ import annotations

import importlib.util
import json
import re
from functools import cache
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any

import click
from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate import errors
from edgegate.admin.service import MOST_CONNECTIONS
from edgegate.admin.site import MAX_BODY, MOST_FIELDS, MOST_HEAD
from edgegate.admin.tap_page import MOST_SECONDS, MOST_TAPS
from edgegate.cli.main import COMMANDS, main
from edgegate.config.manifest import MAX_FILE, stream
from edgegate.config.problems import Problems, Severity
from edgegate.errors import FAULT_ABORT
from edgegate.http.h1.chunks import MAX_TRAILERS
from edgegate.http.h1.downstream_connection import TURN
from edgegate.http.h2.connection import STREAM_BYTES
from edgegate.http.h2.frame_reader import CROWDED_WORK, HEAD_WORK, WORK
from edgegate.http.h2.held_back import BEGUN, CROWDED_BEGUN, UNREAD
from edgegate.http.health.health_request import MAX_MESSAGE
from edgegate.http.limits import Limits
from edgegate.http.router import retry_policy as retrying
from edgegate.istio.decode import decode
from edgegate.istio.honoured import Field, fields
from edgegate.istio.kinds import EDGEGATE, KINDS
from edgegate.istio.kinds import destination_rule as rule
from edgegate.istio.kinds.base import Duration
from edgegate.istio.translate import traffic_policies as policies
from edgegate.istio.validation.dns_challenges import LONGEST_COMMAND, LONGEST_PROPAGATION
from edgegate.istio.validation.http_actions import RETRY_ON
from edgegate.model.cel import ATTRIBUTES, FUNCTIONS, METHODS
from edgegate.model.certificates import HookCommand
from edgegate.model.clusters import Balancing, ConsistentHash, Discovery, HashSource, Probe
from edgegate.model.operators import OPERATORS
from edgegate.model.policies import DEFAULT_RETRIES
from edgegate.model.tls import TLSRules, UpstreamTLS
from edgegate.net.body_copy import BUFFER_SIZE
from edgegate.net.listening import BACKLOG
from edgegate.net.proxy_protocol import MAX_V2
from edgegate.net.system_resolver import MOST_THREADS
from edgegate.net.tls_stream import MOST_MESSAGES
from edgegate.net.transport import HIGH_WATER, READ_SIZE
from edgegate.observe.metrics.buckets import BOUNDS
from edgegate.observe.metrics.families import COUNTED, READ
from edgegate.observe.metrics.label_bounds import MOST_CLUSTERS, MOST_DESTINATIONS, MOST_REASONS, MOST_SERIES
from edgegate.overload.limits import HANDSHAKES, LAG, REQUESTS
from edgegate.sources.loading import load
from edgegate.sources.named import source_named
from edgegate.sources.tree import MOST_NAMES
from edgegate.tls.acme.solvers import name_servers as solving
from edgegate.tls.acme.solvers.hook import MOST_OUTPUT
from edgegate.twistd_options import Options
from edgegate.upstream.balancing.maglev import MAX_SIZE
from edgegate.upstream.balancing.ring import MAX_POINTS
from edgegate.upstream.dns.answers import MAX_ADDRESSES, MAX_CHAIN
from edgegate.upstream.dns.lookups import MOST_AT_ONCE
from edgegate.upstream.dns.resolutions import LOST
from edgegate.upstream.dns.shared_lookups import MOST_WAITING
from edgegate.upstream.dynamic_hosts import MAX_HOSTS, UNUSED
from edgegate.upstream.health.outlier_detection import MAX_EJECTION
from tests.istio.translate.compiling import compiled

SERVICE = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gateway}
spec:
  servers:
  - {port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: www}
spec:
  hosts: [www.example.com]
  gateways: [gateway]
  http:
"""
"""What the examples of routes stand in."""

KNOWN = {each.name: each for each in KINDS}


@cache
def fields_of(kind: str) -> tuple[Field, ...]:
    """Return all fields of a kind."""
    return tuple(fields(KNOWN[kind].struct))


FLAGS_OF_LOG = re.compile(r"(?m)^\| `([A-Z]{2,4})` \|")
"""The rows of the access log's page that name a flag."""

OPTION = re.compile(r"`(--[a-z0-9-]+)")
"""An option in the first cell of a row."""

DOCS = Path(edgegate.__file__).resolve().parents[1] / "docs"


def load_script(name: str) -> ModuleType:
    """Import a script that writes pages."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def put(spec: dict[str, Any], path: str, value: object) -> None:
    """Put a value into a spec, with all that is on the way to it; what is there stays."""
    at: Any = spec
    *ways, name = path.split(".")
    for way in ways:
        at = at.setdefault("x-a" if way == "*" else way.removesuffix("[]"), [{}] if way.endswith("[]") else {})
        at = at[0] if way.endswith("[]") else at
    at.setdefault(name, value)


class CodesTests(SynchronousTestCase):
    """The page of codes."""

    def test_up_to_date(self) -> None:
        """The page says of every code what the command says of it; `python docs/codes.py` writes it anew."""
        self.assertEqual(load_script("codes").written(), (DOCS / "codes.md").read_text())


class FieldsTests(SynchronousTestCase):
    """The tables of fields."""

    def setUp(self) -> None:
        """Import what writes them."""
        self.fields = load_script("fields")

    def test_up_to_date(self) -> None:
        """The pages say of every field what the code does with it; `python docs/fields.py` writes them anew."""
        for name in self.fields.TABLES:
            page = (DOCS / name).read_text()
            self.assertEqual(self.fields.written(name, page), page, name)

    def test_known(self) -> None:
        """What is said of fields is said of fields that there are."""
        for kind, known in self.fields.SAID.items():
            paths = [f".{field.path}" for field in fields_of(kind)]
            unknown = [end for end in known if not any(path.endswith(f".{end}") for path in paths)]
            self.assertEqual(unknown, [], kind)

    def test_policies(self) -> None:
        """Each of edgegate's own kinds has a page, a policy a place in the list of them, and each field has words."""
        index = (DOCS / "policies" / "index.md").read_text()
        for kind in KINDS:
            if kind.group == EDGEGATE:
                page = self.fields.POLICIES[kind.name]
                if not page.startswith("../"):
                    self.assertIn(f"({page}.md)", index, kind.name)
                for field in self.fields.listed(kind.name):
                    self.assertIn("says", self.fields.about(kind.name, field.path), f"{kind.name}.{field.path}")

    def test_examples(self) -> None:
        """Every example is a value that its field takes."""
        found = []
        for kind in (*self.fields.ISTIO, *self.fields.POLICIES):
            for field in self.fields.listed(kind):
                more = self.fields.about(kind, field.path)
                if "example" in more and field.path not in self.fields.REFUSED:
                    found.extend(self.refused(kind, field.path, more["example"]))
        self.assertEqual(found, [])

    def test_refused(self) -> None:
        """What the page calls an error is one."""
        for kind in self.fields.ISTIO:
            for field in self.fields.listed(kind):
                if field.path in self.fields.REFUSED:
                    example = self.fields.about(kind, field.path)["example"]
                    parent = field.path.rpartition(".")[0]
                    self.assertEqual(len(self.refused(kind, field.path, example, parent)), 1, field.path)

    def test_examples_are_checked(self) -> None:
        """A value that a field does not take would be found."""
        for kind, path, wrong in (
            ("Gateway", "servers[].tls.mode", "MUTAL"),
            ("VirtualService", "http[].match[].headers.*.exact", 1),
            ("WorkloadGroup", "probe.httpGet.port", 0),
        ):
            self.assertEqual(len(self.refused(kind, path, wrong)), 1, path)

    def refused(self, kind: str, path: str, example: object, about: str = "") -> list[str]:
        """
        Return the errors of a document with this field in it, and what must stand beside it, that concern it.

        @param about: What they are to concern instead: what it is a part of, say.
        """
        spec: dict[str, Any] = {}
        put(spec, path, example)
        for other, value in self.fields.about(kind, path).get("with", {}).items():
            put(spec, other, value)
        present = {"", *(path[:end] for end, letter in enumerate(path) if letter == ".")}
        for field in fields_of(kind):
            if field.required and field.path.rpartition(".")[0] in present and field.path != path:
                present.update((field.path, f"{field.path}[]"))
                more = self.fields.about(kind, field.path)
                if "example" in more:
                    put(spec, field.path, more["example"])
        document = {"apiVersion": KNOWN[kind].api_versions[0], "kind": kind, "metadata": {"name": "a"}, "spec": spec}
        problems = Problems()
        decode(stream("a.yaml", json.dumps(document).encode(), problems), problems)
        place = "spec." + (about or path).replace("[]", "[0]").replace(".*", ".x-a")
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        return [str(problem) for problem in errors if problem.path.startswith(place)]

    def test_defaults(self) -> None:
        """What a page says that holds where a field is not given is what the code does."""
        hashed = policies.load_balancer(
            rule.LoadBalancerSettings(consistent_hash=rule.ConsistentHashLB(use_source_ip=True))
        )
        maglev = rule.ConsistentHashLB(use_source_ip=True, maglev=rule.Maglev())
        table = policies.load_balancer(rule.LoadBalancerSettings(consistent_hash=maglev))
        warmup = policies.load_balancer(rule.LoadBalancerSettings(warmup=rule.Warmup(duration=Duration(1.0)))).warmup
        outliers = policies.outlier_detection(rule.OutlierDetection())
        budget = policies.retry_share(rule.RetryBudget())
        assert hashed.hash is not None and table.hash is not None and warmup is not None
        terms = TLSRules()
        pool, probe, balancer = "trafficPolicy.connectionPool", "probe", "trafficPolicy.loadBalancer"
        seen, budgets = "trafficPolicy.outlierDetection", "trafficPolicy.retryBudget"
        for kind, path, value in (
            ("Gateway", "servers[].tls.minProtocolVersion", terms.minimum.name),
            ("Gateway", "servers[].tls.maxProtocolVersion", terms.maximum.name),
            ("VirtualService", "http[].retries.attempts", DEFAULT_RETRIES.attempts),
            ("VirtualService", "http[].retries.backoff", f"{DEFAULT_RETRIES.backoff * 1000:g}ms"),
            ("VirtualService", "http[].retries.retryIgnorePreviousHosts", str(DEFAULT_RETRIES.elsewhere).lower()),
            (
                "DestinationRule",
                f"{pool}.tcp.connectTimeout",
                f"{policies.connect_timeout(rule.ConnectionPoolSettings()):g}s",
            ),
            ("DestinationRule", f"{balancer}.simple", hashed.simple.name),
            ("DestinationRule", f"{balancer}.consistentHash.minimumRingSize", hashed.hash.size),
            ("DestinationRule", f"{balancer}.consistentHash.maglev.tableSize", table.hash.size),
            ("DestinationRule", f"{balancer}.warmup.aggression", f"{warmup.aggression:g}"),
            ("DestinationRule", f"{balancer}.warmup.minimumPercent", f"{warmup.minimum * 100:g}"),
            ("DestinationRule", f"{seen}.consecutive5xxErrors", outliers.consecutive_5xx),
            ("DestinationRule", f"{seen}.consecutiveLocalOriginFailures", outliers.consecutive_local_failures),
            ("DestinationRule", f"{seen}.interval", f"{outliers.interval:g}s"),
            ("DestinationRule", f"{seen}.baseEjectionTime", f"{outliers.base_ejection:g}s"),
            ("DestinationRule", f"{seen}.maxEjectionPercent", f"{outliers.max_ejected * 100:g}"),
            ("DestinationRule", f"{seen}.minHealthPercent", f"{outliers.min_health * 100:g}"),
            ("DestinationRule", f"{budgets}.percent", f"{budget.share * 100:g}"),
            ("DestinationRule", f"{budgets}.minRetryConcurrency", budget.minimum),
            (
                "DestinationRule",
                "trafficPolicy.proxyProtocol.version",
                policies.proxy_header(rule.ProxyProtocol()).name,
            ),
            ("WorkloadGroup", f"{probe}.periodSeconds", f"{Probe(1).period:g}"),
            ("WorkloadGroup", f"{probe}.timeoutSeconds", f"{Probe(1).timeout:g}"),
            ("WorkloadGroup", f"{probe}.failureThreshold", Probe(1).failures),
        ):
            default = self.fields.about(kind, path)["default"]
            self.assertEqual(default.partition(";")[0], f"`{value}`", path)
        conditions = self.fields.about("VirtualService", "http[].retries.retryOn")["default"].strip("`").split(",")
        self.assertEqual(set(conditions), DEFAULT_RETRIES.conditions)


class HTTPTests(SynchronousTestCase):
    """The page of HTTP."""

    def test_delegates(self) -> None:
        """The example of a root and its delegate can be served as it stands."""
        section = (DOCS / "http.md").read_text().partition("\n## Delegates\n")[2]
        snapshot, told = compiled(section.partition("```yaml\n")[2].partition("```")[0])
        self.assertEqual(told, [])
        plain = snapshot.listeners[0].plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("www.example.com")
        assert host is not None
        self.assertEqual([(route.name, route.timeout) for route in host.routes], [("shop-cart", 2.0), ("shop", 10.0)])

    def test_routes(self) -> None:
        """Every example of what a route does can be served as it stands, and nothing is to be said of it."""
        page = (DOCS / "http.md").read_text().partition("\n## gRPC and gRPC-Web\n")[0]
        sections = page.partition("\n## What a route does\n")[2].split("```yaml\n")[1:]
        self.assertEqual(len(sections), 8)
        for section in sections:
            items = section.partition("```")[0]
            _, told = compiled(SERVICE + indent(items, "  "))
            self.assertEqual(told, [], items)

    def test_grpc_web(self) -> None:
        """The examples of gRPC-Web can be served as they stand."""
        section = (DOCS / "http.md").read_text().partition("\n## gRPC and gRPC-Web\n")[2]
        entry, items = (part.partition("```")[0] for part in section.split("```yaml\n")[1:])
        snapshot, told = compiled(SERVICE + indent(items, "  ") + "---\n" + entry)
        self.assertEqual(told, [])
        self.assertTrue(any(cluster.grpc_web for cluster in snapshot.clusters.values()))

    def test_operators(self) -> None:
        """Every command operator is in the table."""
        page = (DOCS / "http.md").read_text()
        self.assertEqual([name for name in OPERATORS if f"`%{name}" not in page], [])

    def test_conditions(self) -> None:
        """Every condition of retries that can hold is in the table."""
        page = (DOCS / "http.md").read_text()
        never = ("retriable-headers", "retriable-status-codes", "http3-post-connect-failure")
        self.assertEqual([word for word in RETRY_ON if word not in never and f"`{word}`" not in page], [])


class AccessLogTests(SynchronousTestCase):
    """The page of the access log."""

    def test_operators(self) -> None:
        """Every command operator is in one of the tables."""
        page = (DOCS / "access-log.md").read_text()
        self.assertEqual([name for name in OPERATORS if not re.search(rf"`%{name}[(%]", page)], [])

    def test_attributes(self) -> None:
        """Every attribute and function of filters is told."""
        page = (DOCS / "access-log.md").read_text()
        attributes = [f"{owner}.{name}" for owner, names in ATTRIBUTES.items() for name in names]
        self.assertEqual([name for name in attributes if not re.search(rf"`{re.escape(name)}[`\[]", page)], [])
        self.assertEqual([name for name in (*METHODS, *FUNCTIONS) if not re.search(rf"`{name}[`(]", page)], [])

    def test_example(self) -> None:
        """The example of the files is what the page says."""
        example = (DOCS / "access-log.md").read_text().split("```yaml\n")[1].partition("```")[0]
        snapshot, problems = compiled(f"{SERVICE}  - directResponse: {{status: 200}}\n---\n{example}")
        self.assertEqual(problems, [])
        logs = snapshot.access_logs or ()
        self.assertEqual([(log.name, bool(log.filter)) for log in logs], [("everything", False), ("errors", True)])


class ClustersTests(SynchronousTestCase):
    """The page of clusters."""

    def test_examples(self) -> None:
        """All examples together can be served as they stand, and do what the page says."""
        blocks = (DOCS / "clusters.md").read_text().split("```yaml\n")[1:]
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "page.yaml").write_text("---\n".join(block.partition("```")[0] for block in blocks))
        loaded = load(source_named(str(folder)))
        self.assertEqual([str(problem) for problem in loaded.problems], [])
        snapshot = loaded.snapshot
        assert snapshot is not None
        endpoints = {
            name: [str(endpoint.address) for endpoint in assigned] for name, assigned in loaded.endpoints.items()
        }
        self.assertEqual(
            endpoints,
            {
                "outbound|80|v1|reviews.default.svc.cluster.local": ["192.0.2.1:8080", "192.0.2.2:8080"],
                "outbound|80|v2|reviews.default.svc.cluster.local": ["192.0.2.3:9090"],
                "outbound|80||*.shards.example.com": ["*.shards.example.com:80"],
                "outbound|80||orders.example.com": ["192.0.2.10:8000", "192.0.2.11:9000"],
                "outbound|443||api.example.net": ["api.example.net:443"],
            },
        )
        shards, first, second, orders, api = snapshot.clusters.values()
        self.assertIs(first.balancer.simple, Balancing.ROUND_ROBIN)
        self.assertEqual((first.outliers, first.limits), (second.outliers, second.limits))
        self.assertEqual(second.balancer.hash, ConsistentHash(HashSource.COOKIE, "session", 0.0))
        probes = {endpoint.probe for endpoint in loaded.endpoints[orders.name]}
        self.assertEqual(probes, {Probe(8001, "/healthz", period=5.0, failures=2)})
        self.assertEqual(api.tls, UpstreamTLS("api.example.net"))
        self.assertIs(shards.discovery, Discovery.DYNAMIC)


class TroubleshootingTests(SynchronousTestCase):
    """The page of response flags."""

    def test_flags(self) -> None:
        """Every flag that the log can show has a part, with a row for each status that it can come with."""
        page = (DOCS / "troubleshooting.md").read_text()
        parts = {title.strip(): text for title, _, text in (part.partition("\n") for part in page.split("\n## ")[1:])}
        parts.update(dict.fromkeys((FAULT_ABORT.flag, "DI"), parts["DI and FI"]))
        parts["-"] = parts["No flag"]
        failures = [each for each in vars(errors).values() if isinstance(each, errors.Fault)]
        self.assertGreater(len(failures), 20)
        for fault in failures:
            self.assertIn(fault.flag, parts)
            status = re.escape(str(fault.status))
            self.assertRegex(parts[fault.flag], rf"(?m)^\| {status}\b", f"{fault.flag} with {fault.status}")
        for flag in (
            retrying.LIMIT_EXCEEDED,
            retrying.OVERFLOW,
            *FLAGS_OF_LOG.findall((DOCS / "access-log.md").read_text()),
        ):
            self.assertIn(flag, parts)


def command_named(name: str) -> click.Command:
    """Return a command of C{edgegate}."""
    found = main.get_command(click.Context(main), name)
    assert found is not None
    return found


class OptionsTests(SynchronousTestCase):
    """The tables of options."""

    def rows(self, page: str, section: str) -> list[list[str]]:
        """Return the cells of a section's table, without its head."""
        text = (DOCS / page).read_text().partition(f"\n## {section}\n")[2].partition("\n#")[0]
        return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]

    def test_gateway(self) -> None:
        """Every option of the gateway has its row, and every row is of an option."""
        known = {f"--{name.rstrip('=')}" for name in Options().longOpt} - {"--help", "--version"}
        told = [option for row in self.rows("operations.md", "Starting") for option in OPTION.findall(row[0])]
        self.assertEqual(sorted(told), sorted(known))

    def test_commands(self) -> None:
        """Every option of each command has its row, and every row is of options of the commands that it names."""
        known = {
            (name, max(option.opts, key=len))
            for name in COMMANDS
            for option in command_named(name).params
            if isinstance(option, click.Option)
        }
        told = [
            (command, option)
            for options, commands, _ in self.rows("admin.md", "Options of the commands")
            for command in re.findall(r"`([a-z-]+)`", commands)
            for option in OPTION.findall(options)
        ]
        self.assertEqual(sorted(told), sorted(known))


class MetricsTests(SynchronousTestCase):
    """The page of metrics."""

    def test_names(self) -> None:
        """It names every metric: in full, or by its end behind others that begin alike."""
        words = set(re.findall(r"[a-z0-9_]+", (DOCS / "metrics.md").read_text()))
        for kind in (*COUNTED, *READ):
            for family in kind.families:
                name = family.name
                ends = {name[place:] for place, letter in enumerate(name) if letter == "_"}
                self.assertTrue(words & {name, *ends}, name)

    def test_bounds(self) -> None:
        """It names the bounds and the buckets that are in force."""
        page = (DOCS / "metrics.md").read_text()
        for said in (
            f"default: {MOST_CLUSTERS}",
            f"at most {MOST_DESTINATIONS} destinations",
            f"at most {MOST_SERIES} series",
            f"at most {MOST_REASONS} reasons",
            " ".join(BOUNDS[:-1]),
        ):
            self.assertIn(said, page)


class LimitsTests(SynchronousTestCase):
    """The page of limits."""

    def test_values(self) -> None:
        """It names the values that are in force."""
        page = (DOCS / "limits.md").read_text()
        limits = Limits()
        for said in (
            f"| connections | {MOST_CONNECTIONS} |",
            f"| head of a request | {MOST_HEAD >> 10} KiB, {MOST_FIELDS} fields | 400",
            f"| body of a request | {MAX_BODY >> 10} KiB, with its length |",
            f"| taps | {MOST_TAPS}, each of 1,000 requests and {MOST_SECONDS} s; 1,024 characters",
            f"{limits.head_bytes // 1024} KiB, {limits.head_fields} fields | 431",
            f"have not come yet | {limits.unfinished_heads_bytes >> 20} MiB",
            f"until its answer begins | {limits.body_rate} bytes a second",
            f"for room and {STREAM_BYTES >> 10} KiB for each of their streams | {limits.http2_bytes >> 20} MiB",
            f"to be sent again | {limits.upload_bytes >> 10} KiB; {limits.kept_bodies_bytes >> 20} MiB of all requests",
            f"in one turn of the loop | {BEGUN}; {CROWDED_BEGUN} where more than",
            f"are read in one turn of the loop | {WORK}, a head being {HEAD_WORK}; {CROWDED_WORK} where more",
            f"answer (a window of the connection or of the stream that is used up) | {UNREAD} |",
            f"trailer fields of a request | {MAX_TRAILERS >> 10} KiB, {limits.head_fields} fields",
            f"{limits.head_seconds:g} s, however steadily it drips",
            f"no progress in a body | {limits.body_seconds:g} s",
            f"kept connection | {limits.idle_seconds:g} s",
            f"{limits.response_head_bytes // 1024} KiB, {limits.response_fields} fields, "
            f"{limits.interim_responses} interim",
            f"under way | {limits.stream_idle_seconds / 60:g} min",
            f"byte in either direction | {limits.stream_idle_seconds / 60:g} min",
            f"{limits.stall_seconds:g} s in which its system acknowledges less than {limits.stall_bytes >> 10} KiB",
            f"{HIGH_WATER >> 10} KiB and one read: {READ_SIZE >> 10} KiB, 128 KiB from a backend inside TLS, or "
            f"{BUFFER_SIZE >> 10} KiB of",
            f"copies of requests on their way to mirrors | {limits.shadows:,}",
            f"answer of a mirror | {limits.linger_bytes >> 20} MiB, {limits.stall_seconds:g} s",
            f"aliases on the way to them | {MAX_ADDRESSES}, {MAX_CHAIN} |",
            f"name servers are asked for at one time | {MOST_AT_ONCE} |",
            f"name server that takes updates | {solving.TIMEOUT:g} s |",
            f"`propagationTimeout`, {LONGEST_PROPAGATION:g} s at most): {solving.MOST_ADDRESSES} addresses, "
            f"{solving.GLANCE:g} s each",
            f"CNAMEs from `_acme-challenge` on | {solving.MOST_ALIASES} |",
            f"{HookCommand(()).timeout:g} s (`commandTimeout`, {LONGEST_COMMAND:g} s at most), then it is ended with "
            f"what it has started; {MOST_OUTPUT >> 10} KiB of",
            f"system's resolver is asked for at one time | {MOST_THREADS} |",
            f"heads together whose ends have not come yet | {limits.unfinished_heads_bytes >> 20} MiB",
            f"least rate of a body until its answer begins | {limits.body_rate} bytes a second",
            f"So a body has {limits.body_seconds:g} seconds in advance",
            f"from clients and backends | {MOST_MESSAGES}, a key update",
            f"address of one host | {MOST_WAITING:,}, for {LOST / 60:g} min",
            f"`DYNAMIC_DNS` cluster | {MAX_HOSTS:,}; each for {UNUSED / 60:g} min",
            f"{MOST_NAMES:,} files",
            f"points of a hash ring | about {MAX_POINTS:,}",
            f"slots of a Maglev table | {MAX_SIZE:,}",
            f"outlier detection | {MAX_EJECTION / 60:g} min",
            f"by gRPC | {limits.response_head_bytes >> 10} KiB of head (of the body, only what comes with it is read), "
            f"and {MAX_MESSAGE >> 10} KiB of body",
            f"header of version 1, {MAX_V2 >> 10} KiB",
            f"may have {MAX_FILE >> 20} MiB",
            f"that are under way | {HANDSHAKES:,}, but",
            f"requests under way | {REQUESTS:,} (",
            f"a second on end | {LAG * 1000:g} ms",
            f"begins at most {TURN} requests",
            f"up to {BACKLOG:,} for each port",
        ):
            self.assertIn(said, page)
