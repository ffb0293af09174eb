"""Tests of L{edgegate.istio.analysis.destinations}; what Istio says is in its cases."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines


class ServiceTests(SynchronousTestCase):
    """Services that somebody does not see."""

    def test_levels(self) -> None:
        """What the gateway finds all the same is a note; what it does not find the compiler tells."""
        ports = "ports: [{number: 80, name: h, protocol: HTTP}]"
        entry = documents("ServiceEntry", "e", f"{{hosts: [b.example], exportTo: [.], resolution: DNS, {ports}}}")
        service = """\
---
apiVersion: v1
kind: Service
metadata: {name: b, namespace: shop, annotations: {networking.istio.io/exportTo: .}}
spec: {ports: [{name: http, port: 80}]}
"""
        for declared, host, scopes, level in (
            (entry, "b.example", "[shop]", "info"),
            (entry, "none.example", "[shop]", ""),
            (entry.replace("name: e}", "name: e, namespace: shop}"), "b.example", "[.]", ""),
            (service, "b.shop.svc.cluster.local", "[.]", "info"),
            (service, "b.shop", "[.]", "info"),
        ):
            route = f"{{route: [{{destination: {{host: {host}, port: {{number: 80}}}}}}]}}"
            spec = f"{{hosts: [a.example], gateways: [gw], exportTo: {scopes}, http: [{route}]}}"
            found = lines(declared + documents("VirtualService", "x", spec), "IST0101")
            told = [line for line in found if ".destination.host: no Service and" in line]
            self.assertEqual([f": {level}: " in line for line in told], [True] if level else [], (host, scopes, found))
