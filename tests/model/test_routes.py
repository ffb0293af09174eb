"""Tests of L{edgegate.model.routes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.actions import DirectResponse, Redirect
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.policies import CORSPolicy, Delay, Faults, RetryPolicy
from edgegate.model.routes import HTTPRoute, TCPRoute

HERE = Origin("shop.yaml", 7, "VirtualService default/shop")


class HTTPRouteTests(SynchronousTestCase):
    """What follows from what a route says."""

    def test_filtered(self) -> None:
        """A route that only sends requests on is told from those that do more."""
        self.assertFalse(HTTPRoute("r", HERE, (), timeout=1.0).filtered)
        for more in (
            {"redirect": Redirect()},
            {"direct": DirectResponse(200)},
            {"faults": Faults(Delay(1.0))},
            {"cors": CORSPolicy((StringMatch(Kind.EXACT, "*"),))},
        ):
            self.assertTrue(HTTPRoute("r", HERE, (), **more).filtered, more)  # type: ignore[arg-type]

    def test_expected(self) -> None:
        """A backend is told the time of a try, where it is shorter than that of the route, in milliseconds."""
        for timeout, per_try, expected in (
            (None, None, b""),
            (2.0, None, b"2000"),
            (None, 0.5, b"500"),
            (2, 9, b"2000"),
        ):
            route = HTTPRoute("r", HERE, (), timeout=timeout, retries=RetryPolicy(per_try_timeout=per_try))
            self.assertEqual(route.expected, expected)
        self.assertEqual(HTTPRoute("r", HERE, (), timeout=0.25, retries=None).expected, b"250")


class TCPRouteTests(SynchronousTestCase):
    """Routes of connections."""

    def test_anywhere(self) -> None:
        """A route asks for no address, whatever name it asks for."""
        self.assertTrue(TCPRoute(HERE, (), ("a.example",)).anywhere)
        self.assertFalse(TCPRoute(HERE, (), (), ("10.0.0.0/8",)).anywhere)
        self.assertFalse(TCPRoute(HERE, (), (), (), ("10.0.0.0/8",)).anywhere)
