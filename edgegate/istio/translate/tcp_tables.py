"""Routes of connections: for servers that relay bytes, and for those that choose a backend by SNI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from edgegate.config.problems import Problems
from edgegate.istio.translate.attachment import Attachment
from edgegate.istio.translate.ports import Port
from edgegate.istio.translate.rules import Rules, TCPRule
from edgegate.istio.translate.servers import Server, Traffic
from edgegate.model.hosts import is_partial
from edgegate.model.origin import Origin
from edgegate.model.patterns import PatternIndex, wider
from edgegate.model.routes import TCPRoute
from edgegate.routing.snapshot import FilterChain


def tcp_routes(attachments: Iterable[Attachment], problems: Problems) -> tuple[TCPRoute, ...]:
    """Return the C{tcp} routes of all VirtualServices, in order; one behind another that takes all is reported."""
    found = []
    seen: set[tuple[TCPRoute, Origin]] = set()
    taken: TCPRoute | None = None
    for attachment in attachments:
        for rule in attachment.rules.tcp:
            key = rule.route, rule.route.origin
            if not rule.scope.holds(attachment.gateway, attachment.server.number) or key in seen:
                continue
            seen.add(key)
            if taken is not None:
                _warn_of(
                    attachment.rules, rule, f"every connection to port {attachment.server.number}", taken, problems
                )
                continue
            found.append(rule.route)
            if rule.route.anywhere:
                taken = rule.route
    return tuple(found)


def passthrough_chains(
    port: Port, server: Server, attachments: Sequence[Attachment], problems: Problems
) -> Iterator[tuple[str, FilterChain]]:
    """
    Yield the filter chains of a server that passes TLS through, by SNI pattern.

    There is one for each pattern of its routes and of its own hosts, so that
    the narrowest pattern decides, as in Envoy, whatever the order of the
    routes, and however many there are.
    """
    routes = _by_pattern(port, server, attachments, problems)
    own = [host.pattern for host in server.hosts if port.secure[host.pattern][0] is server]
    partial = [pattern for pattern in routes if is_partial(pattern)]
    for pattern in dict.fromkeys([*routes, *own]):
        found: list[TCPRoute] = []
        for above in wider(pattern, partial):
            found.extend(replace(route, sni_hosts=(above,)) for route in routes.get(above, ()))
        yield pattern, FilterChain(server.chain_name, server.origin, (pattern,), tcp=tuple(found))


def _by_pattern(
    port: Port, server: Server, attachments: Sequence[Attachment], problems: Problems
) -> dict[str, list[TCPRoute]]:
    """Return the C{tls} routes for each SNI pattern that a server and a match have in common."""
    found: dict[str, list[TCPRoute]] = {}
    for attachment in attachments:
        domains: PatternIndex[None] = PatternIndex()
        for domain in attachment.domains:
            domains.add(domain, None)
        for rule in attachment.rules.tls:
            if not rule.scope.holds(attachment.gateway, server.number):
                continue
            patterns = {common for name in rule.route.sni_hosts for common, _ in domains.intersecting(name)}
            for pattern in sorted(patterns):
                owner = next(port.secure[above][0] for above in wider(pattern) if above in port.secure)
                before = next((each for each in found.get(pattern, ()) if each.anywhere), None)
                if owner is not server and owner.traffic is Traffic.PASSTHROUGH and attachment.names(owner):
                    continue  # it is reached there
                if owner is not server:
                    message = f"never reached: SNI {pattern} on port {server.number} belongs to {owner.origin}"
                    attachment.rules.resource.warning(problems, rule.path, message)
                elif before is not None:
                    what = f"SNI {pattern} on port {server.number}"
                    _warn_of(attachment.rules, rule, what, before, problems)
                else:
                    found.setdefault(pattern, []).append(rule.route)
    return found


def _warn_of(rules: Rules, rule: TCPRule, what: str, taken: TCPRoute, problems: Problems) -> None:
    rules.resource.warning(problems, rule.path, f"never reached: the route at {taken.origin} takes {what}")
