"""Tests of L{edgegate.istio.kinds.destination_rule}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.destination_rule import ClientTLSMode, SimpleLB
from tests.config.reading import document, resources, told_of

RULE = """\
host: web
trafficPolicy:
  loadBalancer: {simple: LEAST_CONN}
  connectionPool:
    http: {http1MaxPendingRequests: 1, http2_max_requests: 2}
    tcp: {connectTimeout: 100ms, idleTimeout: 0s}
  outlierDetection: {consecutive5xxErrors: 3}
  tls: {mode: SIMPLE}
"""


class DestinationRuleTests(SynchronousTestCase):
    """Rules as they are written."""

    def test_fields(self) -> None:
        """Names with numbers are read in both spellings, and a time may be 0 where Istio takes that."""
        found, told = resources(document("DestinationRule", RULE))
        self.assertEqual(told, [])
        policy = found.destination_rules[0].spec.traffic_policy
        assert policy is not None and policy.load_balancer is not None and policy.connection_pool is not None
        assert policy.tls is not None and policy.outlier_detection is not None
        self.assertIs(policy.load_balancer.simple, SimpleLB.LEAST_CONN)
        self.assertIs(policy.tls.mode, ClientTLSMode.SIMPLE)
        http, tcp = policy.connection_pool.http, policy.connection_pool.tcp
        assert http is not None and tcp is not None
        self.assertEqual((http.http1_max_pending_requests, http.http2_max_requests), (1, 2))
        self.assertEqual((tcp.connect_timeout, tcp.idle_timeout), (0.1, 0.0))
        self.assertEqual(policy.outlier_detection.consecutive_5xx_errors, 3)

    def test_not_honoured(self) -> None:
        """What has no meaning at an edge, or not yet, is said at its field."""
        for policy, path in (
            ("tls: {mode: ISTIO_MUTUAL}", "tls.mode: not honoured: its certificates are a mesh's"),
            ("tunnel: {targetHost: a.example, targetPort: 80}", "tunnel: not honoured"),
            ("connectionPool: {http: {h2UpgradePolicy: UPGRADE, maxConcurrentStreams: 9}}", ""),
            ("connectionPool: {http: {useClientProtocol: true, http2KeepAlive: {interval: 1s}}}", ""),
            ("loadBalancer: {zoneAwareLbSetting: {enabled: true}}", "zoneAwareLbSetting: not honoured"),
            ("retryBudget: {percent: 10, budgetInterval: 1s}", "budgetInterval: not honoured"),
        ):
            found = told_of("DestinationRule", f"host: web\ntrafficPolicy:\n  {policy}\n")
            self.assertEqual(len(found), 1 if path else 0, found)
            self.assertTrue(all(path in line and " warning: " in line for line in found), found)
        (told,) = told_of("DestinationRule", "host: web\nworkloadSelector: {matchLabels: {a: b}}\n")
        self.assertIn("spec.workloadSelector: not honoured: the rule is for workloads of a mesh, and is left out", told)

    def test_exclusive(self) -> None:
        """Of fields that exclude each other one may be given."""
        for balancer in (
            "{simple: RANDOM, consistentHash: {useSourceIp: true}}",
            "{consistentHash: {useSourceIp: true, httpHeaderName: a}}",
        ):
            (told,) = told_of("DestinationRule", f"host: web\ntrafficPolicy: {{loadBalancer: {balancer}}}\n")
            self.assertIn("may be given", told)
