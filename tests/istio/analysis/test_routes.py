"""Tests of L{edgegate.istio.analysis.routes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines

TO = "destination: {host: 127.0.0.1, port: {number: 8080}}"


def routed(route: str) -> str:
    """Write a VirtualService with one route."""
    return documents("VirtualService", "x", f"{{hosts: [a.example], gateways: [gw], http: [{{{route}}}]}}")


class RouteTests(SynchronousTestCase):
    """Weights, times and retries."""

    def test_weights(self) -> None:
        """A weight of 0 beside others is a note; that of the only destination is none."""
        (told,) = lines(routed(f"route: [{{{TO}, weight: 0}}, {{{TO}, weight: 1}}]"), "EG207")
        self.assertIn("info: spec.http[0].route[0].weight: 0: nothing goes here", told)
        (told,) = lines(routed(f"route: [{{{TO}}}, {{{TO}, weight: 1}}]"), "EG207")
        self.assertIn("missing beside other weights", told)
        self.assertEqual(lines(routed(f"route: [{{{TO}, weight: 0}}]"), "EG207"), [])

    def test_timeouts(self) -> None:
        """A try as long as the whole is a warning, tries that do not all fit are a note."""
        for timeout, attempts, word in (("1s", 2, "warning"), ("2s", 2, "info"), ("3s", 2, ""), ("2s", 1, "")):
            text = f"timeout: {timeout}, retries: {{attempts: {attempts}, perTryTimeout: 1s}}, route: [{{{TO}}}]"
            told = lines(routed(text), "EG209")
            self.assertEqual(len(told), 1 if word else 0)
            for line in told:
                self.assertIn(f": {word}: spec.http[0].retries.perTryTimeout: ", line)

    def test_tunnel(self) -> None:
        """Retries of tunnels are told, of requests not."""
        for method, count in (("CONNECT", 1), ("POST", 0)):
            text = f"match: [{{method: {{exact: {method}}}}}], retries: {{attempts: 2}}, route: [{{{TO}}}]"
            self.assertEqual(len(lines(routed(text), "EG208")), count)
