# Hot path: each request of a guarded host passes here.
"""The gates of guards of requests, see L{edgegate.http.guards.gate}."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, time
from typing import Final

from edgegate.access.address_list import AddressListDecider
from edgegate.access.authorization import Authorizer
from edgegate.access.jwt.authentication import Denial, Identity, authenticate
from edgegate.access.jwt.counts import TokenCounts
from edgegate.access.jwt.rule import RuleState
from edgegate.access.rate_limits.envoy_local import LocalCounter
from edgegate.access.rate_limits.limits import Counts, LocalLimits
from edgegate.access.rate_limits.scopes import owner_of_port
from edgegate.http.exchange import Exchange
from edgegate.http.guards.gate import Gate
from edgegate.http.guards.token_identity import OutputNames, identify
from edgegate.http.request import RequestHead

ALLOWED: Final = 0
"""The place of the number of L{edgegate.observe.metrics.families.AUTHORIZATION} for what may pass."""


class AddressListGate(Gate):
    """Asks a list of addresses."""

    __slots__ = ("_decider", "_of_peer")

    def __init__(self, decider: AddressListDecider) -> None:
        self._decider = decider
        self._of_peer = decider.list.of_peer

    def passes(self, exchange: Exchange) -> bool:
        """See L{Gate.passes}."""
        client = exchange.stream.client
        return self._decider.admits(client.address if self._of_peer else client.external(exchange.head))


class AuthorizationGate(Gate):
    """Asks rules that are enforced, and of which nothing else is told."""

    __slots__ = ("_authorizer",)

    def __init__(self, authorizer: Authorizer) -> None:
        self._authorizer = authorizer

    def passes(self, exchange: Exchange) -> bool:
        """See L{Gate.passes}."""
        connection = exchange.connection
        if not self._authorizer.passes(connection, exchange):
            return False
        if connection.meter is not None:
            connection.meter.count_authorization(ALLOWED)
        return True


class RateLimitGate(Gate):
    """Takes from the buckets of limits that responses say nothing of."""

    __slots__ = ("_limits",)

    def __init__(self, limits: LocalLimits) -> None:
        self._limits = limits

    def passes(self, exchange: Exchange) -> bool:
        """See L{Gate.passes}."""
        return self._limits.take(exchange, monotonic()) is None


class LocalRateLimitGate(Gate):
    """Takes from the one bucket of a port, where an EnvoyFilter says nothing else."""

    __slots__ = ("_counted", "_find")

    def __init__(self, find: Callable[[str], tuple[LocalCounter, Counts]]) -> None:
        """
        @param find: Returns what counts for an owner of buckets (see L{edgegate.access.rate_limits.scopes.Effective}),
            and what is counted of it.
        """
        self._find = find
        self._counted: dict[int, tuple[LocalCounter, Counts]] = {}

    def passes(self, exchange: Exchange) -> bool:
        """See L{Gate.passes}."""
        port = exchange.connection.listener.port
        found = self._counted.get(port)
        if found is None:
            found = self._counted[port] = self._find(owner_of_port(port))
        standing = found[0].take((), b"", monotonic())
        if standing is None:
            return True
        if standing.passes:
            found[1].allowed += 1
        return standing.passes


class TokenGate(Gate):
    """Lets requests pass whose token is valid."""

    __slots__ = ("_counts", "_denied", "_outputs", "_rules")

    def __init__(self, rules: tuple[RuleState, ...], outputs: OutputNames, counts: TokenCounts) -> None:
        self._rules = rules
        self._outputs = outputs
        self._counts = counts
        self._denied: tuple[RequestHead, Denial] | None = None

    def passes(self, exchange: Exchange) -> bool:
        """See L{Gate.passes}."""
        head = exchange.head
        if head.method == b"OPTIONS":
            # it may be a browser's question
            return False
        judged = authenticate(self._rules, head.fields, head.target, time())
        if not isinstance(judged, Identity):
            self._denied = None if judged is None else (head, judged)
            return False
        identify(exchange, judged, self._outputs)
        self._counts.allowed += 1
        return True

    def denial(self, head: RequestHead) -> Denial | None:
        """
        Return why a request did not pass that was looked at last; L{None}: it is another.

        It is told once: the filter asks next, and need not verify the token again.
        """
        denied, self._denied = self._denied, None
        return denied[1] if denied is not None and denied[0] is head else None
