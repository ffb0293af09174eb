"""Tests of L{edgegate.istio.envoy.clusters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.envoy.clusters import PORT, cluster_of
from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry, ServicePort
from edgegate.istio.kinds.workload import WorkloadEntry
from tests.istio.envoy.reading import message

ENDPOINT = "{endpoint: {address: {socket_address: {address: ratelimit.example, port_value: 8081}}}}"


def cluster(endpoints: str = ENDPOINT, more: str = "") -> str:
    """Write a cluster."""
    return (
        "{name: rate_limit_cluster, type: STRICT_DNS, connect_timeout: 10s, lb_policy: ROUND_ROBIN,"
        f" http2_protocol_options: {{}}, {more}"
        f" load_assignment: {{cluster_name: x, endpoints: [{{lb_endpoints: [{endpoints}]}}]}}}}"
    )


class ClusterTests(SynchronousTestCase):
    """Clusters that are added."""

    def test_as_in_tasks(self) -> None:
        """A cluster is a service with endpoints."""
        found, told = message(cluster())
        port = ServicePort(number=PORT, name="grpc", protocol="GRPC")
        endpoint = WorkloadEntry(address="ratelimit.example", ports={"grpc": 8081})
        entry = ServiceEntry(
            hosts=("rate_limit_cluster",), ports=(port,), resolution=Resolution.DNS, endpoints=(endpoint,)
        )
        self.assertEqual(cluster_of(found), ("rate_limit_cluster", entry))
        self.assertEqual((told.errors, told.warnings), ([], []))

    def test_mistakes(self) -> None:
        """Each mistake has its place, and such a cluster is none."""
        for text, wanted in {
            "{}": "value: name is needed",
            "{name: a, type: EDS}": 'value.type: not honoured: "EDS"; known are STATIC, STRICT_DNS, LOGICAL_DNS',
            "{name: a}": "value: a cluster needs endpoints",
            cluster(more="transport_socket: {name: tls},"): "value.transport_socket: not honoured: for TLS declare",
            cluster("{endpoint: {}}"): "lb_endpoints[0].endpoint: endpoint.address.socket_address is needed",
            cluster("{endpoint: {address: {socket_address: {address: a}}}}"): "address and port_value are needed",
        }.items():
            found, told = message(text)
            cluster_of(found)
            self.assertTrue(any(wanted in each for each in told.errors), (text, told.errors))
