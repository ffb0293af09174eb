"""The hosts of a Gateway's servers, found without a look at each of thousands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.resources import Resource

_Place = tuple[str, int]
"""A namespace, or C{*}, and the index of a server."""

_LAST = "\U0010ffff"


class _Ends:
    """Finds texts by how they end."""

    def __init__(self) -> None:
        self._places: dict[str, list[_Place]] = {}
        self._backwards: list[str] | None = None

    def add(self, text: str, place: _Place) -> None:
        """Add a text, of which something is somewhere."""
        self._places.setdefault(text, []).append(place)
        self._backwards = None

    def of(self, text: str) -> Iterable[_Place]:
        """Return where a text is."""
        return self._places.get(text, ())

    def ending_in(self, end: str) -> Iterator[_Place]:
        """Yield where texts are that end in another."""
        if self._backwards is None:
            self._backwards = sorted(text[::-1] for text in self._places)
        begin = end[::-1]
        first, behind = bisect_left(self._backwards, begin), bisect_left(self._backwards, begin + _LAST)
        for each in self._backwards[first:behind]:
            yield from self._places[each[::-1]]


class ServedHosts:
    """
    Finds the servers of a Gateway that are for a host.

    Hosts are compared as L{edgegate.istio.analysis.names.matches} does.
    """

    def __init__(self, gateway: Resource[Gateway]) -> None:
        self._exact, self._patterns = _Ends(), _Ends()
        for index, server in enumerate(gateway.spec.servers):
            for text in server.hosts:
                scope, slash, host = text.rpartition("/")
                scope = gateway.namespace if scope == "." else scope if slash else "*"
                known = self._patterns if host.startswith("*") else self._exact
                known.add(host.lower().removeprefix("*"), (scope, index))

    def servers(self, host: str) -> list[int]:
        """Return the indexes of the servers with a host in common with a host or pattern, in order."""
        return sorted({index for _, index in self._found(host)})

    def has(self, hosts: Iterable[str], namespace: str) -> bool:
        """Whether one of some hosts of a VirtualService is one that some server takes from its namespace."""
        return any(scope in ("*", namespace) for host in hosts for scope, _ in self._found(host))

    def _found(self, host: str) -> Iterator[_Place]:
        """Yield scopes and servers of all hosts that have names in common with one."""
        host = host.lower()
        wild, end = host.startswith("*"), host.removeprefix("*")
        if wild:
            yield from self._exact.ending_in(end)
            yield from self._patterns.ending_in(end)
        else:
            yield from self._exact.of(host)
        # patterns that are wider than what is asked for
        for begin in range(1 if wild else 0, len(end) + 1):
            yield from self._patterns.of(end[begin:])
