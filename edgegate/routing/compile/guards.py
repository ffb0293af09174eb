"""Which guards stand on filter chains and on virtual hosts, by those that stand on their servers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from edgegate.model.guards.guard import Guards, Stage, in_order
from edgegate.model.patterns import PatternIndex
from edgegate.model.servers import Server
from edgegate.model.translation import AttachedRoutes
from edgegate.routing.snapshot import FilterChain


class GuardTable:
    """The guards of servers, and of what is made of several: one object, however many hosts have the same ones."""

    def __init__(self, guards: Mapping[Server, Guards]) -> None:
        self._guards = {server: in_order(each) for server, each in guards.items() if each}
        self._found: dict[frozenset[Server], Guards] = {}

    def of(self, servers: Iterable[Server]) -> Guards:
        """Return all that stands on any of these servers."""
        if not self._guards:
            return ()
        guarded = dict.fromkeys(server for server in servers if server in self._guards)
        key = frozenset(guarded)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = in_order(guard for server in guarded for guard in self._guards[server])
        return found

    def of_hosts(
        self, servers: Sequence[Server], attached: Iterable[AttachedRoutes], domains: Iterable[str]
    ) -> dict[str, Guards]:
        """
        Return what stands on each virtual host: on the servers through which it has routes, and on those whose host it
        is; where it is neither's, as the narrower host of a redirect, on those that cover it.
        """
        if not any(server in self._guards for server in servers):
            return {}
        owners: dict[str, dict[Server, None]] = {}
        covering: PatternIndex[Server] = PatternIndex()
        for each in attached:
            for domain in each.domains:
                owners.setdefault(domain, {})[each.server] = None
        for server in servers:
            for host in server.hosts:
                owners.setdefault(host.pattern, {})[server] = None
                covering.add(host.pattern, server)
        return {
            domain: self.of(owners.get(domain) or [server for _, server in covering.covering(domain)])
            for domain in domains
        }


def met_first(plain: FilterChain | None, secure: Iterable[FilterChain]) -> Guards:
    """
    Return the lists of addresses that stand on all chains of a port. Where requests come in the clear there are none:
    such a request is answered.
    """
    chains = list(secure)
    if plain is not None:
        if plain.http is not None:
            return ()
        chains.append(plain)
    first = chains[0].guards if chains else ()
    lists = [guard for guard in first if guard.stage() is Stage.ADDRESSES]
    return tuple(guard for guard in lists if all(guard in chain.guards for chain in chains[1:]))
