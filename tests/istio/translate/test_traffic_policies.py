"""Tests of L{edgegate.istio.translate.traffic_policies}; the values are in the golden pair C{destination-rules}."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds import destination_rule as kind
from edgegate.istio.translate.destination_rules import Said
from edgegate.istio.translate.traffic_policies import (
    Effective,
    connect_timeout,
    effective,
    http_version,
    load_balancer,
    outlier_detection,
    pool_limits,
    proxy_header,
    retry_share,
)
from edgegate.model.clusters import (
    Balancing,
    HTTPVersion,
    LoadBalancer,
    OutlierDetection,
    Ping,
    PoolLimits,
    ProxyHeader,
    RetryShare,
)
from tests.istio.translate.compiling import decoded
from tests.istio.translate.ruling import rule

PORT = "portLevelSettings: [{port: {number: 81}, loadBalancer: {simple: RANDOM}}]"
PARTS = ("load_balancer", "connection_pool", "outlier_detection", "tls", "proxy_protocol", "retry_budget")


def policy(text: str, *path: str) -> Said[kind.TrafficPolicy] | None:
    """Return a policy in flow style, as if it stood at a path."""
    if not text:
        return None
    resources, _ = decoded(rule(f"host: web, trafficPolicy: {{{text}}}"))
    (resource,) = resources.destination_rules
    assert resource.spec.traffic_policy is not None
    return Said(resource.spec.traffic_policy, resource, path)


class EffectiveTests(SynchronousTestCase):
    """Which parts of a policy count."""

    def paths(self, merged: Effective) -> list[str]:
        """Return where each part that counts was said."""
        parts = [getattr(merged, name) for name in PARTS]
        return [".".join(map(str, part.path)) for part in parts if part is not None]

    def test_merging(self) -> None:
        """A port's settings stand in place of all parts that they can have, a subset's parts in place of the rule's."""
        whole = "loadBalancer: {simple: ROUND_ROBIN}, tls: {mode: SIMPLE}, proxyProtocol: {}"
        for top, subset, port, counts in (
            ("", "", 80, []),
            (whole, "", 80, ["top.loadBalancer", "top.tls", "top.proxyProtocol"]),
            (f"{whole}, {PORT}", "", 80, ["top.loadBalancer", "top.tls", "top.proxyProtocol"]),
            (f"{whole}, {PORT}", "", 81, ["top.portLevelSettings.0.loadBalancer", "top.proxyProtocol"]),
            (
                whole,
                "outlierDetection: {}",
                80,
                ["top.loadBalancer", "sub.outlierDetection", "top.tls", "top.proxyProtocol"],
            ),
            (whole, "tls: {mode: DISABLE}", 80, ["top.loadBalancer", "sub.tls", "top.proxyProtocol"]),
            (whole, PORT, 81, ["sub.portLevelSettings.0.loadBalancer", "top.proxyProtocol"]),
            (
                whole,
                f"{PORT}, retryBudget: {{}}",
                81,
                [
                    "sub.portLevelSettings.0.loadBalancer",
                    "top.proxyProtocol",
                    "sub.retryBudget",
                ],
            ),
            ("", "tls: {mode: SIMPLE}", 80, ["sub.tls"]),
        ):
            merged = effective(policy(top, "top"), policy(subset, "sub"), port)
            self.assertEqual(self.paths(merged), counts, (top, subset, port))


class ValueTests(SynchronousTestCase):
    """What the parts come to."""

    def test_defaults(self) -> None:
        """What says nothing has Istio's defaults."""
        self.assertEqual(load_balancer(kind.LoadBalancerSettings()), LoadBalancer(Balancing.LEAST_REQUEST))
        self.assertEqual(pool_limits(kind.ConnectionPoolSettings()), PoolLimits())
        self.assertEqual(connect_timeout(kind.ConnectionPoolSettings()), 10.0)
        self.assertEqual(connect_timeout(kind.ConnectionPoolSettings(tcp=kind.TCPSettings())), 10.0)
        self.assertEqual(outlier_detection(kind.OutlierDetection()), OutlierDetection())
        self.assertEqual(retry_share(kind.RetryBudget()), RetryShare(0.2, 3))
        self.assertIs(proxy_header(kind.ProxyProtocol()), ProxyHeader.V1)

    def test_http_version(self) -> None:
        """A rule stands in place of what a port says, but for C{DO_NOT_UPGRADE}; PINGs have times of their own."""
        one, two = HTTPVersion.HTTP1, HTTPVersion.HTTP2
        for said, declared, found in (
            ({}, two, two),
            ({"h2_upgrade_policy": kind.H2UpgradePolicy.UPGRADE}, one, two),
            ({"h2_upgrade_policy": kind.H2UpgradePolicy.DO_NOT_UPGRADE}, two, two),
            ({"use_client_protocol": True}, two, HTTPVersion.CLIENTS),
        ):
            http: dict[str, Any] = dict(said)
            settings = kind.ConnectionPoolSettings(http=kind.HTTPSettings(**http))
            self.assertIs(http_version(settings, declared), found, said)
        self.assertIs(http_version(kind.ConnectionPoolSettings(), one), one)
        http = {"max_concurrent_streams": 7, "http2_keep_alive": kind.HTTP2KeepAlive(interval=3.0)}
        limits = pool_limits(kind.ConnectionPoolSettings(http=kind.HTTPSettings(**http)))
        self.assertEqual((limits.streams, limits.ping), (7, Ping(3.0, 3.0)))

    def test_simple(self) -> None:
        """Each algorithm has its value, the old name of one too."""
        for given, expected in (
            ("UNSPECIFIED", Balancing.LEAST_REQUEST),
            ("LEAST_CONN", Balancing.LEAST_REQUEST),
            ("LEAST_REQUEST", Balancing.LEAST_REQUEST),
            ("ROUND_ROBIN", Balancing.ROUND_ROBIN),
            ("RANDOM", Balancing.RANDOM),
            ("PASSTHROUGH", Balancing.PASSTHROUGH),
        ):
            settings = msgspec.convert({"simple": given}, kind.LoadBalancerSettings)
            self.assertIs(load_balancer(settings).simple, expected)

    def test_localities_off(self) -> None:
        """Localities can be turned off where they are set."""
        setting = {"enabled": False, "failover": [{"from": "eu", "to": "us"}]}
        settings = msgspec.convert({"localityLbSetting": setting}, kind.LoadBalancerSettings)
        self.assertIsNone(load_balancer(settings).localities)

    def test_counts_of_errors(self) -> None:
        """5 answers of 5xx are enough unless it is said otherwise; 0 turns a count off."""
        for given, expected in (
            ({}, (5, 0)),
            ({"consecutive5xxErrors": 0}, (0, 0)),
            ({"consecutiveGatewayErrors": 2}, (5, 2)),
            ({"consecutiveErrors": 7}, (0, 7)),
            ({"consecutiveErrors": 7, "consecutive5xxErrors": 3, "consecutiveGatewayErrors": 2}, (3, 2)),
        ):
            found = outlier_detection(msgspec.convert(given, kind.OutlierDetection))
            self.assertEqual((found.consecutive_5xx, found.consecutive_gateway_errors), expected)
