"""Tests of L{edgegate.observe.metrics.labels}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.origin import Origin
from edgegate.observe.metrics.families import DESTINATION
from edgegate.observe.metrics.labels import destination_of


def labels(host: str, document: str, endpoint: Endpoint | None = None) -> dict[str, str]:
    """Return what there is to say of a cluster, but for what is unknown."""
    cluster = Cluster(f"outbound|80|v1|{host}", Discovery.STATIC, Origin("a.yaml", 1, document))
    found = dict(zip(DESTINATION, destination_of(cluster, endpoint), strict=True))
    return {name.removeprefix("destination_"): value for name, value in found.items() if value != "unknown"}


class DestinationTests(SynchronousTestCase):
    """Whom a cluster stands for."""

    def test_kubernetes(self) -> None:
        """A service of Kubernetes has its short name, and the namespace in its host."""
        self.assertEqual(
            labels("web.shop.svc.cluster.local", "Service other/web"),
            {
                "service": "web.shop.svc.cluster.local",
                "service_name": "web",
                "service_namespace": "shop",
                "canonical_revision": "latest",
            },
        )

    def test_service_entry(self) -> None:
        """One of a ServiceEntry has the host for its name, and the document's namespace, as in Istio."""
        found = labels("api.example", "ServiceEntry outside/api")
        self.assertEqual((found["service_name"], found["service_namespace"]), ("api.example", "outside"))

    def test_workload(self) -> None:
        """An endpoint tells its workload, and more by its labels."""
        address = TCPAddress("10.0.0.1", 80)
        found = labels(
            "api.example",
            "ServiceEntry outside/api",
            Endpoint(address, labels=(("app", "api"), ("version", "v2")), workload="api-2"),
        )
        self.assertEqual(
            {name: found[name] for name in ("workload", "workload_namespace", "app", "version")},
            {"workload": "api-2", "workload_namespace": "outside", "app": "api", "version": "v2"},
        )
        self.assertEqual((found["canonical_service"], found["canonical_revision"]), ("api", "v2"))
        given = (("service.istio.io/canonical-name", "c"), ("service.istio.io/canonical-revision", "r"))
        found = labels("api.example", "ServiceEntry outside/api", Endpoint(address, labels=given))
        self.assertEqual((found["canonical_service"], found["canonical_revision"]), ("c", "r"))
        self.assertNotIn("workload", found)
