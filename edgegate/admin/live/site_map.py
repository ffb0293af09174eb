"""
What the files say, as rows of the live tables: from listeners through hosts and routes to clusters.

They are yielded one by one, as there may be ten thousands of them. What they are called is in
L{edgegate.observe.live.names}; figures are put beside them by whoever shows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from edgegate.admin import views
from edgegate.admin.live.parts import CERTIFICATES, Row
from edgegate.model.addresses import Address
from edgegate.model.clusters import Cluster
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.observe.live.names import host_id, listener_id, route_id
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.tls.secret_store import Secrets

MOST_SERVERS = 20
"""Servers of a listener that are shown, and names of one that are."""


def map_rows(
    snapshot: Snapshot,
    secrets: Secrets,
    bound: Callable[[Listener], Address | None],
    now: datetime,
    managed: views.Managed = views.NOT_MANAGED,
) -> Iterator[tuple[str, Row]]:
    """
    Yield rows with the names of their tables.

    @param secrets: The key material that the Snapshot names.
    @param bound: Tells which address is bound for a listener.
    @param now: Aware.
    @param managed: What is known of the certificates that the gateway has issued itself.
    """
    for listener in snapshot.listeners:
        yield "listeners", _listener(listener, bound(listener) or listener.bind)
        for chain, names in views.chains(listener):
            if chain.http is not None:
                yield from _http(listener, chain)
            else:
                yield from _tcp(listener, chain, names)
    for cluster in snapshot.clusters.values():
        yield "clusters", _cluster(cluster)
    for row in views.each_secret(snapshot, secrets, now, managed):
        yield CERTIFICATES, {"id": f"{row['type']} {row['name']} {', '.join(_texts(row['hosts']))}", **row}


def _listener(listener: Listener, local: Address) -> Row:
    servers = [
        {
            "name": chain.name,
            "type": views.kind(listener, chain),
            "hosts": list(chain.hosts[:MOST_SERVERS]),
            "tls": chain.tls is not None,
            **_said(chain.origin),
        }
        for chain, _ in views.chains(listener)
    ]
    return {
        "id": listener_id(listener),
        "address": str(local),
        "port": listener.port,
        "servers": servers[:MOST_SERVERS],
        "servers_total": len(servers),
        **_said(listener.origin),
    }


def _http(listener: Listener, chain: FilterChain) -> Iterator[tuple[str, Row]]:
    assert chain.http is not None
    for _, host in chain.http.items():
        yield "hosts", _host(listener, chain, host.domain, len(host.routes))
        yield from _routes(listener, chain, host)


def _routes(listener: Listener, chain: FilterChain, host: VirtualHost) -> Iterator[tuple[str, Row]]:
    name = host_id(listener, chain, host.domain)
    for place, route in enumerate(host.routes):
        row = _route(listener, name, host.domain, place, route)
        if route.redirect is not None:
            action = "redirect"
        else:
            action = "direct response" if route.direct is not None else "forward"
        yield "routes", {**row, "name": route.name, "match": views.matches(route), "action": action}


def _tcp(listener: Listener, chain: FilterChain, names: list[str]) -> Iterator[tuple[str, Row]]:
    domain = relayed_domain(chain, names)
    name = host_id(listener, chain, domain)
    yield "hosts", {**_host(listener, chain, domain, len(chain.tcp or ())), "open": 0}
    for place, route in enumerate(chain.tcp or ()):
        shown = ", ".join(route.sni_hosts[:MOST_SERVERS]) or domain
        row = _route(listener, name, shown, place, route)
        yield "routes", {**row, "name": "", "match": views.tcp_match(route), "action": "forward", "open": 0}


def relayed_domain(chain: FilterChain, names: list[str]) -> str:
    """
    Return what stands for the virtual host of connections that are relayed.

    @param names: The SNI names that find the filter chain.
    """
    return ", ".join((names or list(chain.hosts))[:MOST_SERVERS])


def _host(listener: Listener, chain: FilterChain, domain: str, routes: int) -> Row:
    return {
        "id": host_id(listener, chain, domain),
        "listener": listener_id(listener),
        "server": chain.name,
        "host": domain,
        "type": views.kind(listener, chain),
        "routes": routes,
        **_said(chain.origin),
    }


def _route(listener: Listener, host: str, domain: str, place: int, route: HTTPRoute | TCPRoute) -> Row:
    to = route.destinations
    return {
        "id": route_id(host, place),
        "listener": listener_id(listener),
        "host_id": host,
        "host": domain,
        "place": place,
        "to": [each.cluster if len(to) == 1 else f"{each.cluster} ({each.weight})" for each in to],
        "clusters": [each.cluster for each in to],
        **_said(route.origin),
    }


def _cluster(cluster: Cluster) -> Row:
    _, port, subset, service = views.parts_of(cluster.name)
    return {
        "id": cluster.name,
        "service": service,
        "port": port,
        "subset": subset or None,
        "rule_file": None if cluster.rule is None else str(cluster.rule),
        **_said(cluster.origin),
    }


def _said(origin: Origin) -> Row:
    return {"resource": origin.resource, "file": str(origin)}


def _texts(value: views.Value) -> list[str]:
    return value if isinstance(value, list) else []
