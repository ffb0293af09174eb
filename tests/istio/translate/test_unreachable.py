"""Tests of L{edgegate.istio.translate.unreachable}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, gateway, route, virtual_service


class UnreachableTests(SynchronousTestCase):
    """Routes behind others of one VirtualService."""

    def test_never_reached(self) -> None:
        """What stands behind a route that takes everything, or behind one of the same conditions, is reported."""
        prefix = "[{uri: {prefix: /a}}]"
        for routes in (
            (route(port=1), route(port=2, match=prefix)),
            (route(port=1, match=prefix), route(port=2, match=prefix)),
        ):
            text = gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{', '.join(routes)}]")
            (warning,) = compiled(text)[1]
            self.assertIn("spec.http[1]: never reached", warning)
