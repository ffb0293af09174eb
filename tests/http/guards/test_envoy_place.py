"""Tests of L{edgegate.http.guards.envoy_place}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.guards.envoy_place import Settled, destination
from edgegate.model.actions import Redirect
from edgegate.model.guards.envoy_rate_limits import LocalLimit, Scopes, Settings
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.http.conversation import Conversation, to_web
from tests.http.guards.guards import guard, guarded
from tests.http.h1.test_downstream_connection import GET

GOLD = LocalLimit("gold")
ROUTES = (
    replace(to_web(matches=(HTTPMatch(headers=(("x-tier", StringMatch(Kind.EXACT, "gold")),)),)), name="gold"),
    replace(to_web(), name="all"),
)


class SettledTests(SynchronousTestCase):
    """Which settings count for a request."""

    def found(self, request: bytes, changed: bytes = b"") -> tuple[str, LocalLimit | None, str]:
        """
        Return the route of a request, with the limit that counts for it and whose that is.

        @param changed: What a service that was asked before has made of its tier; the route is still the client's.
        """
        settled = Settled(Scopes(routes=(("web.example:80", "gold", Settings(local=GOLD)),)), 0)
        found = []

        def look(exchange: Exchange) -> FilterStatus:
            if changed:
                exchange.route_head = exchange.head
                exchange.replace_head(exchange.head.changed([(b"x-tier", changed)]))
            for _ in range(2):
                found.append(settled.of(exchange))
            return FilterStatus.CONTINUE

        Conversation().client(guarded(guard("n/a", look), routes=ROUTES)).deliver(request)
        (route, effective), again = found
        self.assertIs(again[1], effective)
        assert route is not None
        return route.name, effective.local, effective.owner

    def test_route(self) -> None:
        """Those of the route that it will take."""
        self.assertEqual(self.found(GET), ("all", None, ":80"))
        gold = GET.replace(b"\r\n\r\n", b"\r\nx-tier: gold\r\n\r\n")
        self.assertEqual(self.found(gold), ("gold", GOLD, "web.example:80/gold"))

    def test_changed(self) -> None:
        """Where who was asked before has changed headers, but not the route, the limits of that route count."""
        self.assertEqual(self.found(GET, b"gold")[0], "all")
        gold = GET.replace(b"\r\n\r\n", b"\r\nx-tier: gold\r\n\r\n")
        self.assertEqual(self.found(gold, b"none")[:2], ("gold", GOLD))

    def test_destination(self) -> None:
        """A cluster, where something is forwarded."""
        self.assertEqual(destination(ROUTES[0]), "web")
        self.assertEqual(destination(None), "")
        self.assertEqual(destination(to_web(redirect=Redirect())), "")
