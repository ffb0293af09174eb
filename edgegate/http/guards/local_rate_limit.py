"""Envoy's C{local_ratelimit} filter (C{source/extensions/filters/http/local_ratelimit/local_ratelimit.cc})."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from os import getpid
from random import Random
from time import monotonic
from typing import Final

from edgegate.access.rate_limits.descriptors import DescriptorMaker
from edgegate.access.rate_limits.envoy_local import BucketStanding, LocalCounter
from edgegate.access.rate_limits.limits import Counts
from edgegate.access.rate_limits.scopes import Effective
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.envoy_place import Settled, destination
from edgegate.http.guards.gates import LocalRateLimitGate
from edgegate.http.guards.rate_limit_state import RateLimits
from edgegate.http.guards.refusal import Refusal, grpc_status_of_limit, refuse
from edgegate.http.response import ResponseHead
from edgegate.model.guards.envoy_rate_limits import LocalLimit, LocalRateLimit, Pair
from edgegate.net.addresses import ConnectionInfo

_NAMESPACE: Final = "envoy.filters.http.local_ratelimit"


class _Limit:
    """One configuration of the filter, with its buckets."""

    __slots__ = ("counter", "counts", "limit", "makers", "refusal", "unenforced")

    def __init__(self, guard: LocalRateLimit, limit: LocalLimit, owner: str, environment: HTTPEnvironment) -> None:
        """
        @param owner: Whose buckets they are: see L{Effective.owner}.
        """
        self.limit = limit
        shared = environment.access.shared(RateLimits, RateLimits)
        self.counter = LocalCounter(limit, f"{guard.name} {owner}", shared.buckets)
        self.counts = shared.counts(guard.name, limit.prefix)
        self.refusal = local_refusal(limit)
        self.unenforced = fields_of(limit.unenforced_fields)
        # known by the identity of what rules count, which is kept here
        self.makers: dict[int, tuple[Effective, DescriptorMaker]] = {}

    def maker(self, settled: Effective) -> DescriptorMaker:
        """Return what makes the descriptors of requests for which some settings count."""
        found = self.makers.get(id(settled))
        if found is None:
            rules = settled.rules if self.limit.rules is None else self.limit.rules
            found = self.makers[id(settled)] = settled, DescriptorMaker(rules, self.limit.stage)
        return found[1]


class LocalRateLimitFilter(HTTPFilter):
    """Counts requests in this gateway, all its processes together."""

    __slots__ = ("_environment", "_guard", "_limits", "_noted", "_settled", "gate")

    name = "local_ratelimit"

    def __init__(self, guard: LocalRateLimit, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._environment = environment
        # under a name of its own: several limits may count one request
        self._noted: str = f"told {guard.name} {guard.limit.prefix}"
        self._settled = Settled(guard.scopes, environment.trusted_hops)
        self._limits: dict[tuple[LocalLimit, str], _Limit] = {}
        self.gate = LocalRateLimitGate(self._counting) if _is_plain(guard) else None

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        route, settled = self._settled.of(exchange)
        limit = self._limit_of(settled.local or self._guard.limit, settled.owner)
        said, random = limit.limit, self._environment.random
        if not _falls(said.enabled, random):
            return FilterStatus.CONTINUE
        descriptors = limit.maker(settled).of(exchange, destination(route)) if said.descriptors else []
        connection = told_apart(exchange.connection) if said.per_connection else b""
        standing = limit.counter.take(descriptors, connection, monotonic())
        if standing is None:
            return FilterStatus.CONTINUE
        if not standing.passes and _falls(said.enforced, random):
            limit.counts.limited += 1
            refusal = limit.refusal
            if said.shown:
                refusal = replace(refusal, fields=(*refusal.fields, *standing_fields(standing)))
            return refuse(exchange, self._guard, refusal)
        if said.shown:
            exchange.note(_NAMESPACE, {self._noted: standing})
        if standing.passes:
            limit.counts.allowed += 1
            return FilterStatus.CONTINUE
        limit.counts.shadowed += 1
        if limit.unenforced:
            exchange.change_request(limit.unenforced)
        return FilterStatus.CONTINUE

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """See L{HTTPFilter.response_head}."""
        standing = exchange.metadata.get(_NAMESPACE, {}).get(self._noted) if exchange.metadata is not None else None
        return head.with_set(standing_fields(standing)) if isinstance(standing, BucketStanding) else head

    def _counting(self, owner: str) -> tuple[LocalCounter, Counts]:
        limit = self._limit_of(self._guard.limit, owner)
        return limit.counter, limit.counts

    def _limit_of(self, limit: LocalLimit, owner: str) -> _Limit:
        found = self._limits.get((limit, owner))
        if found is None:
            found = self._limits[limit, owner] = _Limit(self._guard, limit, owner, self._environment)
        return found


def _is_plain(guard: LocalRateLimit) -> bool:
    """Whether all requests of a port take from one bucket, and what passes is not told."""
    said, scopes = guard.limit, guard.scopes
    apart = said.descriptors or said.per_connection or scopes.hosts or scopes.routes
    return said.enabled >= 1.0 and not said.shown and not apart


def told_apart(connection: ConnectionInfo) -> bytes:
    """
    Return what tells a connection from all others, also from those of other processes, which have the same buckets, and
    from those whose place in memory it has.
    """
    return b"%x:%x:%x" % (getpid(), id(connection), int(connection.since * 1e9))


def local_refusal(limit: LocalLimit) -> Refusal:
    """Return what a request gets that is one too many."""
    return Refusal(
        limit.status,
        b"local_rate_limited",
        "local_rate_limited",
        "RL",
        tuple(fields_of(limit.response_fields)),
        grpc_status_of_limit(limit.grpc_exhausted),
    )


def fields_of(pairs: tuple[Pair, ...]) -> list[Field]:
    """Return fields that files say."""
    return [(name.lower().encode("latin-1"), value.encode()) for name, value in pairs]


def standing_fields(standing: BucketStanding) -> list[Field]:
    """Return how a limit stands, as C{DRAFT_VERSION_03} has it."""
    return [
        (b"x-ratelimit-limit", b"%d" % standing.most),
        (b"x-ratelimit-remaining", b"%d" % standing.left),
        (b"x-ratelimit-reset", b"%d" % ceil(standing.reset)),
    ]


def _falls(share: float, random: Random) -> bool:
    return share >= 1.0 or (share > 0.0 and random.random() < share)
