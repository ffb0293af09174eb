"""Tests of L{edgegate.istio.kinds.service}."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.service import EndpointSlice, Service, ServiceType


class ServiceTests(SynchronousTestCase):
    """Kubernetes' Services and their endpoints."""

    def test_service(self) -> None:
        """A target port is a number or a name; what a cluster adds is known."""
        found = msgspec.convert(
            {
                "type": "ExternalName",
                "externalName": "a.example",
                "clusterIP": "10.0.0.1",
                "ports": [{"port": 80, "targetPort": "http"}, {"port": 81, "targetPort": 8081}],
            },
            Service,
        )
        self.assertIs(found.type, ServiceType.EXTERNAL_NAME)
        self.assertEqual([port.target_port for port in found.ports], ["http", 8081])

    def test_slice(self) -> None:
        """Whether an endpoint is ready may be unknown."""
        found = msgspec.convert(
            {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": False}}]},
            EndpointSlice,
        )
        (endpoint,) = found.endpoints
        assert endpoint.conditions is not None
        self.assertEqual((endpoint.conditions.ready, endpoint.conditions.serving), (False, None))
