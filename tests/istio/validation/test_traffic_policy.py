"""Tests of L{edgegate.istio.validation.traffic_policy}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class TrafficPolicyTests(CasesTestCase):
    """How services are spoken to."""

    def policies(self, *cases: tuple[str, str], severity: str = "error") -> None:
        """Check policies."""
        self.check(
            "DestinationRule",
            [(f"host: web\ntrafficPolicy: {{{policy}}}", words) for policy, words in cases],
            severity,
        )

    def test_empty(self) -> None:
        """What is given says something."""
        self.policies(
            ("", "spec.trafficPolicy: says nothing"),
            ("retryBudget: {}", ""),
            ("connectionPool: {}", "connectionPool: says nothing"),
            ("connectionPool: {http: {}}", ""),
            ("outlierDetection: {}", ""),
        )

    def test_pool(self) -> None:
        """Counts are not negative, times at least 1 ms."""
        for field in (
            *("http: {http1MaxPendingRequests: -1}", "http: {http2MaxRequests: -1}", "http: {maxRetries: -1}"),
            *("http: {maxRequestsPerConnection: -1}", "http: {maxConcurrentStreams: -1}", "tcp: {maxConnections: -1}"),
        ):
            self.policies((f"connectionPool: {{{field}}}", "-1 is less than 0"))
        self.policies(
            ("connectionPool: {tcp: {connectTimeout: 0s}}", "at least 1ms"),
            ("connectionPool: {tcp: {idleTimeout: 0s}}", ""),
            ("connectionPool: {tcp: {idleTimeout: 1ns}}", ""),
            ("connectionPool: {tcp: {idleTimeout: 2.0005s}}", "whole number of milliseconds"),
            ("connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}}", "no h2UpgradePolicy"),
        )

    def test_outliers(self) -> None:
        """Percentages, statuses, and what local failures need to be counted."""
        self.policies(
            ("outlierDetection: {maxEjectionPercent: 101}", "101 is no percentage"),
            ("outlierDetection: {minHealthPercent: -1}", "-1 is no percentage"),
            ("outlierDetection: {consecutiveErrors: -1}", "-1 is less than 0"),
            ("outlierDetection: {consecutiveLocalOriginFailures: 2}", "needs splitExternalLocalOriginErrors"),
            (
                "outlierDetection: {consecutiveLocalOriginFailures: 2, splitExternalLocalOriginErrors: true}",
                "",
            ),
            ("outlierDetection: {outlierDetectionHttpErrorCodes: [503, 600]}", "HttpErrorCodes[1]: 600 is no status"),
        )
        self.policies(("outlierDetection: {consecutiveErrors: 5}", "deprecated"), severity="warning")

    def test_ports(self) -> None:
        """Settings are for one port each, and say something."""
        start = "portLevelSettings: "
        self.policies(
            (start + "[{port: {number: 80}, loadBalancer: {simple: RANDOM}}]", ""),
            (start + "[{loadBalancer: {simple: RANDOM}}]", "[0].port: missing"),
            (start + "[{port: {number: 0}, tls: {mode: SIMPLE}}]", "0 is no port"),
            (start + "[{port: {number: 80}}]", "portLevelSettings[0]: says nothing"),
            (
                start + "[{port: {number: 80}, tls: {mode: SIMPLE}}, {port: {number: 80}, tls: {mode: SIMPLE}}]",
                "80 is the port of portLevelSettings[0] too",
            ),
            (start + "[{port: {number: 80}, connectionPool: {}}]", "connectionPool: says nothing"),
        )

    def test_tunnels_and_budgets(self) -> None:
        """A tunnel has a target and goes with no PROXY protocol; a budget is a percentage."""
        self.policies(
            ("tunnel: {targetHost: a.example, targetPort: 80, protocol: POST}", ""),
            ("tunnel: {targetHost: a.example, targetPort: 80, protocol: GET}", "neither CONNECT nor POST"),
            ("tunnel: {targetHost: 'a b', targetPort: 80}", "tunnel.targetHost"),
            ("tunnel: {targetHost: 10.0.0.1, targetPort: 0}", "0 is no port"),
            ("tunnel: {targetHost: a.example, targetPort: 80}, proxyProtocol: {}", "goes with no tunnel"),
            ("proxyProtocol: {version: V3}", "V3"),
            ("retryBudget: {percent: 100.5}", "100.5 is no percentage"),
        )
