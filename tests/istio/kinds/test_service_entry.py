"""Tests of L{edgegate.istio.kinds.service_entry}."""

from __future__ import annotations

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry


class ServiceEntryTests(SynchronousTestCase):
    """The spec of a ServiceEntry."""

    def test_endpoint(self) -> None:
        """Endpoints have ports by name, weights and labels."""
        found = msgspec.convert(
            {
                "hosts": ["a.example"],
                "resolution": "STATIC",
                "ports": [{"number": 80, "name": "http", "targetPort": 8080}],
                "endpoints": [{"address": "10.0.0.1", "ports": {"http": 8081}, "weight": 3, "labels": {"a": "b"}}],
            },
            ServiceEntry,
        )
        (endpoint,), (port,) = found.endpoints, found.ports
        self.assertEqual((endpoint.ports, endpoint.weight, endpoint.labels), ({"http": 8081}, 3, {"a": "b"}))
        self.assertEqual((port.target_port, port.protocol, found.resolution), (8080, None, Resolution.STATIC))
