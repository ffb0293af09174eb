"""The services, ports and subsets that destinations name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgegate.config.document import Path
from edgegate.config.problems import Role, Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context, in_mesh_alone
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.analysis.names import is_served_without_declaration, whole_name
from edgegate.istio.kinds.virtual_service import (
    Destination,
    HTTPRoute,
    HTTPRouteDestination,
    RouteDestination,
    TCPRoute,
    TLSRoute,
    VirtualService,
)
from edgegate.istio.resources import Resource
from edgegate.model import codes

Place = tuple[Path, Destination]


def destinations(spec: VirtualService) -> Iterator[Place]:
    """Yield all destinations of a VirtualService, with their paths: of routes, then of mirrors."""
    kinds: tuple[tuple[str, Sequence[HTTPRoute | TLSRoute | TCPRoute]], ...] = (
        ("http", spec.http),
        ("tls", spec.tls),
        ("tcp", spec.tcp),
    )
    for kind, routes in kinds:
        for index, route in enumerate(routes):
            targets: Sequence[HTTPRouteDestination | RouteDestination] = route.route
            for at, each in enumerate(targets):
                yield ("spec", kind, index, "route", at, "destination"), each.destination
    for index, rule in enumerate(spec.http):
        if rule.mirror is not None:
            yield ("spec", "http", index, "mirror"), rule.mirror
        for at, mirror in enumerate(rule.mirrors):
            yield ("spec", "http", index, "mirrors", at, "destination"), mirror.destination


def services(context: Context, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """
    Yield destinations that nobody declares, or not with this port (Istio's C{DestinationHostAnalyzer}), and subsets
    that no rule has (C{DestinationRuleAnalyzer}).
    """
    severity = Severity.INFO if in_mesh_alone(spec) else Severity.WARNING
    for path, destination in destinations(spec):
        told = list(_service(context, resource, spec, path, destination, severity))
        yield from told
        if not any(each.code == codes.REFERENCED_RESOURCE_NOT_FOUND for each in told):
            yield from _subset(context, resource, path, destination, severity)


def _service(
    context: Context,
    resource: Resource[VirtualService],
    spec: VirtualService,
    path: Path,
    destination: Destination,
    severity: Severity,
) -> Iterator[Finding]:
    host = destination.host.strip()
    if is_served_without_declaration(host):
        return
    where, code = (*path, "host"), codes.REFERENCED_RESOURCE_NOT_FOUND
    found = context.hosts.find(host, resource.namespace, spec.export_to)
    if found is None:
        scopes = " and ".join(spec.export_to) if spec.export_to else resource.namespace
        message = f"no Service and no ServiceEntry that namespace {scopes} sees declares {show(host)}"
        if context.hosts.is_served(host, resource.namespace):
            severity = Severity.INFO
            message += "; the gateway finds it all the same"
        yield Finding(resource, where, code, message, severity, Role.CONSEQUENCE, path)
        return
    number = destination.port.number if destination.port is not None else None
    origin = found.resource.document.origin
    ports = ", ".join(map(str, found.ports)) or "none"
    if number is None and len(found.ports) > 1:
        message = f"say port.number: {origin.resource} at {origin} has {ports}"
        yield Finding(resource, where, codes.DESTINATION_PORT_REQUIRED, message, severity, Role.CONSEQUENCE, path)
    elif number is not None and number not in found.ports:
        message = f"{origin.resource} at {origin} has no port {number}; its ports: {ports}"
        yield Finding(resource, where, code, message, severity, Role.CONSEQUENCE, path)


def _subset(
    context: Context, resource: Resource[VirtualService], path: Path, destination: Destination, severity: Severity
) -> Iterator[Finding]:
    if not destination.subset:
        return
    known = context.subsets.get(whole_name(destination.host.strip(), resource.namespace), frozenset())
    if destination.subset not in known:
        names = ", ".join(map(show, sorted(known))) or "none"
        message = (
            f"no DestinationRule of {show(destination.host)} has a subset {show(destination.subset)}; it has {names}"
        )
        where, part = (*path, "host"), (*path, "subset")
        code, role = codes.REFERENCED_RESOURCE_NOT_FOUND, Role.CONSEQUENCE
        yield Finding(resource, where, code, message, severity, role, part)


class InMeshOnly:
    """
    Tells of destinations without a subset whose host a VirtualService of the mesh splits into subsets: at a gateway
    that has no effect (Istio's C{IngressRouteRulesNotAffected}).
    """

    def __init__(self) -> None:
        self._split: dict[str, list[Resource[VirtualService]]] = {}

    def add(self, resource: Resource[VirtualService], spec: VirtualService) -> None:
        """Take note of the subsets that a VirtualService has for its own hosts: once for each destination."""
        for rule in spec.http:
            for each in rule.route:
                if each.destination.subset and each.destination.host in spec.hosts:
                    self._split.setdefault(each.destination.host, []).append(resource)

    def of(self, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
        """Yield the destinations of a VirtualService for which that was meant."""
        if not spec.gateways:
            return
        for index, rule in enumerate(spec.http):
            for at, each in enumerate(rule.route):
                if each.destination.subset:
                    continue
                for number, other in enumerate(self._split.get(each.destination.host, ())):
                    origin = other.document.origin
                    more = f" (its destination {number + 1})" if number else ""
                    message = f"the subsets that {origin.resource} at {origin} has for {show(each.destination.host)}"
                    message += f"{more} are for clients in a mesh: name the subset here"
                    where = ("spec", "http", index, "route", at, "destination", "host")
                    yield Finding(resource, where, codes.INGRESS_RULES_NOT_AFFECTED, message)
