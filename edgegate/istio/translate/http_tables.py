"""Virtual hosts: the routes of all VirtualServices on the HTTP servers of one port, by host."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.translate.attachment import Attachment
from edgegate.istio.translate.delegates import delegation
from edgegate.istio.translate.merging import Part
from edgegate.istio.translate.redirects import RedirectPorts
from edgegate.istio.translate.rules import EVERYWHERE, GatewayKey, Rules, Scope, routes_on, takes_all
from edgegate.istio.translate.servers import Server
from edgegate.model.matching import HTTPMatch
from edgegate.model.routes import HTTPRoute
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import RouteTable, VirtualHost


@dataclass(slots=True)
class _Host:
    """A virtual host that is being put together."""

    routes: list[HTTPRoute] = field(default_factory=list)
    last: HTTPRoute | None = None
    services: int = 0

    def add(self, attachment: Attachment, routes: Sequence[HTTPRoute], domain: str, problems: Problems) -> None:
        """Append a VirtualService's routes; the first one that takes every request stays behind all others."""
        self.services += 1
        for route in routes:
            if route.matches:
                self.routes.append(route)
            elif self.last is None:
                self.last = route
            elif self.last.origin != route.origin:
                _warn_of(attachment.rules, route, f"{self.last.origin} takes every request of {domain}", problems)

    def virtual_host(self, domain: str, redirect_port: int | None) -> VirtualHost:
        # one VirtualService has each route once on a server, but may be attached by two Gateways
        routes = tuple(self.routes if self.services == 1 else dict.fromkeys(self.routes))
        return VirtualHost(domain, routes if self.last is None else (*routes, self.last), redirect_port)


def route_table(
    servers: Sequence[Server], attachments: Sequence[Attachment], redirects: RedirectPorts, problems: Problems
) -> RouteTable:
    """
    Make the route table of servers that share one: all HTTP servers of a port, or one HTTPS server.

    @param attachments: To any of the servers, in the order of the VirtualServices.
    """
    hosts: dict[str, _Host] = {}
    seen: set[tuple[int, GatewayKey, str]] = set()
    for attachment in attachments:
        routes: list[HTTPRoute] | None = None
        for domain in attachment.domains:
            key = attachment.order, attachment.gateway, domain
            if key in seen:
                continue
            seen.add(key)
            if routes is None:
                routes = routes_on(attachment.rules, attachment.gateway, attachment.server.number)
            hosts.setdefault(domain, _Host()).add(attachment, routes, domain, problems)
    ports = _redirect_ports(servers, attachments, hosts, redirects)
    return HostTable(
        (domain, hosts.get(domain, _Host()).virtual_host(domain, ports.get(domain)))
        for domain in dict.fromkeys([*hosts, *ports])
    )


def _redirect_ports(
    servers: Sequence[Server], attachments: Sequence[Attachment], hosts: dict[str, _Host], redirects: RedirectPorts
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
    for attachment in attachments:
        if attachment.server.redirects:
            found.update((domain, redirects.of(domain)) for domain in attachment.domains)
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


def warn_of_unreachable(rules: Rules, problems: Problems, known: Container[Part] = ()) -> list[Path]:
    """
    Warn of HTTP routes that stand behind another of the same VirtualService which takes all that they ask for.

    @param known: Those of delegates that are never reached whoever delegates to them; they are not told again.
    @return: The paths of all such routes.
    """
    found: dict[Path, str] = {}
    seen: dict[tuple[Scope, HTTPMatch], HTTPRoute] = {}
    taken: HTTPRoute | None = None
    for rule in rules.http:
        if taken is not None:
            found[rule.path] = f"the route at {taken.origin} takes every request"
            continue
        if rules.resource.left_out(rule.path):
            continue  # what is left of it is not what it asks for
        keys = [(scope, match) for scope, match, _ in rule.matches]
        if keys and all(key in seen for key in keys):
            found[rule.path] = f"the route at {seen[keys[0]].origin} has the same conditions"
        for key in keys:
            seen.setdefault(key, rule.route)
        if any(scope == EVERYWHERE and takes_all(match) for scope, match in keys):
            taken = rule.route
    for path, why in found.items():
        if rules.resource.at(path) not in known:
            root = delegation(rules.resource, path)
            through = f" through {root}" if root is not None else ""
            rules.resource.warning(problems, path, f"never reached{through}: {why}")
    return list(found)


def _warn_of(rules: Rules, route: HTTPRoute, why: str, problems: Problems) -> None:
    rule = next((rule for rule in rules.http if rule.route.origin == route.origin), None)
    if rule is not None:
        rules.resource.warning(problems, rule.path, f"never reached: {why}")
