"""What a patch of an EnvoyFilter is for: which servers, virtual hosts and routes
(C{pilot/pkg/networking/core/envoyfilter})."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from edgegate.istio.kinds.envoy_filter import (
    ConfigPatch,
    FilterChainMatch,
    ListenerMatch,
    PatchContext,
    RouteAction,
    RouteConfigurationMatch,
)
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.servers import Server
from edgegate.model.hosts import normalise

MANAGERS: Final = frozenset(
    {"envoy.filters.network.http_connection_manager", "envoy.http_connection_manager", "envoy.http_filter"}
)
"""The names of the network filter that HTTP filters are in."""

ROUTERS: Final = frozenset({"envoy.filters.http.router", "envoy.router"})

STANDARD: Final = frozenset(
    {
        "envoy.filters.http.cors",
        "envoy.filters.http.fault",
        "envoy.filters.http.grpc_stats",
        "envoy.filters.http.grpc_web",
        "istio.alpn",
        "istio.metadata_exchange",
        "istio.stats",
    }
)
"""HTTP filters that Istio sets itself between those that decide who may enter and the router."""

_PORT_IN_NAME: Final = re.compile(r"(?:[0-9a-fA-F.:\[\]]+_|https?\.)([0-9]{1,5})(?:\..*)?")

_PORT: Final = re.compile("[0-9]{1,5}")


def for_gateways(patch: ConfigPatch) -> bool:
    """Whether a patch is for gateways, by its context."""
    match = patch.match
    if match is None:
        return True
    return match.context in (None, PatchContext.ANY, PatchContext.GATEWAY)


def asks_for_metadata(patch: ConfigPatch) -> bool:
    """Whether a patch is for proxies that have told Istio something of themselves: this gateway has told nothing."""
    return patch.match is not None and patch.match.proxy is not None and bool(patch.match.proxy.metadata)


def servers_of(match: ListenerMatch | None, servers: Iterable[Server], port_map: Mapping[int, int]) -> list[Server]:
    """Return the HTTP servers whose filters a patch is for."""
    return [server for server in servers if _http(server) and (match is None or _listens(match, server, port_map))]


def _http(server: Server) -> bool:
    return server.traffic.http


def _listens(match: ListenerMatch, server: Server, port_map: Mapping[int, int]) -> bool:
    ports = ports_of(server, port_map)
    if match.port_number and match.port_number not in ports:
        return False
    if match.name and named_port(match.name) not in ports:
        return False
    chain = match.filter_chain
    return chain is None or _chain(chain, server)


def _chain(chain: FilterChainMatch, server: Server) -> bool:
    if chain.filter is not None and chain.filter.name and chain.filter.name not in MANAGERS:
        return False
    if chain.transport_protocol and (chain.transport_protocol == "tls") is server.traffic.plain:
        return False
    if not chain.sni:
        return True
    try:
        sni = normalise(chain.sni)
    except ValueError:
        return False
    return not server.traffic.plain and any(host.pattern == sni for host in server.hosts)


def ports_of(server: Server, port_map: Mapping[int, int]) -> frozenset[int]:
    """Return the numbers by which a patch may name a server's port: that of the files and the one that is bound."""
    number = server.value.number
    return frozenset({number, port_map.get(number, number)})


def named_port(name: str) -> int:
    """Return the port in a listener's or a route configuration's name (C{0.0.0.0_8080}, C{http.80}); 0: none."""
    found = _PORT_IN_NAME.fullmatch(name)
    return 0 if found is None else int(found[1])


def filter_of(match: ListenerMatch | None) -> str:
    """Return the name of the HTTP filter at which one is inserted; empty: none is named."""
    chain = None if match is None else match.filter_chain
    sub_filter = None if chain is None or chain.filter is None else chain.filter.sub_filter
    return "" if sub_filter is None or sub_filter.name is None else sub_filter.name


def host_key(match: RouteConfigurationMatch | None) -> str | None:
    """
    Return what a patch calls the virtual hosts that it is for (see L{edgegate.model.guards.envoy_rate_limits.Scopes});
    L{None}: it is for none that there can be here.
    """
    if match is None:
        return ""
    port = match.port_number or (named_port(match.name) if match.name else 0)
    if match.name and not port:
        return None
    host = match.vhost
    if host is None or not (host.name or host.domain_name):
        return f":{port}" if port else ""
    name = host.name or host.domain_name or ""
    domain, colon, number = name.rpartition(":")
    if not colon or _PORT.fullmatch(number) is None:
        # a domain by itself: on whichever port
        domain, number = name, ""
    try:
        domain = normalise(domain)
    except ValueError:
        return None
    if port and number and int(number) != port:
        return None
    return f"{domain}:{number or port or '*'}"


def route_key(match: RouteConfigurationMatch | None) -> str | None:
    """Return the name of the routes that a patch is for; empty: all; L{None}: none of those that go to a backend."""
    route = None if match is None or match.vhost is None else match.vhost.route
    if route is None:
        return ""
    if route.action not in (None, RouteAction.ANY, RouteAction.ROUTE):
        return None
    return route.name or ""


def may_be_there(
    host: str,
    route: str,
    servers: Collection[Server],
    services: Iterable[Resource[VirtualService]],
    port_map: Mapping[int, int],
) -> bool:
    """
    Whether there may be virtual hosts and routes of these names.

    @param host: See L{host_key}; C{route}: see L{route_key}.
    """
    domain, _, port = host.rpartition(":")
    if port not in ("", "*") and not any(int(port) in ports_of(server, port_map) for server in servers):
        return False
    specs = [service.spec for service in services]
    if domain:
        known = {pattern.pattern for server in servers for pattern in server.hosts}
        known.update(name.lower().rstrip(".") for spec in specs for name in spec.hosts)
        if domain not in known:
            return False
    # the routes of delegates have the name of the item before theirs
    names = [item.name for spec in specs for item in spec.http if item.name]
    return not route or any(route == name or route.endswith(f"-{name}") for name in names)
