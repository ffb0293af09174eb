"""Has a service decide who may pass: Envoy's C{ext_authz} filter, over HTTP or gRPC."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import Final

from edgegate.access.authorization import RuleSet
from edgegate.access.facts import Facts
from edgegate.access.verdict import Outcome, Verdict, failed, mutated
from edgegate.errors import BODY_TOO_LARGE, GUARD_FAILED, Fault
from edgegate.http.async_request import AsyncRequest, AsyncResponse
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.authorization import guard_of
from edgegate.http.guards.body_hold import BodyHold
from edgegate.http.guards.external_checks import check_of, verdict_of
from edgegate.http.guards.external_reports import report
from edgegate.http.guards.external_verdicts import changed_head, deny, response_mutations
from edgegate.http.response import ResponseHead
from edgegate.http.selection import guards_of, route_of
from edgegate.http.tracing import trace_check
from edgegate.model.guards.authorization import Rule
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.guards.guard import Stage
from edgegate.net.containment import contained

METADATA: Final = "envoy.filters.http.ext_authz"
"""Under which name of dynamic metadata is what the services say besides."""


class ExternalAuthorizationFilter(HTTPFilter):
    """Asks the service about requests that one of the rules matches, and which have a route."""

    __slots__ = ("_environment", "_rules", "guard")

    name = "ext_authz"

    def __init__(self, guard: ExternalAuthorization, environment: HTTPEnvironment) -> None:
        self.guard = guard
        self._environment = environment
        self._rules = RuleSet(guard.rules)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        matched = self._rules.first(Facts(exchange.connection, exchange))
        if matched is None or not has_route(exchange, self._environment.trusted_hops):
            return FilterStatus.CONTINUE
        Check(self.guard, matched, self._environment, exchange).begin()
        return FilterStatus.STOP

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Do what the services want to be done to the response."""
        # of all of them: the first filter that comes to it does it
        mutations, exchange.response_mutations = exchange.response_mutations, None
        return head if mutations is None else head.with_fields(mutated(head.fields, mutations))


def has_route(exchange: Exchange, trusted_hops: int) -> bool:
    """
    Whether a request has a route: one without is answered 404, whoever sends it, and nobody is asked.

    One may come to have a route by what is found out later, such as the claims of its token: then somebody is.
    """
    if not isinstance(route_of(exchange, trusted_hops), Fault):
        return True
    behind = guards_of(exchange.connection, exchange.head.host)
    return any(Stage.CUSTOM < guard.stage() < Stage.AUDIT for guard in behind)


class Check:
    """One question about one request. It ends with the request, or lets it go on."""

    __slots__ = ("_asked", "_began", "_environment", "_exchange", "_guard", "_hold", "_matched", "_span")

    def __init__(
        self, guard: ExternalAuthorization, matched: Rule, environment: HTTPEnvironment, exchange: Exchange
    ) -> None:
        """
        @param matched: The rule that has it asked.
        """
        self._guard = guard
        self._matched = matched
        self._environment = environment
        self._exchange = exchange
        self._hold: Hold | None = None
        self._asked: AsyncRequest | None = None
        self._began = 0.0
        self._span = b""

    def begin(self) -> None:
        """Ask; where the body is asked about as well, when it is there."""
        exchange, wanted = self._exchange, self._guard.authorizer.body
        head = exchange.head
        if wanted is None or not head.length or head.upgrade:
            self._hold = Hold(exchange, self._environment, None, _never, self.cancel)
            self._ask(b"", None)
        elif head.length > wanted.most and not wanted.partial:
            exchange.fail(BODY_TOO_LARGE)
        else:
            self._hold = BodyHold(exchange, self._environment, wanted.most, self._gathered, self.cancel)

    def cancel(self) -> None:
        """The client has left."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()

    def broke(self) -> None:
        """An error of ours was raised, and was logged: nobody passes by it."""
        if self._hold is not None:
            self._hold.fail(GUARD_FAILED)

    @contained
    def _gathered(self, body: bytes, more: bool) -> None:
        """The body is there, as much of it as is told."""
        wanted = self._guard.authorizer.body
        assert wanted is not None
        if more and not wanted.partial:
            assert self._hold is not None
            self._hold.fail(BODY_TOO_LARGE)
        else:
            self._ask(body, more)

    def _ask(self, body: bytes, partial: bool | None) -> None:
        exchange, authorizer = self._exchange, self._guard.authorizer
        cluster = exchange.clusters.get(authorizer.cluster)
        self._began = monotonic()
        if cluster is None:
            self._judge(failed(authorizer, "it has no cluster"))
            return
        head, content = check_of(authorizer, exchange, body, partial)
        request = AsyncRequest(self._environment, cluster, head, content, self._told, exchange.connection)
        if exchange.trace is not None:
            self._span = trace_check(request, exchange.trace)
        self._asked = request
        request.start(authorizer.timeout)

    @contained
    def _told(self, outcome: AsyncResponse | Fault) -> None:
        """The service has answered, or will not."""
        request, self._asked = self._asked, None
        trace, tracer = self._exchange.trace, self._environment.observer.tracer
        if trace is not None and trace.sampled and tracer is not None and request is not None:
            address = None if request.endpoint is None else request.endpoint.address
            status = 0 if isinstance(outcome, Fault) else outcome.status
            tracer.shadow_ended(trace, self._span, self._guard.authorizer.cluster, self._began, address, status)
        self._judge(verdict_of(self._guard.authorizer, outcome))

    def _judge(self, verdict: Verdict) -> None:
        """Refuse the request, or let it go on."""
        hold, guard, exchange = self._hold, self._guard, self._exchange
        assert hold is not None
        if hold.over:
            return
        report(self._environment, exchange.connection, guard.authorizer, verdict)
        if verdict.metadata:
            exchange.note(METADATA, verdict.metadata)
        passes = verdict.outcome is Outcome.ALLOWED
        if verdict.outcome is Outcome.FAILED:
            passes = guard.authorizer.fail_open
        if not passes:
            hold.answer(partial(deny, guard=guard_of(guard, self._matched), verdict=verdict))
            return
        changed = changed_head(exchange.head, guard.authorizer, verdict)
        if changed is not exchange.head:
            if guard.authorizer.clears_route:
                exchange.route_head = None
            elif exchange.route_head is None:
                exchange.route_head = exchange.head
            exchange.replace_head(changed)
        mutations = response_mutations(verdict)
        if mutations:
            exchange.response_mutations = [*(exchange.response_mutations or ()), *mutations]
        hold.go_on()


def _never(hold: Hold) -> None:
    """The check has a deadline of its own."""
