# Hot path: looked up for each request that an EnvoyFilter limits.
"""What counts of the settings that EnvoyFilters give virtual hosts and routes, in Envoy's order: the narrowest wins."""

from __future__ import annotations

from edgegate.model.guards.envoy_rate_limits import DescriptorRule, LocalLimit, Scopes, Settings


class Place:
    """
    Where a request goes, as EnvoyFilters name it.

    @ivar hosts: Its virtual host with its port: with the number of the files, and with the one that is bound.
    @ivar route: Its route's name; empty: it has none.
    @ivar port: Of the listener, as the files name it.
    """

    __slots__ = ("hosts", "port", "route")

    def __init__(self, hosts: tuple[str, ...], route: str, port: int = 0) -> None:
        self.hosts = hosts
        self.route = route
        self.port = port


class Effective:
    """
    What counts in one place.

    @ivar rules: Which make its descriptors.
    @ivar local: The local limit; L{None}: the filter's own.
    @ivar owner: Whose buckets of the local limit are taken from: those of a route, of a virtual host or of a listener.
        Each has its own, also where several are given the same limit.
    """

    __slots__ = ("local", "owner", "rules")

    def __init__(self, rules: tuple[DescriptorRule, ...], local: LocalLimit | None, owner: str = "") -> None:
        self.rules = rules
        self.local = local
        self.owner = owner


def effective(scopes: Scopes, place: Place) -> Effective:
    """Return what counts in a place."""
    host, route = Settings(), Settings()
    for name, settings in scopes.hosts:
        if _is_of(name, place.hosts):
            host = _merged(host, settings)
    for name, route_name, settings in scopes.routes:
        if _is_of(name, place.hosts) and (not route_name or route_name == place.route):
            route = _merged(route, settings)
    if route.rules is None:
        rules = host.rules or ()
    elif route.with_host:
        rules = (*route.rules, *(host.rules or ()))
    else:
        rules = route.rules
    owner = owner_of_port(place.port)
    if route.local is not None or host.local is not None:
        # the first name is that by the number of the files, which --map-port does not change
        owner = place.hosts[0] if place.hosts else owner
    if route.local is not None:
        owner = f"{owner}/{place.route}"
    return Effective(rules, route.local or host.local, owner)


def owner_of_port(port: int) -> str:
    """Return whose the buckets of the filter of a port are, where no scope has its own; see L{Effective.owner}."""
    return f":{port}"


def _is_of(name: str, hosts: tuple[str, ...]) -> bool:
    """Whether a name of virtual hosts is that of one, which has one for each number of its port."""
    if not name or name in hosts:
        return True
    if name.startswith(":"):
        return any(host.endswith(name) for host in hosts)
    return name.endswith(":*") and any(host.rpartition(":")[0] == name[:-2] for host in hosts)


def _merged(before: Settings, after: Settings) -> Settings:
    """Merge as protobuf does: what is repeated is appended, what is given anew counts."""
    rules = before.rules
    if after.rules is not None:
        rules = (*(rules or ()), *after.rules)
    return Settings(rules, after.local or before.local, after.with_host or before.with_host)
