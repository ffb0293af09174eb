# Hot path: each request of a policy of concurrency passes it twice.
"""Refuses requests where too many are under way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgegate.access.concurrency import (
    ConcurrencyCounts,
    ConcurrencyLimits,
    CountedConcurrency,
    Place,
    begin,
    end,
    full,
)
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.refusal import Refusal, grpc_status_of_limit, refuse
from edgegate.model.guards.concurrency import ConcurrencyGuard
from edgegate.model.guards.rate_limit import KeyPart
from edgegate.observe.events import Ended
from edgegate.observe.observers import Observers

NAMESPACE: Final = "edgegate.concurrency"
"""Under which dynamic metadata has C{shadow}: the policy and the limit that would have refused a request."""

VERDICTS: Final = ("allowed", "limited", "shadow")
"""What may become of a request that a limit counts, as metrics call it."""


_Key = tuple[str, str, tuple[KeyPart, ...]]
"""By what counts are found again after a change of the files: policy, limit, and what it tells requests apart by."""


class UnderWay:
    """
    What is under way of all policies, before and after a change of the files. It hears of each request that ends.
    """

    __slots__ = ("_counts", "_observer", "_places")

    def __init__(self, observer: Observers) -> None:
        self._counts: dict[_Key, ConcurrencyCounts] = {}
        # a request is known by its identity, which is its own until it ends
        self._places: dict[int, list[Place]] = {}
        self._observer = observer
        observer.add(self)

    def limits(self, guard: ConcurrencyGuard, processes: int) -> ConcurrencyLimits:
        """Return the limits of a policy at work: they know what is under way, whatever they were before."""
        found = []
        for rule in guard.limits:
            counts = self._counts.setdefault((guard.name, rule.name, rule.by), ConcurrencyCounts())
            found.append(CountedConcurrency(rule, processes, counts))
        return ConcurrencyLimits(found)

    def counted(self) -> Iterator[tuple[tuple[str, str, str], int]]:
        """Yield policy, limit and verdict with how many there were so far."""
        summed: dict[tuple[str, str, str], int] = {}
        for (policy, limit, _), counts in self._counts.items():
            for verdict, number in zip(VERDICTS, (counts.allowed, counts.limited, counts.shadowed), strict=True):
                key = policy, limit, verdict
                summed[key] = summed.get(key, 0) + number
        yield from summed.items()

    def active(self) -> Iterator[tuple[tuple[str, str], int]]:
        """Yield policy and limit with how many requests are under way."""
        summed: dict[tuple[str, str], int] = {}
        for (policy, limit, _), counts in self._counts.items():
            summed[policy, limit] = summed.get((policy, limit), 0) + counts.total
        yield from summed.items()

    def counts(self, exchange: Exchange, limits: ConcurrencyLimits) -> bool:
        """Whether a request counts already: its policy may stand on its host and on its route."""
        places = self._places.get(id(exchange))
        return places is not None and any(limit in limits.limits for limit, _ in places)

    def begin(self, exchange: Exchange, places: list[Place]) -> None:
        """A request begins, for one policy."""
        begin(places)
        before = self._places.get(id(exchange))
        self._places[id(exchange)] = places if before is None else [*before, *places]

    def request_ended(self, exchange: Ended) -> None:
        """A request has ended, perhaps one of these."""
        places = self._places.pop(id(exchange), None)
        if places is not None:
            end(places)

    def stop(self) -> None:
        """See L{edgegate.access.state.GuardState.stop}."""
        self._observer.remove(self)


class ConcurrencyState:
    """
    What is kept for one policy.

    @ivar under_way: What is of all of them.
    @ivar limits: Its limits at work.
    """

    __slots__ = ("limits", "under_way")

    def __init__(self, guard: ConcurrencyGuard, under_way: UnderWay, processes: int) -> None:
        self.under_way = under_way
        self.limits = under_way.limits(guard, processes)

    def stop(self) -> None:
        """See L{edgegate.access.state.GuardState.stop}: what is under way counts until it ends."""


class ConcurrencyFilter(HTTPFilter):
    """Lets those pass for whom there is room."""

    __slots__ = ("_guard", "_state")

    name = "concurrency"

    def __init__(self, guard: ConcurrencyGuard, environment: HTTPEnvironment) -> None:
        self._guard = guard
        access, observer = environment.access, environment.observer
        under_way = access.shared(UnderWay, lambda: UnderWay(observer))
        self._state = access.of(guard, lambda: ConcurrencyState(guard, under_way, access.processes))

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        state = self._state
        if state.under_way.counts(exchange, state.limits):
            return FilterStatus.CONTINUE
        places = state.limits.places(exchange)
        if not places:
            return FilterStatus.CONTINUE
        crowded = full(places)
        if crowded is not None:
            if not self._guard.shadow:
                crowded.counts.limited += 1
                return refuse(exchange, self._guard, concurrency_refusal(self._guard, crowded))
            crowded.counts.shadowed += 1
            crowded.counts.allowed -= 1  # it begins all the same
            exchange.note(NAMESPACE, {"shadow": f"{self._guard.name}:{crowded.rule.name}"})
        state.under_way.begin(exchange, places)
        return FilterStatus.CONTINUE


def concurrency_refusal(guard: ConcurrencyGuard, crowded: CountedConcurrency) -> Refusal:
    """Return what a request gets that is one too many."""
    response = guard.response
    fields: list[Field] = []
    if response.retry_after:
        fields.append((b"retry-after", b"%d" % response.retry_after))
    if response.body:
        fields.append((b"content-type", response.content_type))
    return Refusal(
        response.status,
        response.body,
        f"concurrency_limited[{guard.name}:{crowded.rule.name}]",
        "RL",
        tuple(fields),
        grpc_status_of_limit(response.grpc_exhausted),
    )
