"""Tests of L{edgegate.istio.translate.kubernetes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.kubernetes import KubernetesService
from edgegate.istio.translate.members import Unusable
from edgegate.istio.translate.workloads import Workloads
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Discovery
from tests.istio.translate.compiling import decoded


def service(spec: str, *beside: str) -> KubernetesService:
    """A Service with documents beside it."""
    text = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {spec}\n"
    resources, _ = decoded("---\n".join([text, *(f"{each}\n" for each in beside)]))
    return KubernetesService(
        resources.services[0], tuple(resources.endpoint_slices), tuple(resources.endpoints), Workloads(resources)
    )


def piece(ports: str, endpoints: str) -> str:
    """An EndpointSlice."""
    return (
        "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: web-1}\naddressType: IPv4\n"
        f"ports: {ports}\nendpoints: {endpoints}"
    )


class KubernetesServiceTests(SynchronousTestCase):
    """Endpoints of Services."""

    def addresses(self, found: KubernetesService, port: int = 80) -> list[str]:
        """The addresses of a port."""
        return [str(endpoint.address) for endpoint in found.members(port).endpoints]

    def test_by_port_name(self) -> None:
        """Slices name ports, each with numbers of its own; endpoints that are not ready are left out."""
        found = service(
            "{ports: [{port: 80, name: http}, {port: 81, name: admin}]}",
            piece("[{name: http, port: 8080}]", "[{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {}}]"),
            piece("[{name: http, port: 9090}]", "[{addresses: [10.0.0.3], conditions: {ready: false}}]").replace(
                "web-1", "web-2"
            ),
        )
        self.assertEqual(found.ports, (80, 81))
        self.assertEqual(self.addresses(found), ["10.0.0.1:8080", "10.0.0.2:8080"])
        self.assertEqual(self.addresses(found, 81), [])

    def test_protocols(self) -> None:
        """C{appProtocol}, or else the begin of a port's name, says that HTTP/2 is spoken."""
        for port, by_http2 in (
            ("{port: 80, name: grpc-api}", True),
            ("{port: 80, name: grpc-web}", True),
            ("{port: 80, name: http2}", True),
            ("{port: 80, name: http, appProtocol: kubernetes.io/h2c}", True),
            ("{port: 80, name: http, appProtocol: GRPC}", True),
            ("{port: 80, name: grpc, appProtocol: http}", False),
            ("{port: 80, name: http-grpc}", False),
            ("{port: 80}", False),
            ("{port: 81, name: grpc}", False),
        ):
            self.assertIs(service(f"{{ports: [{port}]}}").by_http2(80), by_http2, port)

    def test_grpc_web(self) -> None:
        """C{appProtocol}, or else the begin of a port's name, says that gRPC-Web is translated for it."""
        for port, by_grpc_web in (
            ("{port: 80, name: grpc-web}", True),
            ("{port: 80, name: GRPC-Web-api}", True),
            ("{port: 80, name: http, appProtocol: grpc-web}", True),
            ("{port: 80, name: grpc-web, appProtocol: grpc}", False),
            ("{port: 80, name: grpc}", False),
            ("{port: 80, name: web}", False),
            ("{port: 81, name: grpc-web}", False),
        ):
            self.assertIs(service(f"{{ports: [{port}]}}").by_grpc_web(80), by_grpc_web, port)

    def test_without_documents(self) -> None:
        """A Service alone does not tell where it is, and says how to."""
        error = self.assertRaises(Unusable, service("{ports: [{port: 80}]}").members, 80)
        self.assertIn("kubernetes.io/service-name: web", str(error))

    def test_external_name(self) -> None:
        """An ExternalName is looked up; without ports it has every port."""
        found = service("{type: ExternalName, externalName: db.example}")
        self.assertIsNone(found.ports)
        members = found.members(5432)
        self.assertIs(members.discovery, Discovery.DNS)
        self.assertEqual(members.endpoints[0].address, TCPAddress("db.example", 5432))
        self.assertTrue(found.visible_from("anywhere"))

    def test_external_address(self) -> None:
        """An ExternalName that is an IP address needs no looking up."""
        found = service('{type: ExternalName, externalName: "10.0.0.9", ports: [{port: 80, targetPort: 8080}]}')
        self.assertEqual(self.addresses(found), ["10.0.0.9:8080"])
        self.assertIs(found.members(80).discovery, Discovery.STATIC)
