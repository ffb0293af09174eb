"""The hosts of a Gateway's servers, found without a look at each of thousands."""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.istio.analysis.names import matches
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.resources import Resource


class ServedHosts:
    """
    Finds the servers of a Gateway that are for a host.

    Exact hosts are looked up; only patterns are compared one by one.
    """

    def __init__(self, gateway: Resource[Gateway]) -> None:
        self._exact: dict[str, list[tuple[str, int]]] = {}
        self._patterns: dict[str, list[tuple[str, int]]] = {}
        for index, server in enumerate(gateway.spec.servers):
            for text in server.hosts:
                scope, slash, host = text.rpartition("/")
                scope = gateway.namespace if scope == "." else scope if slash else "*"
                known = self._patterns if host.startswith("*") else self._exact
                known.setdefault(host.lower(), []).append((scope, index))

    def servers(self, host: str) -> list[int]:
        """Return the indexes of the servers with a host in common with a host or pattern, in order."""
        return sorted({index for _, index in self._found(host)})

    def has(self, hosts: Iterable[str], namespace: str) -> bool:
        """Whether one of some hosts of a VirtualService is one that some server takes from its namespace."""
        return any(scope in ("*", namespace) for host in hosts for scope, _ in self._found(host))

    def _found(self, host: str) -> list[tuple[str, int]]:
        """Return scopes and servers of all hosts that have names in common with one."""
        if host.startswith("*"):
            known = [*self._exact.items(), *self._patterns.items()]
            return [place for other, places in known if matches(other, host) for place in places]
        found = list(self._exact.get(host.lower(), ()))
        for pattern, places in self._patterns.items():
            if matches(pattern, host):
                found += places
        return found
