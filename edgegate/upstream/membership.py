"""Which addresses a cluster has: what its files say, with names in place of which their addresses stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgegate.model.addresses import Address, TCPAddress, is_ip_address
from edgegate.model.clusters import Discovery, Endpoint
from edgegate.upstream.dns.resolutions import ResolvedName, Resolver

Member = tuple[Address, Endpoint]
"""An address, and what the files say of it or of its name."""


class Membership:
    """
    The names of one cluster, watched, and the addresses that follow.

    @ivar members: As they were worked out last; an address may be there twice.
    """

    __slots__ = ("_changed", "_discovery", "_endpoints", "_names", "_quiet", "_resolver", "members")

    def __init__(self, resolver: Resolver, quiet: bool = False) -> None:
        """
        @param quiet: How its names do need not be logged.
        """
        self._discovery = Discovery.STATIC
        self._endpoints: tuple[Endpoint, ...] = ()
        self._resolver = resolver
        self._quiet = quiet
        self._names: dict[str, ResolvedName] = {}
        self._changed: Callable[[], None] = _nothing
        self.members: list[Member] = []

    @property
    def watches(self) -> bool:
        """Whether any name is watched."""
        return bool(self._names)

    @property
    def answered(self) -> bool:
        """Whether the first queries of all names have ended."""
        return all(name.answered for name in self._names.values())

    def watch(self, discovery: Discovery, endpoints: tuple[Endpoint, ...], changed: Callable[[], None]) -> None:
        """
        Watch the names that a cluster of these endpoints has, and no others. The members are to be worked out then.

        @param changed: Called when something is heard of a name, until L{stop}: see L{Resolver.watch}. It is the same
            each time until then.
        """
        resolver, before, wanted = self._resolver, self._names, _names(discovery, endpoints)
        self._discovery, self._endpoints, self._changed = discovery, endpoints, changed
        self._names = {name: before.get(name) or resolver.watch(name, changed, self._quiet) for name in sorted(wanted)}
        for name in before.keys() - wanted:
            resolver.unwatch(name, changed)

    def work_out(self) -> bool:
        """Work out the members anew; answer whether they differ from before."""
        before, self.members = self.members, list(self._found())
        return self.members != before

    def stop(self) -> None:
        """Watch no name, and call nobody. The members stay."""
        changed, self._changed = self._changed, _nothing
        for name in self._names:
            self._resolver.unwatch(name, changed)
        self._names = {}

    def _found(self) -> Iterator[Member]:
        """Yield the addresses and what is said of them; each address of a name is all that the name is, as in Envoy."""
        for endpoint in () if self._discovery is Discovery.DYNAMIC else self._endpoints:
            address = endpoint.address
            name = self._names.get(address.host) if isinstance(address, TCPAddress) else None
            if isinstance(address, TCPAddress) and name is not None:
                for host in self._hosts(name):
                    yield TCPAddress(host, address.port), endpoint
            else:
                yield address, endpoint

    def _hosts(self, name: ResolvedName) -> tuple[str, ...]:
        """Return the addresses of a name that are used."""
        if self._discovery is Discovery.LOGICAL_DNS:
            return (name.first,) if name.first else ()
        return name.addresses


def _names(discovery: Discovery, endpoints: tuple[Endpoint, ...]) -> set[str]:
    """Return the names that have to be resolved."""
    if discovery in (Discovery.STATIC, Discovery.DYNAMIC):
        return set()
    addresses = [endpoint.address for endpoint in endpoints]
    return {a.host for a in addresses if isinstance(a, TCPAddress) and not is_ip_address(a.host)}


def _nothing() -> None:
    """Nobody is told."""
