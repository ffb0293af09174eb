"""Guards for tests, which do as they are told, and gateways that have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.registry import GUARD_FILTERS
from edgegate.http.response import ResponseHead
from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, VirtualHost
from tests.http.conversation import plain

ORIGIN = Origin("policies.yaml", 3, "TestPolicy n/test")

Look = Callable[[Exchange], FilterStatus]


@dataclass(frozen=True, slots=True)
class TestGuard(Guard):
    """A guard; what it does is in L{LOOKS} under its name."""

    number: int = 0

    __test__ = False

    def stage(self) -> Stage:
        """As told."""
        return Stage(self.number)


LOOKS: dict[str, Look] = {}
PASSES: dict[str, Callable[[], bool]] = {}
"""What the gates of guards do, by their names; the others have none."""
SEEN: list[str] = []
MADE: list[str] = []


class TestGate:
    """A gate that does as it is told."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self._name = name

    def passes(self, exchange: Exchange) -> bool:
        """See L{edgegate.http.guards.gate.Gate.passes}."""
        return PASSES[self._name]()


class TestGuardFilter(HTTPFilter):
    """Does as it is told, and signs responses."""

    __test__ = False

    def __init__(self, guard: TestGuard, environment: HTTPEnvironment) -> None:
        self.name = guard.name
        self.environment = environment
        self.gate = TestGate(guard.name) if guard.name in PASSES else None
        MADE.append(guard.name)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Do as told; without a word let it pass."""
        SEEN.append(self.name)
        look = LOOKS.get(self.name)
        return FilterStatus.CONTINUE if look is None else look(exchange)

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Sign it."""
        return head.with_fields([*head.fields, (b"x-guard", self.name.encode())])


GUARD_FILTERS[TestGuard] = TestGuardFilter


def guard(name: str, look: Look | None = None, number: int = 0) -> TestGuard:
    """Make a guard that does something."""
    LOOKS.pop(name, None)
    if look is not None:
        LOOKS[name] = look
    return TestGuard(name, ORIGIN, number)


def guarded(*guards: Guard, routes: tuple[HTTPRoute, ...] | None = None) -> ConnectionInfo:
    """Make a connection to a gateway where guards stand on the host C{web.example} and on the chain as a whole."""
    SEEN.clear()
    MADE.clear()
    connection = plain()
    chain = connection.chain
    assert chain.http is not None
    hosts = []
    for name, host in chain.http.items():
        if name == "web.example":
            host = VirtualHost(name, host.routes if routes is None else routes, guards=guards)  # noqa: PLW2901
        elif name == "moved.example":
            host = replace(host, guards=guards)  # noqa: PLW2901
        hosts.append((name, host))
    guarded_chain = FilterChain(chain.name, chain.origin, http=HostTable(hosts), guards=guards, guarded=True)
    listener = replace(connection.listener, plain=guarded_chain)
    return replace(connection, listener=listener, chain=guarded_chain)
