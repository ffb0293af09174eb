"""Refuses requests that are one too many, counted here or by a Redis that several gateways ask."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic
from typing import Final, cast

from twisted.internet.defer import CancelledError
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.rate_limits.fields import retry_after, standing_fields
from edgegate.access.rate_limits.limits import CountedLimit, Over, Standing
from edgegate.access.rate_limits.sliding_window import SCRIPT, arguments, counted, key_in_redis
from edgegate.errors import INTERNAL
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.gates import RateLimitGate
from edgegate.http.guards.rate_limit_state import RateLimits, RateLimitState
from edgegate.http.guards.redis_connection import connector
from edgegate.http.guards.redis_link import LinkFailed, RedisLink
from edgegate.http.guards.refusal import Refusal, grpc_status_of_limit, refuse
from edgegate.http.response import ResponseHead
from edgegate.model.guards.rate_limit import GlobalCount, OnFailure, RateLimitGuard
from edgegate.model.redis import RedisServer

log = Logger(namespace=__name__)

NAMESPACE: Final = "edgegate.rate_limit"
"""Under which dynamic metadata has C{shadow}: the policy and the limit that would have refused a request."""

_TOLD: Final = "edgegate.rate_limit.told"


def rate_limit_filter(guard: RateLimitGuard, environment: HTTPEnvironment) -> HTTPFilter:
    """Make the filter of a policy."""
    if guard.shared is None:
        return RateLimitFilter(guard, environment)
    return SharedRateLimitFilter(guard, environment, guard.shared)


def rate_limit_state(guard: RateLimitGuard, environment: HTTPEnvironment) -> RateLimitState:
    """Return what is kept for a policy; from the first time on Redis is connected to, where it counts."""
    shared = environment.access.shared(RateLimits, RateLimits)

    def link(server: RedisServer) -> RedisLink:
        reactor = environment.wheel.clock
        connect = connector(reactor, environment.connector, server)
        return RedisLink(reactor, str(server), connect, environment.random)

    return environment.access.of(guard, lambda: RateLimitState(guard, shared, link))


class RateLimitFilter(HTTPFilter):
    """Counts requests in this gateway."""

    __slots__ = ("_guard", "_limits", "_shown", "_state", "gate")

    name = "rate_limit"

    def __init__(self, guard: RateLimitGuard, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._state = rate_limit_state(guard, environment)
        self._limits = self._state.local
        self._shown = guard.shown
        self.gate = None if guard.shown or guard.shared is not None else RateLimitGate(self._limits)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        now = monotonic()
        over = self._limits.take(exchange, now)
        if over is None and not self._shown:
            return FilterStatus.CONTINUE
        standings = self._limits.standings(exchange, now) if self._shown else []
        if over is not None and not self._shadowed(exchange, over):
            return refuse(exchange, self._guard, rate_limit_refusal(self._guard, over, standings))
        self._note(exchange, standings)
        return FilterStatus.CONTINUE

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """See L{HTTPFilter.response_head}."""
        if not self._shown or exchange.metadata is None:
            return head
        fields = exchange.metadata.get(_TOLD, {}).get(self._guard.name)
        return head.with_fields([*head.fields, *cast("list[Field]", fields)]) if fields else head

    def _shadowed(self, exchange: Exchange, over: Over) -> bool:
        """Count that a request would not pass; return whether it does."""
        if not self._guard.shadow:
            over.limit.counts.limited += 1
            return False
        over.limit.counts.shadowed += 1
        exchange.note(NAMESPACE, {"shadow": f"{self._guard.name}:{over.limit.rule.name}"})
        return True

    def _note(self, exchange: Exchange, standings: Sequence[Standing]) -> None:
        """Keep what the response is to say."""
        if standings:
            exchange.note(_TOLD, {self._guard.name: standing_fields(standings)})


class SharedRateLimitFilter(RateLimitFilter):
    """Has a Redis count requests, for all gateways that ask it."""

    __slots__ = ("_environment", "_link", "_shared")

    def __init__(self, guard: RateLimitGuard, environment: HTTPEnvironment, shared: GlobalCount) -> None:
        super().__init__(guard, environment)
        self._environment = environment
        self._shared = shared
        link = self._state.link
        assert link is not None
        self._link = link

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        limits, keys = self._counting(exchange)
        if not limits:
            return FilterStatus.CONTINUE
        now = monotonic()
        refusal = None
        known = self._known(limits, keys, now)
        if known is not None:
            refusal = self._over(exchange, known, [Standing(known.limit, 0, known.wait)])
        elif not self._link.usable:
            refusal = self._away(exchange, limits)
        else:
            return self._ask(exchange, limits, keys, now)
        return FilterStatus.CONTINUE if refusal is None else refuse(exchange, self._guard, refusal)

    def _counting(self, exchange: Exchange) -> tuple[list[CountedLimit], list[bytes]]:
        """Return the limits that count a request, and their keys in Redis."""
        limits: list[CountedLimit] = []
        keys: list[bytes] = []
        for limit in self._state.limits:
            key = limit.key_for(exchange)
            if key is not None:
                limits.append(limit)
                keys.append(key_in_redis(self._shared.prefix, self._guard.name, limit, key))
        return limits, keys

    def _known(self, limits: Sequence[CountedLimit], keys: Sequence[bytes], now: float) -> Over | None:
        """Return what is over as Redis has said a moment ago: until then nobody has to ask."""
        for limit, key in zip(limits, keys, strict=True):
            wait = self._state.over_keys.wait(key, now)
            if wait > 0:
                return Over(limit, wait)
        return None

    def _ask(
        self, exchange: Exchange, limits: Sequence[CountedLimit], keys: Sequence[bytes], now: float
    ) -> FilterStatus:
        """Ask Redis, and hold the request meanwhile; one that passes in any case is not held."""
        question = self._link.evaluate(SCRIPT, keys, arguments(limits))

        def expired(hold: Hold) -> None:
            question.cancel()
            self._link.timed_out()

        hold = None if self._guard.shadow else Hold(exchange, self._environment, self._shared.timeout, expired)

        def answered(answer: object) -> None:
            refusal = self._judge(exchange, answer, limits, keys, now)
            if hold is None:
                return
            if refusal is None:
                hold.go_on()
            else:
                hold.answer(lambda exchange: refuse(exchange, self._guard, refusal))

        def broke(failure: Failure) -> None:
            log.failure("an error of a rate limit", failure)
            if hold is not None:
                hold.fail(INTERNAL)

        question.addBoth(answered).addErrback(broke)
        return FilterStatus.CONTINUE if hold is None else FilterStatus.STOP

    def _judge(
        self, exchange: Exchange, answer: object, limits: Sequence[CountedLimit], keys: Sequence[bytes], asked: float
    ) -> Refusal | None:
        """Return what a request gets after Redis has answered, or has not; L{None}: it passes."""
        if isinstance(answer, Failure):
            answer.trap(LinkFailed, CancelledError)
            return self._away(exchange, limits)
        now = monotonic()
        latencies = self._state.latencies
        assert latencies is not None
        latencies.add(now - asked)
        try:
            found = counted(answer, limits)
        except ValueError as error:
            log.warn("Redis at {server} has answered what is {error}", server=str(self._shared.redis), error=error)  # noqa: G010
            return self._away(exchange, limits)
        if found.over is not None:
            self._state.over_keys.add(keys[limits.index(found.over.limit)], found.over.wait, now)
            return self._over(exchange, found.over, found.standings)
        for limit in limits:
            limit.counts.allowed += 1
        if self._shown:
            self._note(exchange, found.standings)
        return None

    def _over(self, exchange: Exchange, over: Over, standings: Sequence[Standing]) -> Refusal | None:
        if self._shadowed(exchange, over):
            return None
        return rate_limit_refusal(self._guard, over, standings if self._shown else ())

    def _away(self, exchange: Exchange, limits: Sequence[CountedLimit]) -> Refusal | None:
        """Return what a request gets while Redis does not answer; L{None}: it passes."""
        for limit in limits:
            limit.counts.failed += 1
        on_failure = self._shared.on_failure
        if on_failure is OnFailure.OPEN:
            return None
        if on_failure is OnFailure.CLOSED:
            return None if self._guard.shadow else unavailable_refusal(self._guard)
        now = monotonic()
        over = self._limits.take(exchange, now)
        standings = self._limits.standings(exchange, now) if self._shown else []
        refusal = None if over is None else self._over(exchange, over, standings)
        if refusal is None:
            self._note(exchange, standings)
        return refusal


def rate_limit_refusal(guard: RateLimitGuard, over: Over, standings: Sequence[Standing]) -> Refusal:
    """Return what a request gets that is one too many."""
    response = guard.response
    fields = [retry_after(over.wait), *standing_fields(standings)]
    if response.body:
        fields.append((b"content-type", response.content_type))
    return Refusal(
        response.status,
        response.body,
        f"rate_limited[{guard.name}:{over.limit.rule.name}]",
        "RL",
        tuple(fields),
        grpc_status_of_limit(response.grpc_exhausted),
    )


def unavailable_refusal(guard: RateLimitGuard) -> Refusal:
    """Return what a request gets where nobody passes while Redis can't be asked."""
    return Refusal(503, b"", f"rate_limiter_error[{guard.name}]", "RLSE")
