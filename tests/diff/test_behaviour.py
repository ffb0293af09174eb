"""Tests of L{edgegate.diff.behaviour}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.behaviour import (
    CLOSED,
    NO_ROUTE,
    Behaviour,
    Refused,
    ToHTTPS,
    between,
    of_fault,
    of_route,
    of_tcp_route,
    service,
    summary,
)
from edgegate.errors import MISDIRECTED
from edgegate.model.actions import DirectResponse, NewPath, Redirect, RequestChanges
from edgegate.model.headers import HeaderChanges
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.policies import Abort, CORSPolicy, Delay, Faults, Mirror, RetryPolicy
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster

WEB, CART = "outbound|80||web.internal", "outbound|80|v1|cart.internal"
ORIGIN = Origin("a.yaml", 1, "VirtualService default/a")
ROUTE = HTTPRoute("web", ORIGIN, (WeightedCluster(WEB, 1),))


def split(*weights: tuple[str, int]) -> HTTPRoute:
    """Return a route to several."""
    return replace(ROUTE, destinations=tuple(WeightedCluster(name, weight) for name, weight in weights))


def told(old: Behaviour, new: Behaviour) -> list[str]:
    """Return how two differ."""
    return [str(each) for each in between(old, new)]


class EqualTests(SynchronousTestCase):
    """What is the same to a client and its backends."""

    def test_names(self) -> None:
        """Names and lines are no part of it."""
        self.assertEqual(of_route(ROUTE), of_route(replace(ROUTE, name="x", origin=Origin("b.yaml", 2, ""))))

    def test_weights(self) -> None:
        """Weights are relative, in no order; who has none gets nothing."""
        one = of_route(split((WEB, 90), (CART, 10)))
        self.assertEqual(one, of_route(split((CART, 1), (WEB, 9), ("x", 0))))
        self.assertEqual(of_route(split((WEB, 3), (WEB, 1))), of_route(ROUTE))
        self.assertNotEqual(one, of_route(split((WEB, 91), (CART, 10))))

    def test_nothing(self) -> None:
        """Faults and mirrors without a share, and changes that change nothing, are none."""
        idle = replace(
            ROUTE,
            faults=Faults(Delay(1.0, 0.0), Abort(503, share=0.0)),
            mirrors=(Mirror(WEB, 0.0),),
            destinations=(WeightedCluster(WEB, 1, RequestChanges(), (HeaderChanges(),)),),
        )
        self.assertEqual(of_route(idle), of_route(ROUTE))

    def test_answers(self) -> None:
        """Where the gateway answers, backends don't matter."""
        answer = replace(ROUTE, direct=DirectResponse(200))
        self.assertEqual(of_route(answer), of_route(replace(answer, destinations=(), timeout=3.0)))

    def test_origins(self) -> None:
        """The order of allowed origins does not matter."""
        one, other = StringMatch(Kind.EXACT, "a"), StringMatch(Kind.EXACT, "b")
        pair = (replace(ROUTE, cors=CORSPolicy(each)) for each in ((one, other), (other, one)))
        self.assertEqual(*map(of_route, pair))

    def test_renamed(self) -> None:
        """A cluster that only is called otherwise is the same."""
        self.assertEqual(of_route(ROUTE, {WEB: CART}), of_route(split((CART, 7))))
        mirrored = replace(ROUTE, mirrors=(Mirror(WEB),))
        self.assertEqual(of_route(mirrored, {WEB: CART}), of_route(replace(split((CART, 1)), mirrors=(Mirror(CART),))))


