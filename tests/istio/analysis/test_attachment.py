"""Tests of L{edgegate.istio.analysis.attachment}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines

GATEWAY = documents(
    "Gateway", "gw", "{servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example, '*.b.example']}]}"
)
ROUTES = "http: [{directResponse: {status: 200}}]"


def service(name: str, hosts: str, gateways: str = "gw") -> str:
    """Write a VirtualService that answers by itself."""
    return documents("VirtualService", name, f"{{hosts: [{hosts}], gateways: [{gateways}], {ROUTES}}}")


class GatewayTests(SynchronousTestCase):
    """Hosts that no Gateway has."""

    def test_none(self) -> None:
        """Where no host at all comes from a Gateway, that is one message, and not one more for each host."""
        told = [line for line in lines(GATEWAY + service("x", "c.example, d.example"), "") if "default/x" in line]
        self.assertEqual(len(told), 1)
        self.assertIn('spec.gateways[0]: none of "c.example", "d.example" is a host of Gateway default/gw at', told[0])
        self.assertIn('which has "a.example", "*.b.example"', told[0])

    def test_some(self) -> None:
        """Where one does, the others are told one by one."""
        told = lines(GATEWAY + service("x", "a.example, d.example"), "")
        self.assertEqual(len([line for line in told if "EG101" in line]), 1)
        self.assertEqual([line for line in told if "IST0132" in line], [])

    def test_not_understood(self) -> None:
        """Nothing is said of hosts where a Gateway's servers were not understood."""
        self.assertEqual(lines(GATEWAY.replace("hosts:", "hsts: 3, hots:") + service("x", "d.example"), "IST0132"), [])


class SharedHostTests(SynchronousTestCase):
    """Hosts that come twice."""

    def test_two(self) -> None:
        """A host of two VirtualServices of a Gateway is a note; one VirtualService may say it for two Gateways."""
        (told,) = lines(GATEWAY + service("x", "a.example") + service("z", "A.example"), "EG107")
        self.assertIn('default/z: in.yaml:15:16: info: spec.hosts[0]: "a.example" is a host of VirtualService', told)
        other = GATEWAY.replace("name: gw", "name: other").replace("80", "81")
        self.assertEqual(lines(GATEWAY + other + service("x", "a.example", "gw, other"), "EG107"), [])
        self.assertEqual(
            lines(GATEWAY + other + service("x", "a.example") + service("z", "a.example", "other"), "EG107"), []
        )

    def test_not_exported(self) -> None:
        """One that is not exported to the Gateway's namespace is not asked first, and asks nobody."""
        other = service("x", "a.example", "default/gw").replace("name: x}", "name: x, namespace: shop}")
        self.assertEqual(len(lines(GATEWAY + other + service("z", "a.example"), "EG107")), 1)
        hidden = other.replace("http:", "exportTo: [.], http:")
        self.assertEqual(lines(GATEWAY + hidden + service("z", "a.example"), "EG107"), [])
        self.assertEqual(lines(GATEWAY + service("z", "a.example") + hidden, "EG107"), [])

    def test_dot(self) -> None:
        """Two spellings that differ by a dot at the end are told with both places."""
        (told,) = lines(GATEWAY + service("x", "a.example") + service("z", "a.example."), "EG108")
        self.assertIn('"a.example." differs by a dot at the end from "a.example" at in.yaml:10', told)
        self.assertEqual(lines(GATEWAY + service("x", "a.example.") + service("z", "a.example."), "EG108"), [])
