"""Tests of L{edgegate.route_tests.outcome}."""

from __future__ import annotations

from math import inf

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.effects import EffectsFinder
from edgegate.route_tests.outcome import BACKEND, Outcome
from tests.route_tests.shop import outcome, snapshot


class OutcomeTests(SynchronousTestCase):
    """What expectations see of a request."""

    def test_route(self) -> None:
        """A request that goes to a backend has a route, a place, a destination and a timeout, and no status."""
        found = outcome("POST http://shop.example/cart")
        self.assertEqual((found.route_name, found.domain, found.timeout), ("cart", "shop.example", 5.0))
        self.assertEqual(found.shares, {"outbound|8080|v2|cart.default.svc.cluster.local": 100.0})
        self.assertEqual((found.status, found.flag, found.body, found.tls), (BACKEND, "-", None, ""))
        self.assertEqual(found.origin and found.origin.resource, "VirtualService default/shop")
        self.assertIn("by route cart (in.yaml:", found.ending)

    def test_weights(self) -> None:
        """A split has shares; a destination of weight 0 has none."""
        found = outcome("GET http://shop.example/beta", (b"x-user", b"qa"))
        self.assertEqual(list(found.shares.values()), [90.0, 10.0])
        self.assertEqual(found.timeout, inf)

    def test_aborted(self) -> None:
        """What a fault aborts reaches no backend: all of it, or some, of which the others are shared out."""
        found = outcome("GET http://shop.example/broken")
        self.assertEqual((found.status, found.flag, found.shares), (500, "FI", {}))
        self.assertIn("whose fault aborts all requests", found.ending)
        self.assertEqual(list(outcome("GET http://shop.example/api/a").shares.values()), [100.0])

    def test_own_answers(self) -> None:
        """What the gateway answers itself has a status and no destination."""
        for request, status, name in (
            ("GET http://shop.example/old", 308, "old"),
            ("GET http://shop.example/ping", 418, "pong"),
            ("GET http://moved.example:81/", 301, ""),
            ("GET http://shop.example/none", 404, ""),
            ("GET http://shop.example/%00", 400, ""),
            ("GET http://shop.example:443/", 400, ""),
        ):
            found = outcome(request)
            self.assertEqual((found.status, found.route_name, found.shares), (status, name, {}), request)
        self.assertEqual(outcome("GET http://shop.example/ping").body, "pong")
        self.assertEqual(outcome("GET http://moved.example:81/").ending, "the server sends everyone to https")

    def test_refused(self) -> None:
        """A connection that is not served has no status; where TLS was the reason, it is refused."""
        for url, tls in (
            ("https://locked.example/", "refused"),
            ("https://nobody.example/", "refused"),
            ("https://shop.example:80/", "refused"),
            ("http://shop.example:99/", ""),
            ("https://shop.example/ping", "accepted"),
        ):
            self.assertEqual(outcome(f"GET {url}").tls, tls, url)
        found = outcome("GET http://shop.example:99/")
        self.assertEqual(
            (found.status, found.route, found.ending), (None, None, "not served: nothing listens on this port")
        )

    def test_relay(self) -> None:
        """A relay's route is called by its place, and answers nothing."""
        found = outcome("tcp://127.0.0.1:5432")
        self.assertEqual((found.route_name, found.timeout, found.status), (str(found.origin), None, None))
        self.assertEqual(found.shares, {"outbound|5433||127.0.0.1": 100.0})

    def test_on_the_way(self) -> None:
        """What a backend gets is rewritten and has the route's headers; a copy goes to the mirror."""
        found = outcome("GET http://shop.example/api/a?b=c", (b"x-secret", b"1"))
        (sent,) = found.sent
        self.assertEqual((sent.target, sent.authority), (b"/v2/a?b=c", b"api.internal"))
        self.assertIn((b"x-env", b"beta"), sent.fields)
        self.assertNotIn(b"x-secret", dict(sent.fields))
        self.assertEqual(found.response_fields, ((b"x-served-by", b"shop"),))
        self.assertEqual((found.mirrors, found.retries), (("outbound|9090||cart.default.svc.cluster.local",), 3))

    def test_nobody_there(self) -> None:
        """A backend without an endpoint is a 503 of the gateway's."""
        decision = outcome("GET http://shop.example/basket").decision
        found = Outcome(decision, EffectsFinder(Decider(snapshot())))
        self.assertEqual((found.status, found.flag, found.reason), (503, "UH", "no healthy upstream"))
