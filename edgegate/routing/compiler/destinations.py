"""Destinations of routes to clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from edgegate.config.document import Path
from edgegate.config.kinds.virtual_service import Destination, HTTPRouteDestination, RouteDestination, VirtualService
from edgegate.config.problems import Problems
from edgegate.config.resources import Resource
from edgegate.config.values import show
from edgegate.routing.actions import RequestChanges
from edgegate.routing.compiler.members import Members, Unusable, ip_literal
from edgegate.routing.compiler.services import Declaration, Service, ServiceIndex
from edgegate.routing.compiler.suggestions import Suggestions
from edgegate.routing.headers import HeaderChanges
from edgegate.routing.hosts import normalise
from edgegate.routing.snapshot import Cluster, Discovery, Endpoint, TCPAddress, WeightedCluster

LOCALHOST = "127.0.0.1"

R = TypeVar("R", HTTPRouteDestination, RouteDestination)


def _unchanged(route: object) -> tuple[RequestChanges | None, tuple[HeaderChanges, ...]]:
    return None, ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A destination in a document."""

    resource: Resource[VirtualService]
    path: Path
    problems: Problems

    def error(self, path: Path, message: str) -> None:
        self.resource.error(self.problems, self.path + path, message)


class DestinationCompiler:
    """
    Turns destinations into clusters and keeps each cluster once.

    @ivar clusters: Those that some destination named, by name.
    """

    def __init__(self, services: ServiceIndex, problems: Problems, suggestions: Suggestions) -> None:
        self.clusters: dict[str, Cluster] = {}
        self._services = services
        self._problems = problems
        self._suggestions = suggestions
        self._unusable: dict[str, str] = {}
        self._found: dict[tuple[Destination, str], str] = {}
        self._shared: dict[tuple[WeightedCluster, ...], tuple[WeightedCluster, ...]] = {}

    def cluster(self, resource: Resource[VirtualService], path: Path, destination: Destination) -> str | None:
        """
        Return the name of a destination's cluster; L{None} where it is in error, which is reported.

        @param path: Of the destination.
        """
        said, path = resource.at(path)
        key = destination, said.namespace
        cluster = self._found.get(key)
        if cluster is None:
            cluster = self._cluster(destination, _Place(said, path, self._problems))
            if cluster is not None:
                # one in which nothing is wrong is looked for once in each namespace
                self._found[key] = cluster
        return cluster

    def weighted(
        self,
        resource: Resource[VirtualService],
        path: Path,
        routes: Sequence[R],
        changes: Callable[[R], tuple[RequestChanges | None, tuple[HeaderChanges, ...]]] = _unchanged,
    ) -> tuple[WeightedCluster, ...]:
        """
        Compile the destinations of a route; those that are in error are reported and left out.

        The only one gets everything, whatever its weight; of several, one
        without a weight gets nothing.

        Short names are looked up in the namespace of the document that says them.

        @param path: Of the list.
        @param changes: What is changed of requests to a destination, and of answers from it.
        """
        found = []
        for index, route in enumerate(routes):
            cluster = self.cluster(resource, (*path, index, "destination"), route.destination)
            if cluster is not None:
                weight = max(route.weight or 0, 1) if len(routes) == 1 else max(route.weight or 0, 0)
                found.append(WeightedCluster(cluster, weight, *changes(route)))
        clusters = tuple(found)
        return self._shared.setdefault(clusters, clusters)

    def _cluster(self, destination: Destination, place: _Place) -> str | None:
        """Return the name of a destination's cluster; L{None} where it has none, which is reported."""
        if destination.subset:
            place.error(("subset",), f"subset {show(destination.subset)}: no DestinationRule declares it")
        port = destination.port.number if destination.port is not None else None
        text = destination.host.strip()
        literal = ip_literal(text)
        try:
            host = literal or normalise(text)
        except ValueError as error:
            place.error(("host",), str(error))
            return None
        namespace = place.resource.namespace
        service = self._services.find(host, namespace)
        if service is None and (literal is not None or host == "localhost"):
            return self._address(host, port, place)
        if service is None or host.startswith("*"):
            place.error(("host",), self._undeclared(destination.host))
            return None
        if not any(declaration.visible_from(namespace) for declaration in service.declarations):
            origin = service.declarations[0].origin
            place.error(("host",), f'exportTo of {origin.resource} at {origin} keeps it from namespace "{namespace}"')
            return None
        number = _port_of(service, port, place)
        if number is None:
            return None
        return None if destination.subset else self._service(service, number, place)

    def _address(self, host: str, port: int | None, place: _Place) -> str | None:
        """Return the cluster of an address that stands for itself."""
        if not port:
            place.error(("host",), f"{show(host)} is an address, not a service: say port.number")
            return None
        name = f"outbound|{port}||{host}"
        if name not in self.clusters:
            literal = LOCALHOST if host == "localhost" else host
            origin = place.resource.document.origin_of((*place.path, "host"))
            self.clusters[name] = Cluster(name, Discovery.STATIC, (Endpoint(TCPAddress(literal, port)),), origin)
        return name

    def _service(self, service: Service, port: int, place: _Place) -> str | None:
        """Return the cluster of a service's port, made once."""
        name = f"outbound|{port}||{service.identity}"
        if name not in self.clusters and name not in self._unusable:
            declarations = [each for each in service.declarations if each.ports is None or port in each.ports]
            try:
                members = _members(declarations, port)
            except Unusable as error:
                self._unusable[name] = str(error)
            else:
                self.clusters[name] = Cluster(name, members.discovery, members.endpoints, declarations[0].origin)
        if name in self._unusable:
            place.error(("host",), self._unusable[name])
            return None
        return name

    def _undeclared(self, host: str) -> str:
        return (
            f"no document declares {show(host)}: add a ServiceEntry with this host, or a Service with an EndpointSlice,"
            " or name an IP address with port.number" + self._suggestions.like(host, self._services.names())
        )


def _port_of(service: Service, port: int | None, place: _Place) -> int | None:
    """Return the port that is meant; report where there is none or no telling which."""
    declared = service.ports
    origin = service.declarations[0].origin
    if not port:
        if declared is not None and len(declared) == 1:
            return declared[0]
        which = f"it has {_list(declared)}" if declared else "it names none itself"
        place.error(("host",), f"say port.number: {origin.resource} at {origin} does not tell which port; {which}")
        return None
    if declared is not None and port not in declared:
        which = f"it has {_list(declared)}" if declared else "it has none"
        place.error(("port", "number"), f"{origin.resource} at {origin} has no port {port}; {which}")
        return None
    return port


def _members(declarations: list[Declaration], port: int) -> Members:
    """
    Join the endpoints of all documents that declare a service.

    @raise Unusable: One of them does not tell.
    """
    endpoints: list[Endpoint] = []
    discovery = Discovery.STATIC
    for declaration in declarations:
        try:
            members = declaration.members(port)
        except Unusable as error:
            raise Unusable(f"{declaration.origin.resource} at {declaration.origin}: {error}") from None
        endpoints.extend(members.endpoints)
        if members.discovery is Discovery.DNS:
            discovery = Discovery.DNS
    return Members(discovery, tuple(endpoints))


def _list(ports: tuple[int, ...]) -> str:
    return ", ".join(map(str, ports))
