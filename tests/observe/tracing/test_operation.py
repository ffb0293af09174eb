"""Tests of L{edgegate.observe.tracing.operation}."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.model.tracing import TAG_LENGTH
from edgegate.observe.tracing.operation import operation, upstream_operation
from tests.observe.test_log_lines import AnyHead

ORIGIN = Origin("shop.yaml", 12, "VirtualService default/shop")
WEB, OTHER = (WeightedCluster(f"outbound|{port}|v1|web.default.svc.cluster.local", 1) for port in (80, 81))


@dataclass
class Asked:
    """A request for C{/a}."""

    route: HTTPRoute | None
    head: AnyHead = field(default_factory=AnyHead)
    port: int = 8080


def named(*destinations: WeightedCluster, uris: tuple[StringMatch, ...] = (), target: bytes = b"/a?b=c") -> str:
    """Return the name of the span of a request that has taken a route."""
    route = HTTPRoute("r", ORIGIN, destinations, tuple(HTTPMatch(uri=uri) for uri in uris))
    return operation(cast(Any, Asked(route, AnyHead(target=target))))


class OperationTests(SynchronousTestCase):
    """What spans are called."""

    def test_destinations(self) -> None:
        """One destination is named by its host and port, others by the VirtualService and the gateway's port."""
        self.assertEqual(named(WEB), "web.default.svc.cluster.local:80/*")
        self.assertEqual(named(WEB, OTHER), "shop:8080/*")
        self.assertEqual(named(), "shop:8080/*")
        self.assertEqual(named(WeightedCluster("web", 1)), "shop:8080/*")

    def test_paths(self) -> None:
        """The path is that of the match, as Istio shows it."""
        for kind, value, shown in (
            (Kind.PREFIX, "/a", "/a*"),
            (Kind.PREFIX, "/", "/*"),
            (Kind.EXACT, "/a", "/a"),
            (Kind.REGEX, "/[ab]", "/[ab]"),
            (Kind.PRESENT, "", "/*"),
        ):
            self.assertEqual(named(uris=(StringMatch(kind, value),)), f"shop:8080{shown}")

    def test_several(self) -> None:
        """Of several matches it is the one that the request's path has met."""
        uris = (StringMatch(Kind.EXACT, "/b"), StringMatch(Kind.PREFIX, "/c"))
        self.assertEqual(named(uris=uris, target=b"/c/d"), "shop:8080/c*")
        self.assertEqual(named(uris=uris, target=b"/b?c"), "shop:8080/b")

    def test_none(self) -> None:
        """Without a route it is the host that was asked for."""
        self.assertEqual(operation(cast(Any, Asked(None))), "egress shop.example")
        long = Asked(None, AnyHead(authority=b"\xff" * 60_000))
        self.assertEqual(operation(cast(Any, long)), f"egress {TAG_LENGTH * chr(0xFFFD)}")

    def test_upstream(self) -> None:
        """A try is named by its cluster, as Istio calls that in statistics."""
        self.assertEqual(upstream_operation("outbound|80||a"), "router outbound|80||a; egress")
