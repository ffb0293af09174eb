"""What came of a request, as expectations look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgegate.errors import MISDIRECTED
from edgegate.explain.decision import Decision, Refusal
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.route_tests.destinations import shares

_TLS_REFUSED: Final = frozenset((Refusal.UNKNOWN_NAME, Refusal.NO_NAME, Refusal.NO_CERTIFICATE, Refusal.NOT_PLAIN))

BACKEND: Final = 0
"""The status of a request that the gateway does not answer itself."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of a request.

    @ivar decision: The way that it took.
    """

    decision: Decision

    @property
    def route(self) -> HTTPRoute | TCPRoute | None:
        """The route that takes it."""
        return self.decision.route

    @property
    def route_name(self) -> str:
        """Its name, as the access log has it; empty: there is none. A relay's route is called by its place."""
        route = self.route
        if route is None:
            return ""
        return route.name if isinstance(route, HTTPRoute) else str(route.origin)

    @property
    def origin(self) -> Origin | None:
        """Where the route is said."""
        return None if self.route is None else self.route.origin

    @property
    def domain(self) -> str:
        """The host pattern of the virtual host; empty: none has the request's host."""
        host = self.decision.virtual_host
        return "" if host is None else host.domain

    @property
    def shares(self) -> dict[str, float]:
        """Percent of the requests that each cluster gets; none where the gateway answers itself."""
        route = self.route
        if route is None or (isinstance(route, HTTPRoute) and (route.redirect is not None or route.direct is not None)):
            return {}
        return shares(route.destinations)

    @property
    def timeout(self) -> float | None:
        """Of the route, in seconds; infinite: there is none; L{None}: there is no route."""
        route = self.route
        if not isinstance(route, HTTPRoute):
            return None
        return float("inf") if route.timeout is None else route.timeout

    @property
    def status(self) -> int | None:
        """That the gateway answers with; L{BACKEND}; L{None}: nothing is answered, as there is no request."""
        decision = self.decision
        if decision.refusal is not None:
            return 400 if decision.refusal is Refusal.HTTP_IN_THE_CLEAR else None
        if decision.fault is not None:
            return decision.fault.status
        if decision.redirect_port is not None:
            return 301
        route = self.route
        if not isinstance(route, HTTPRoute):
            return None
        if route.redirect is not None:
            return route.redirect.code
        return BACKEND if route.direct is None else route.direct.status

    @property
    def flag(self) -> str:
        """The response flag that the gateway's own answer has in the access log; C{-}: none."""
        decision = self.decision
        if decision.fault is not None:
            return decision.fault.flag
        return "NR" if decision.refusal is Refusal.NO_ROUTE else "-"

    @property
    def body(self) -> str | None:
        """Of the gateway's answer by the files; L{None}: they say none."""
        route = self.route
        if not isinstance(route, HTTPRoute) or route.direct is None:
            return None
        return route.direct.body.decode("utf-8", "replace")

    @property
    def misdirected(self) -> bool:
        """Whether it is answered 421."""
        return self.decision.fault is MISDIRECTED

    @property
    def tls(self) -> str:
        """C{refused}, C{accepted}, or empty where TLS does not end here."""
        if self.decision.refusal in _TLS_REFUSED:
            return "refused"
        chain = self.decision.chain
        return "accepted" if chain is not None and chain.tls is not None else ""

    @property
    def ending(self) -> str:
        """In a few words what became of it, for messages about what did not."""
        decision = self.decision
        if decision.refusal is not None:
            return f"not served: {decision.refusal.value}"
        if decision.fault is not None:
            return f"answered {decision.fault.status} ({decision.fault.reason})"
        if decision.redirect_port is not None:
            return "redirected to https"
        return "no route" if self.route is None else f"route {self.route_name} ({self.route.origin})"
