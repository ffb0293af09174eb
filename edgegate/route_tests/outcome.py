"""What came of a request, as expectations look at it."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from edgegate.errors import MISDIRECTED
from edgegate.explain.decision import Decision, Refusal
from edgegate.explain.effects import Answer, Effects, EffectsFinder, Sent
from edgegate.http.fields import Field
from edgegate.http.header_mutation import changed_reply
from edgegate.model.origin import Origin
from edgegate.model.policies import Faults
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.route_tests.destinations import shares

_TLS_REFUSED: Final = frozenset((Refusal.UNKNOWN_NAME, Refusal.NO_NAME, Refusal.NO_CERTIFICATE, Refusal.NOT_PLAIN))

BACKEND: Final = 0
"""The status of a request that the gateway does not answer itself."""


class Outcome:
    """
    What came of a request.

    @ivar decision: The way that it took.
    """

    def __init__(self, decision: Decision, finder: EffectsFinder) -> None:
        """
        @param finder: Finds what follows the decision, where an expectation asks for that.
        """
        self.decision = decision
        self._finder = finder

    @cached_property
    def effects(self) -> Effects:
        """What follows the decision."""
        if self.decision.refusal is Refusal.HTTP_IN_THE_CLEAR:
            return Effects(Answer(400))
        return self._finder.of(self.decision)

    @property
    def sent(self) -> tuple[Sent, ...]:
        """What the backends get of it that get a share, one for each of these."""
        return tuple(each.sent for each in self.effects.destinations if each.share and each.sent is not None)

    @property
    def route(self) -> HTTPRoute | TCPRoute | None:
        """The route that takes it."""
        return self.decision.route

    @property
    def denied_by(self) -> str:
        """The policy that refuses it, as messages call it; empty: none does."""
        denied = self.decision.denied
        return "" if denied is None else denied.guard.origin.resource

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
        """Percent of those requests that each cluster gets that are not answered by the gateway itself, if any are."""
        return {} if self._all_aborted else self.split

    @property
    def split(self) -> dict[str, float]:
        """Percent that each cluster gets as the route says, whatever its fault does; none where it says an answer."""
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
        answer = self.effects.answer
        if answer is not None:
            return answer.status
        return BACKEND if isinstance(self.route, HTTPRoute) else None

    @property
    def flag(self) -> str:
        """The response flags that the gateway's own answer has in the access log; C{-}: none."""
        if self.decision.refusal is Refusal.NO_ROUTE:
            return "NR"
        answer = self.effects.answer
        return "-" if answer is None else answer.flags or "-"

    @property
    def body(self) -> str | None:
        """Of the gateway's own answer; L{None}: it gives none."""
        answer = self.effects.answer
        return None if answer is None else answer.body.decode("utf-8", "replace")

    @property
    def response_fields(self) -> tuple[Field, ...]:
        """The fields of the gateway's own answer, or what a backend's response gets that has none itself."""
        effects, decision = self.effects, self.decision
        if effects.answer is not None:
            return effects.answer.fields
        destinations = [each for each in effects.destinations if each.share]
        if not destinations or decision.asked is None or decision.connection is None:
            return ()
        exchange = self._finder.decider.exchange(decision.connection, decision.asked.head)
        exchange.route = decision.route if isinstance(decision.route, HTTPRoute) else None
        changes = destinations[0].said.response
        return (*changed_reply(200, [], changes, exchange), *effects.cors)

    @property
    def misdirected(self) -> bool:
        """Whether it is answered 421."""
        return self.decision.fault is MISDIRECTED

    @property
    def tls(self) -> str:
        """C{refused}, C{accepted}, or empty where TLS does not end here."""
        chain, refusal = self.decision.chain, self.decision.refusal
        ends = chain is not None and chain.tls is not None
        if refusal in _TLS_REFUSED or (refusal is Refusal.DENIED and ends and self.decision.connection is None):
            return "refused"
        return "accepted" if ends else ""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """The clusters that get a copy."""
        return tuple(each.cluster for each in self.effects.copies)

    @property
    def faults(self) -> Faults | None:
        """What its route does on purpose."""
        return self.route.faults if isinstance(self.route, HTTPRoute) else None

    @property
    def _all_aborted(self) -> bool:
        """Whether the route ends all requests on purpose."""
        faults = self.faults
        return faults is not None and faults.abort is not None and faults.abort.share >= 1

    @property
    def retries(self) -> int | None:
        """How often it is tried again at most; L{None}: no route tries."""
        route = self.route
        if not isinstance(route, HTTPRoute):
            return None
        return 0 if route.retries is None else route.retries.attempts

    @property
    def reason(self) -> str:
        """Why the gateway answers itself."""
        answer = self.effects.answer
        return answer.reason if answer is not None and answer.reason else self.ending

    @property
    def ending(self) -> str:
        """In a few words what became of it, for messages about what did not."""
        decision = self.decision
        if decision.refusal is not None:
            return f"not served: {decision.refusal.value}"
        if decision.fault is not None:
            return f"the gateway answers {decision.fault.status} ({decision.fault.reason})"
        if decision.redirect_port is not None:
            return "the server sends everyone to https"
        if self.route is None:
            return "no route"
        way = f"by route {self.route_name} ({self.route.origin})"
        return f"{way}, whose fault aborts all requests" if self._all_aborted else way
