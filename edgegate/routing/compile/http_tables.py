"""Virtual hosts: all routes that are attached to the HTTP servers of one port, by host."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from edgegate.model.diagnostics import Report, unreachable
from edgegate.model.guards.guard import Guards
from edgegate.model.notes import Cause, LeftOut
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.model.servers import Server
from edgegate.model.translation import AttachedRoutes
from edgegate.routing.compile.guards import GuardTable
from edgegate.routing.compile.redirects import RedirectPorts
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import RouteTable, VirtualHost


@dataclass(slots=True)
class _Host:
    """A virtual host that is being put together."""

    routes: list[HTTPRoute] = field(default_factory=list)
    last: HTTPRoute | None = None
    objects: int = 0

    def add(self, routes: Sequence[HTTPRoute], domain: str, number: int, report: Report) -> None:
        """Append an object's routes; the first one that takes every request stays behind all others."""
        self.objects += 1
        for route in routes:
            if route.matches:
                self.routes.append(route)
            elif self.last is None:
                self.last = route
            elif self.last.origin != route.origin:
                why = f"{self.last.origin} takes every request of {domain}"
                left = LeftOut(Cause.BEHIND, route.origin, (domain,), number, why, None, route.name, self.last.origin)
                report(unreachable(left))

    def virtual_host(self, domain: str, redirect_port: int | None, guards: Guards) -> VirtualHost:
        # one object has each route once on a server, but may be attached by two parents
        routes = tuple(self.routes if self.objects == 1 else dict.fromkeys(self.routes))
        return VirtualHost(domain, routes if self.last is None else (*routes, self.last), redirect_port, guards)


def route_table(
    servers: Sequence[Server],
    attached: Sequence[AttachedRoutes],
    redirects: RedirectPorts,
    guards: GuardTable,
    report: Report,
) -> RouteTable:
    """
    Make the route table of servers that share one: all HTTP servers of a port, or one HTTPS server.

    @param attached: To any of the servers, in their order.
    """
    hosts: dict[str, _Host] = {}
    seen: set[tuple[Origin, str, str]] = set()
    for each in attached:
        for domain in each.domains:
            key = each.origin, each.server.parent, domain
            if key in seen:
                continue
            seen.add(key)
            hosts.setdefault(domain, _Host()).add(each.http, domain, each.server.number, report)
    ports = _redirect_ports(servers, attached, hosts, redirects)
    domains = dict.fromkeys([*hosts, *ports])
    standing = guards.of_hosts(servers, attached, domains)
    return HostTable(
        (domain, hosts.get(domain, _Host()).virtual_host(domain, ports.get(domain), standing.get(domain, ())))
        for domain in domains
    )


def _redirect_ports(
    servers: Sequence[Server], attached: Sequence[AttachedRoutes], hosts: dict[str, _Host], redirects: RedirectPorts
) -> dict[str, int]:
    """
    Return the hosts that are sent to HTTPS, with the port there: all of a redirecting server, routes or not.

    Where hosts below a wildcard are served by HTTPS on a port of their own,
    they become virtual hosts of their own.
    """
    found: dict[str, int] = {}
    for server in servers:
        if server.redirects:
            found.update((host.pattern, redirects.of(host.pattern)) for host in server.hosts)
    for each in attached:
        if each.server.redirects:
            found.update((domain, redirects.of(domain)) for domain in each.domains)
    if not any(domain.startswith("*") for domain in found):
        return found
    owners = HostTable((domain, domain) for domain in {*hosts, *found})
    for domain in [domain for domain in found if domain.startswith("*")]:
        for narrower, port in redirects.exceptions(domain):
            if owners.lookup(narrower) == domain:
                found[narrower] = port
                if domain in hosts:
                    # behind a proxy that ends TLS its requests are served, by the routes that they had
                    hosts.setdefault(narrower, hosts[domain])
    return found
