"""Envoy's C{ratelimit} filter (C{source/extensions/filters/http/ratelimit/ratelimit.cc}): asks a service over gRPC."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Final

from twisted.logger import Logger

from edgegate.access.rate_limits.descriptors import Descriptor, DescriptorMaker
from edgegate.access.rate_limits.limits import Counts
from edgegate.access.rate_limits.scopes import Effective
from edgegate.access.rate_limits.service_messages import METHOD, ServiceAnswer, answer, question, quota_fields
from edgegate.errors import GUARD_FAILED, NO_CLUSTER, Fault
from edgegate.http.async_request import AsyncRequest, AsyncResponse
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import PASS, Field, check_response_fields, request_roles
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.grpc_unary import CallFailed, call_head, framed, message_in
from edgegate.http.guards.envoy_place import Settled, destination
from edgegate.http.guards.local_rate_limit import fields_of
from edgegate.http.guards.rate_limit_state import RateLimits
from edgegate.http.guards.refusal import Refusal, grpc_status_of_limit, refuse
from edgegate.http.response import ResponseHead
from edgegate.model.guards.envoy_rate_limits import Asks, RateLimitService, ServiceLimit
from edgegate.net.containment import contained
from edgegate.observe.log_throttle import LogThrottle

MOST_ANSWER: Final = 64 * 1024
"""Bytes of an answer that are taken."""

_NAMESPACE: Final = "envoy.filters.http.ratelimit"
_FIELDS: Final = "response_fields"
_SETTABLE: Final = request_roles(trusted=True)
"""What may be set of a request by those who are trusted: not what HTTP and the gateway say themselves."""

_COMPLAINTS: Final = LogThrottle()

log: Final = Logger(namespace=__name__)


class RateLimitServiceFilter(HTTPFilter):
    """Asks about requests that go to a backend and of which there are descriptors."""

    __slots__ = ("_counts", "_environment", "_guard", "_makers", "_settled", "limit")

    name = "ratelimit"

    def __init__(self, guard: RateLimitService, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self.limit = guard.limit
        self._environment = environment
        self._counts = environment.access.shared(RateLimits, RateLimits).counts(guard.name, guard.limit.domain)
        self._settled = Settled(guard.scopes, environment.trusted_hops)
        # known by the identity of what rules count, which is kept here
        self._makers: dict[int, tuple[Effective, DescriptorMaker]] = {}

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        if self.limit.asks is Asks.INTERNAL:
            return FilterStatus.CONTINUE
        route, settled = self._settled.of(exchange)
        cluster = destination(route)
        if not cluster:
            return FilterStatus.CONTINUE
        descriptors = self._maker(settled).of(exchange, cluster)
        if not descriptors:
            return FilterStatus.CONTINUE
        return Question(self._guard, self._environment, exchange, self._counts).ask(descriptors)

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Add what the service wants the response to have."""
        metadata = exchange.metadata
        fields = None if metadata is None else metadata.get(_NAMESPACE, {}).get(_fields_of(self._guard))
        return head.with_fields([*head.fields, *fields]) if isinstance(fields, tuple) else head

    def _maker(self, settled: Effective) -> DescriptorMaker:
        found = self._makers.get(id(settled))
        if found is None:
            rules = settled.rules if self.limit.rules is None else self.limit.rules
            found = self._makers[id(settled)] = settled, DescriptorMaker(rules, self.limit.stage)
        return found[1]


