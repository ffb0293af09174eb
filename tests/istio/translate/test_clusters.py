"""Tests of L{edgegate.istio.translate.clusters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate.clusters import join_members
from edgegate.istio.translate.members import Members, Unusable
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Balancing, Discovery, Endpoint
from edgegate.model.origin import Origin
from tests.istio.translate.compiling import endpoints
from tests.istio.translate.ruling import FRONT, clusters, route, rule

WEB = "{host: web.example, port: {number: 80}}"
V1 = "{host: web.example, subset: v1, port: {number: 80}}"


class Declared:
    """A declaration with endpoints that are made up."""

    origin = Origin("a.yaml", 1, "ServiceEntry default/a")
    ports = (80,)
    subject_alt_names = ()
    faulty = False

    def __init__(self, discovery: Discovery | None, *hosts: str) -> None:
        self.discovery = discovery
        self.hosts = hosts

    def visible_from(self, namespace: str) -> bool:
        """Be for everyone."""
        return True

    def warn_of_no_endpoints(self, problems: Problems) -> None:
        """Be asked of it by nobody."""

    def by_http2(self, port: int) -> bool:
        """Say nothing."""
        return False

    def by_grpc_web(self, port: int) -> bool:
        """Say nothing."""
        return False

    def members(self, port: int) -> Members:
        """Return the endpoints, where there are any."""
        if self.discovery is None:
            raise Unusable("it has none")
        return Members(self.discovery, tuple(Endpoint(TCPAddress(host, port)) for host in self.hosts))


class ClusterTests(SynchronousTestCase):
    """Services and their subsets."""

    def test_subsets(self) -> None:
        """A subset has the endpoints with its labels, and a name of its own."""
        documents = route(WEB, V1), rule("host: web.example, subsets: [{name: v1, labels: {version: v1}}]")
        self.assertEqual(clusters(*documents)[1], [])
        self.assertEqual(
            endpoints("---\n".join((FRONT, *documents))),
            {
                "outbound|80||web.example": ["10.0.0.1:80", "10.0.0.2:80"],
                "outbound|80|v1|web.example": ["10.0.0.1:80"],
            },
        )

    def test_rule(self) -> None:
        """A cluster tells whose rule it follows; without one it has the defaults."""
        found, _ = clusters(route(WEB), rule("host: web.example, trafficPolicy: {loadBalancer: {simple: RANDOM}}"))
        cluster = found["outbound|80||web.example"]
        self.assertIs(cluster.balancer.simple, Balancing.RANDOM)
        assert cluster.rule is not None
        self.assertEqual(cluster.rule.resource, "DestinationRule default/web")
        (plain,) = clusters(route(WEB))[0].values()
        self.assertIsNone(plain.rule)
        self.assertEqual(plain.connect_timeout, 10.0)

    def test_once(self) -> None:
        """A cluster is made once, whoever names it."""
        found, _ = clusters(route(WEB, WEB), route(WEB, namespace="other"))
        self.assertEqual(list(found), ["outbound|80||web.example"])

    def test_rules_of_namespaces(self) -> None:
        """Where namespaces see different rules, there is a cluster for each."""
        own = rule("host: web.example, trafficPolicy: {loadBalancer: {simple: RANDOM}}", namespace="other")
        found, _ = clusters(route(WEB), route(WEB, namespace="other"), own)
        self.assertEqual(
            {name: cluster.balancer.simple for name, cluster in found.items()},
            {
                "outbound|80||web.example": Balancing.LEAST_REQUEST,
                "outbound|80||web.example@other": Balancing.RANDOM,
            },
        )

    def test_join(self) -> None:
        """Endpoints of several documents add up; names are looked up where there are any."""
        for declarations, discovery in (
            ([Declared(Discovery.STATIC, "10.0.0.1"), Declared(Discovery.STATIC, "10.0.0.2")], Discovery.STATIC),
            ([Declared(Discovery.STATIC, "10.0.0.1"), Declared(Discovery.DNS, "a")], Discovery.DNS),
            ([Declared(Discovery.LOGICAL_DNS, "a")], Discovery.LOGICAL_DNS),
            ([Declared(Discovery.LOGICAL_DNS, "a"), Declared(Discovery.LOGICAL_DNS, "b")], Discovery.DNS),
        ):
            members = join_members([*declarations], 80)
            self.assertIs(members.discovery, discovery)
            self.assertEqual(len(members.endpoints), len(declarations))
        error = self.assertRaises(Unusable, join_members, [Declared(None)], 80)
        self.assertEqual(str(error), "ServiceEntry default/a at a.yaml:1: it has none")
