"""Tests of L{edgegate.istio.validation.load_balancer}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class LoadBalancerTests(CasesTestCase):
    """How load is spread."""

    def balancers(self, *cases: tuple[str, str], severity: str = "error", outliers: bool = True) -> None:
        """Check load balancers."""
        beside = ", outlierDetection: {}" if outliers else ""
        self.check(
            "DestinationRule",
            [(f"host: web\ntrafficPolicy: {{loadBalancer: {{{each}}}{beside}}}", words) for each, words in cases],
            severity,
        )

    def test_hashes(self) -> None:
        """One key, one algorithm, and sizes that can be."""
        start = "consistentHash: "
        self.balancers(
            (start + "{httpHeaderName: x-user}", ""),
            (start + "{httpHeaderName: 'a b'}", "no name of a header"),
            (start + "{}", "does not say what to hash by"),
            (start + "{useSourceIp: false}", "does not say what to hash by"),
            (start + "{httpCookie: {name: ''}}", "a cookie has a name"),
            (start + "{httpCookie: {ttl: 0s}}", "httpCookie.name: missing"),
            (start + "{httpCookie: {name: a.b_c, path: /x, attributes: [{name: Secure}]}}", ""),
            (start + "{httpCookie: {name: 'a;b'}}", 'httpCookie.name: "a;b" is no name of a cookie'),
            (start + '{httpCookie: {name: "a\\r\\nX-Evil: 1"}}', "is no name of a cookie"),
            (start + "{httpCookie: {name: \u4e2d}}", "is no name of a cookie"),
            (start + "{httpCookie: {name: a, path: '/;Domain=b'}}", "httpCookie.path: "),
            (start + "{httpCookie: {name: a, attributes: [{name: b}, {name: c}]}}", ""),
            (
                start + "{httpCookie: {name: a, attributes: [{name: b}, {name: B}]}}",
                '"B" is the name of attributes[0] too',
            ),
            (start + "{httpCookie: {name: a, attributes: [{name: ''}]}}", "is no name of an attribute"),
            (start + '{httpCookie: {name: a, attributes: [{name: b, value: "c\\n"}]}}', "attributes[0].value: "),
            (start + "{useSourceIp: true, ringHash: {minimumRingSize: 9000000}}", "is more than 8388608"),
            (start + "{useSourceIp: true, ringHash: {}, maglev: {tableSize: 7}}", "goes with no ringHash"),
            (start + "{useSourceIp: true, ringHash: {}, minimumRingSize: 7}", "goes with neither"),
            (start + "{useSourceIp: true, maglev: {}}", "tableSize: missing"),
            (start + "{useSourceIp: true, maglev: {tableSize: 65537}}", ""),
            (start + "{useSourceIp: true, maglev: {tableSize: 2}}", ""),
            (start + "{useSourceIp: true, maglev: {tableSize: 65536}}", "no prime"),
            (start + "{useSourceIp: true, maglev: {tableSize: 9}}", "no prime"),
            (start + "{useSourceIp: true, maglev: {tableSize: 5000011}}", "not less than 5000011"),
        )
        self.balancers((start + "{useSourceIp: true, minimumRingSize: 7}", "deprecated"), severity="warning")

    def test_warmup(self) -> None:
        """Warming up goes with some algorithms, faster or evenly."""
        self.balancers(
            ("warmup: {duration: 1m, aggression: 1.5, minimumPercent: 10}", ""),
            ("warmup: {duration: 1m, aggression: 0.5}", "0.5 is less than 1"),
            ("warmup: {duration: 1m, minimumPercent: 101}", "101 is no percentage"),
            ("warmup: {aggression: 2}", "duration: missing"),
        )
        self.balancers(
            ("simple: ROUND_ROBIN, warmup: {duration: 1m}", ""),
            ("simple: RANDOM, warmup: {duration: 1m}", "changes nothing"),
            ("consistentHash: {useSourceIp: true}, warmup: {duration: 1m}", "changes nothing"),
            ("warmupDurationSecs: 60s", "deprecated: use warmup.duration"),
            severity="warning",
        )

    def test_localities(self) -> None:
        """Weights add up, patterns do not overlap, regions differ."""
        start = "localityLbSetting: "
        self.balancers(
            (start + "{distribute: [{from: eu/a/*, to: {eu/a/*: 80, eu/b/*: 20}}]}", ""),
            (start + "{distribute: [{from: eu, to: {eu: 80}}]}", "these to 80"),
            (start + "{distribute: [{from: eu, to: {eu: 100, us: 0}}]}", "0 is no weight"),
            (start + "{distribute: [{from: eu, to: {eu/*: 50, eu/a: 50}}]}", '"eu/a" overlaps with "eu/*"'),
            (start + "{distribute: [{from: eu, to: {us: 100}}, {from: eu/a, to: {us: 100}}]}", "[1].from"),
            (start + "{distribute: [{from: '*', to: {us: 100}}, {from: eu, to: {us: 100}}]}", "overlaps"),
            (start + "{distribute: [{from: eu//a, to: {us: 100}}]}", "is no locality"),
            (start + "{distribute: [{from: '*/a', to: {us: 100}}]}", "is no pattern"),
            (start + "{failover: [{from: eu, to: us}, {from: us, to: eu}]}", ""),
            (start + "{failover: [{from: eu, to: eu}]}", "take over from itself"),
            (start + "{failover: [{from: eu/a, to: us}]}", "is no region"),
            (start + "{failover: [{from: eu, to: us}], distribute: [{from: eu, to: {us: 100}}]}", "no distribute"),
            (
                start + "{failover: [{from: eu, to: us}], failoverPriority: [topology.kubernetes.io/region]}",
                "goes with no failover",
            ),
            (start + "{failover: [{from: eu, to: us}], failoverPriority: [version]}", ""),
        )
        self.balancers(
            (start + "{failoverPriority: [version], distribute: [{from: eu, to: {us: 100}}]}", "beside distribute"),
            severity="warning",
        )

    def test_zones(self) -> None:
        """What is said of zones has the same rules, though it is not honoured."""
        start = "zoneAwareLbSetting: "
        self.balancers(
            (start + "{enabled: true, minClusterSize: 1, failover: [{from: eu, to: us}]}", ""),
            (start + "{minClusterSize: 0}", "zoneAwareLbSetting.minClusterSize: "),
            (start + "{failover: [{from: eu, to: eu}]}", "take over from itself"),
            (
                start + "{failover: [{from: eu, to: us}], failoverPriority: [topology.kubernetes.io/zone]}",
                "goes with no failover",
            ),
        )
        self.balancers(
            (start + "{enabled: true}, localityLbSetting: {enabled: true}", "goes with no localityLbSetting"),
            severity="warning",
        )

    def test_failover_needs_outlier_detection(self) -> None:
        """Without it nobody fails over, which Istio warns of too."""
        self.balancers(
            ("localityLbSetting: {failover: [{from: eu, to: us}]}", "needs outlierDetection"),
            ("localityLbSetting: {failoverPriority: [version]}", "needs outlierDetection"),
            severity="warning",
            outliers=False,
        )