class Question:
    """One question about one request, which waits for the answer."""

    __slots__ = ("_asked", "_counts", "_environment", "_exchange", "_guard", "_hold")

    def __init__(
        self, guard: RateLimitService, environment: HTTPEnvironment, exchange: Exchange, counts: Counts
    ) -> None:
        self._guard = guard
        self._counts = counts
        self._environment = environment
        self._exchange = exchange
        self._hold: Hold | None = None
        self._asked: AsyncRequest | None = None

    def ask(self, descriptors: Iterable[Descriptor]) -> FilterStatus:
        """Ask, and have the request wait."""
        exchange, limit = self._exchange, self._guard.limit
        self._hold = Hold(exchange, self._environment, None, _never, self._cancel)
        cluster = exchange.clusters.get(limit.cluster)
        if cluster is None:
            self._told(NO_CLUSTER)
            return FilterStatus.STOP
        body = framed(question(limit.domain, descriptors))
        head = call_head(METHOD, (limit.authority or limit.cluster).encode(), len(body), limit.timeout, [])
        asked = AsyncRequest(self._environment, cluster, head, body, self._told, exchange.connection, MOST_ANSWER)
        self._asked = asked
        asked.start(limit.timeout)
        return FilterStatus.STOP

    def _cancel(self) -> None:
        """The client has left."""
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.cancel()

    @contained
    def _told(self, outcome: AsyncResponse | Fault) -> None:
        """The service has answered, or will not."""
        self._asked = None
        if isinstance(outcome, Fault):
            self._failed(outcome.reason)
            return
        try:
            found = answer(message_in(outcome))
        except (CallFailed, ValueError) as error:
            self._failed(str(error))
        else:
            self._judged(found)

    def broke(self) -> None:
        """An error of ours was raised, and was logged."""
        if self._hold is not None:
            self._hold.fail(GUARD_FAILED)

    def _judged(self, found: ServiceAnswer) -> None:
        hold, limit, exchange = self._hold, self._guard.limit, self._exchange
        assert hold is not None
        if hold.over:
            return
        told = _sound(quota_fields(found.quotas)) if limit.shown else []
        told.extend(_sound(found.response_fields))
        if found.over:
            self._counts.limited += 1
            refusal = over_refusal(limit, found.body, told)
            hold.answer(lambda exchange: refuse(exchange, self._guard, refusal))
            return
        self._counts.allowed += 1
        if told:
            exchange.note(_NAMESPACE, {_fields_of(self._guard): tuple(told)})
        fields = [field for field in found.request_fields if _SETTABLE.of(field[0])[1] == PASS]
        if fields:
            exchange.change_request(_sound(fields))
        hold.go_on()

    def _failed(self, why: str) -> None:
        """The service can't be asked."""
        hold, guard = self._hold, self._guard
        assert hold is not None
        if hold.over:
            return
        self._counts.failed += 1
        held_back = _COMPLAINTS.due((guard.limit.cluster, why), monotonic())
        if held_back is not None:
            log.warn(  # noqa: G010
                "the rate limit service {cluster} can't be asked: {why}",
                cluster=guard.limit.cluster,
                why=why,
            )
        if guard.limit.deny:
            hold.answer(lambda exchange: refuse(exchange, guard, error_refusal(guard.limit)))
        else:
            self._exchange.mark("RLSE")
            hold.go_on()


def _never(hold: Hold) -> None:
    """What is asked has a deadline of its own."""


def _fields_of(guard: RateLimitService) -> str:
    """Return under which name it is kept what a response is to have: several services may be asked of one request."""
    return f"{_FIELDS} {guard.name} {guard.limit.domain}"


def over_refusal(limit: ServiceLimit, body: bytes = b"", fields: Iterable[Field] = ()) -> Refusal:
    """Return what a request gets that is one too many."""
    own = [(b"x-envoy-ratelimited", b"true")] if limit.marked else []
    return Refusal(
        limit.status,
        body,
        "request_rate_limited",
        "RL",
        (*own, *fields, *fields_of(limit.response_fields)),
        grpc_status_of_limit(limit.grpc_exhausted),
    )


def error_refusal(limit: ServiceLimit) -> Refusal:
    """Return what a request gets where nobody passes unless the service is asked."""
    return Refusal(limit.error_status, b"", "rate_limiter_error", "RLSE")


def _sound(fields: Iterable[Field]) -> list[Field]:
    """Return those fields that HTTP allows in a response: what a service says is not trusted with more."""
    found = []
    for field in fields:
        try:
            check_response_fields([field])
        except ValueError:
            continue
        found.append(field)
    return found