class BetweenTests(SynchronousTestCase):
    """How two behaviours differ."""

    def test_each_field(self) -> None:
        """Each thing that a route says is told when it changes."""
        origins = (StringMatch(Kind.EXACT, "a"),)
        for changed, what in (
            (split((CART, 1)), ["destination: web.internal:80 -> cart.internal:80/v1"]),
            (replace(ROUTE, timeout=1.5), ["timeout: none -> 1.5 s"]),
            (replace(ROUTE, retries=None), ["retries: as usual -> none"]),
            (replace(ROUTE, retries=RetryPolicy(backoff=1.0)), ["retries backoff: 0.025 s -> 1 s"]),
            (replace(ROUTE, mirrors=(Mirror(CART, 0.5),)), ["mirrors: none -> cart.internal:80/v1 50 %"]),
            (replace(ROUTE, faults=Faults(Delay(2.0))), ["faults: none -> delay seconds 2 s"]),
            (replace(ROUTE, cors=CORSPolicy(origins)), ["CORS: none -> origins exact a"]),
            (replace(ROUTE, redirect=Redirect(307)), ["outcome: to web.internal:80 -> redirect 307 (as usual)"]),
        ):
            self.assertEqual(told(of_route(ROUTE), of_route(changed)), what)

    def test_messages(self) -> None:
        """Changes of messages are told, of each destination."""
        changed = RequestChanges(NewPath(b"/new"), b"host", (HeaderChanges((b"via",)),))
        one = replace(ROUTE, destinations=(WeightedCluster(WEB, 1, changed, (HeaderChanges((b"server",)),)),))
        self.assertEqual(
            told(of_route(ROUTE), of_route(one)),
            [
                "path: none -> text /new",
                "authority: none -> host",
                "request headers: none -> remove via",
                "response headers: none -> remove server",
            ],
        )
        two = replace(ROUTE, destinations=(WeightedCluster(WEB, 1, changed), WeightedCluster(CART, 1)))
        self.assertEqual(len(told(of_route(split((WEB, 1), (CART, 1))), of_route(two))), 3)

    def test_one_cluster_twice(self) -> None:
        """What is done to messages is told where a split goes to one cluster in two ways."""
        one = replace(
            ROUTE,
            destinations=(
                WeightedCluster(WEB, 1, RequestChanges(authority=b"a")),
                WeightedCluster(WEB, 1, RequestChanges(authority=b"b")),
            ),
        )
        self.assertTrue(told(of_route(ROUTE), of_route(one)))

    def test_answers(self) -> None:
        """Of answers the fields are told that differ."""
        moved = replace(ROUTE, redirect=Redirect(301))
        self.assertEqual(
            told(of_route(moved), of_route(replace(ROUTE, redirect=Redirect(302)))), ["redirect code: 301 -> 302"]
        )
        gone = replace(ROUTE, direct=DirectResponse(410))
        self.assertEqual(
            told(of_route(moved), of_route(gone)), ["answer: redirect 301 (as usual) -> answer status 410"]
        )

    def test_same(self) -> None:
        """Of what is equal nothing is told."""
        self.assertEqual(told(NO_ROUTE, of_route(None)), [])


class SummaryTests(SynchronousTestCase):
    """What is done, in a line."""

    def test_lines(self) -> None:
        """Each kind has one."""
        tcp = TCPRoute(ORIGIN, (WeightedCluster(WEB, 0),))
        for behaviour, line in (
            (of_route(split((WEB, 1), (CART, 2))), "to cart.internal:80/v1 66.67 %, web.internal:80 33.33 %"),
            (of_route(split((WEB, 0), (CART, 0))), "to nobody (503)"),
            (of_tcp_route(tcp), "to web.internal:80"),
            (CLOSED, "closed (no route)"),
            (NO_ROUTE, "404 (no route)"),
            (of_fault(MISDIRECTED), "421 (host belongs to another server)"),
            (ToHTTPS(8443), "301 to https, port 8443"),
            (Refused(0, "nothing listens"), "closed (nothing listens)"),
        ):
            self.assertEqual(summary(behaviour), line)

    def test_service(self) -> None:
        """A cluster is called as people call it."""
        self.assertEqual(service(CART), "cart.internal:80/v1")
        self.assertEqual(service("odd"), "odd")
