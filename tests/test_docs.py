"""Tests for what the documentation says of the code."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from textwrap import indent
from types import ModuleType

from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate.config.documents import MAX_FILE
from edgegate.config.validation.http_actions import RETRY_ON
from edgegate.http.chunks import MAX_TRAILERS
from edgegate.http.limits import Limits
from edgegate.loading import load
from edgegate.net.body_copy import BUFFER_SIZE
from edgegate.net.proxy_protocol import MAX_V2
from edgegate.net.transport import HIGH_WATER, READ_SIZE
from edgegate.routing.clusters import Balancing, ConsistentHash, Discovery, HashSource, Probe
from edgegate.routing.operators import OPERATORS
from edgegate.routing.tls import UpstreamTLS
from edgegate.upstream import asking, grpc_health
from edgegate.upstream.balancing.maglev import MAX_SIZE
from edgegate.upstream.balancing.ring import MAX_POINTS
from edgegate.upstream.dns_answers import MAX_ADDRESSES, MAX_CHAIN
from edgegate.upstream.lookups import MOST_AT_ONCE
from edgegate.upstream.outliers import MAX_EJECTION
from tests.routing.compiler.compiling import compiled

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

DOCS = Path(edgegate.__file__).resolve().parents[1] / "docs"


def load_fields() -> ModuleType:
    """Import the script that writes the tables."""
    spec = importlib.util.spec_from_file_location("docs_fields", DOCS / "fields.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class FieldsTests(SynchronousTestCase):
    """The tables of honoured fields."""

    def test_up_to_date(self) -> None:
        """The page says of every field what the code does with it; `python docs/fields.py` writes it anew."""
        page = (DOCS / "configuration.md").read_text()
        self.assertEqual(load_fields().written(page), page)


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
        sections = (DOCS / "http.md").read_text().partition("\n## What a route does\n")[2].split("```yaml\n")[1:]
        self.assertEqual(len(sections), 8)
        for section in sections:
            items = section.partition("```")[0]
            _, told = compiled(SERVICE + indent(items, "  "))
            self.assertEqual(told, [], items)

    def test_operators(self) -> None:
        """Every command operator is in the table."""
        page = (DOCS / "http.md").read_text()
        self.assertEqual([name for name in OPERATORS if f"`%{name}" not in page], [])

    def test_conditions(self) -> None:
        """Every condition of retries that can hold is in the table."""
        page = (DOCS / "http.md").read_text()
        never = ("retriable-headers", "retriable-status-codes", "http3-post-connect-failure")
        self.assertEqual([word for word in RETRY_ON if word not in never and f"`{word}`" not in page], [])


class ClustersTests(SynchronousTestCase):
    """The page of clusters."""

    def test_examples(self) -> None:
        """All examples together can be served as they stand, and do what the page says."""
        blocks = (DOCS / "clusters.md").read_text().split("```yaml\n")[1:]
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "page.yaml").write_text("---\n".join(block.partition("```")[0] for block in blocks))
        loaded = load(str(folder))
        self.assertEqual([str(problem) for problem in loaded.problems], [])
        snapshot = loaded.snapshot
        assert snapshot is not None
        endpoints = {
            name: [str(endpoint.address) for endpoint in cluster.endpoints]
            for name, cluster in snapshot.clusters.items()
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
        self.assertEqual(
            {endpoint.probe for endpoint in orders.endpoints}, {Probe(8001, "/healthz", period=5.0, failures=2)}
        )
        self.assertEqual(api.tls, UpstreamTLS("api.example.net"))
        self.assertIs(shards.discovery, Discovery.DYNAMIC)


class LimitsTests(SynchronousTestCase):
    """The page of limits."""

    def test_values(self) -> None:
        """It names the values that are in force."""
        page = (DOCS / "limits.md").read_text()
        limits = Limits()
        for said in (
            f"{limits.head_bytes // 1024} KiB, {limits.head_fields} fields | 431",
            f"have not come yet | {limits.unfinished_heads_bytes >> 20} MiB",
            f"until its answer begins | {limits.body_rate} bytes a second",
            f"trailer fields of a request | {MAX_TRAILERS >> 10} KiB, {limits.head_fields} fields",
            f"{limits.head_seconds:g} s, however steadily it drips",
            f"no progress in a body | {limits.body_seconds:g} s",
            f"kept connection | {limits.idle_seconds:g} s",
            f"{limits.answer_head_bytes // 1024} KiB, {limits.answer_fields} fields, {limits.interim_answers} interim",
            f"under way | {limits.stream_idle_seconds / 60:g} min",
            f"byte in either direction | {limits.stream_idle_seconds / 60:g} min",
            f"{limits.stall_seconds:g} s in which its system acknowledges less than {limits.stall_bytes >> 10} KiB",
            f"{HIGH_WATER >> 10} KiB and one read: {READ_SIZE >> 10} KiB, or {BUFFER_SIZE >> 10} KiB of",
            f"copies of requests on their way to mirrors | {limits.shadows:,}",
            f"answer of a mirror | {limits.linger_bytes >> 20} MiB, {limits.stall_seconds:g} s",
            f"aliases on the way to them | {MAX_ADDRESSES}, {MAX_CHAIN} |",
            f"asked for at one time | {MOST_AT_ONCE} |",
            f"points of a hash ring | about {MAX_POINTS:,}",
            f"slots of a Maglev table | {MAX_SIZE:,}",
            f"outlier detection | {MAX_EJECTION / 60:g} min",
            f"by gRPC | {asking.MAX_ANSWER >> 10} KiB (of the body, only what comes with the head is read), "
            f"{grpc_health.MAX_ANSWER >> 10} KiB",
            f"header of version 1, {MAX_V2 >> 10} KiB",
            f"may have {MAX_FILE >> 20} MiB",
        ):
            self.assertIn(said, page)
