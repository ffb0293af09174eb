"""Destinations of routes to clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Protocol, TypeVar

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import Subset
from edgegate.istio.kinds.virtual_service import Destination, HTTPRouteDestination, RouteDestination, VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.clusters import ClusterCompiler
from edgegate.istio.translate.destination_rules import Rule, Said
from edgegate.istio.translate.members import Unusable, ip_literal
from edgegate.istio.translate.services import Service, ServiceIndex
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.actions import RequestChanges
from edgegate.model.clusters import Cluster, Discovery, Endpoints
from edgegate.model.headers import HeaderChanges
from edgegate.model.hosts import normalise
from edgegate.model.routes import WeightedCluster

R = TypeVar("R", HTTPRouteDestination, RouteDestination)


Changes = tuple[RequestChanges | None, tuple[HeaderChanges, ...]]


def _unchanged(route: object) -> Changes:
    return None, ()


class Destinations(Protocol):
    """Turns destinations into clusters."""

    def cluster(self, resource: Resource[VirtualService], path: Path, destination: Destination) -> str | None: ...

    def weighted(
        self,
        resource: Resource[VirtualService],
        path: Path,
        routes: Sequence[R],
        changes: Callable[[R], Changes] = _unchanged,
    ) -> tuple[WeightedCluster, ...]: ...


class NoDestinations:
    """Passes destinations over: those of routes that only a mesh has may name what no document here declares."""

    def cluster(self, resource: Resource[VirtualService], path: Path, destination: Destination) -> str | None:
        return None

    def weighted(
        self,
        resource: Resource[VirtualService],
        path: Path,
        routes: Sequence[R],
        changes: Callable[[R], Changes] = _unchanged,
    ) -> tuple[WeightedCluster, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class _Place:
    """
    A destination in a document.

    @ivar served: What is attached: the document's own VirtualService, or the one that delegates to it.
    @ivar failed: Takes note of it where it is in error.
    """

    resource: Resource[VirtualService]
    path: Path
    problems: Problems
    served: Resource[VirtualService]
    failed: set[tuple[Resource[VirtualService], Path]]

    @property
    def http(self) -> bool:
        """Whether it is one of an HTTP route."""
        return self.path[1] == "http"

    def error(self, path: Path, message: str, role: Role = Role.CONSEQUENCE, code: str = "") -> None:
        self.failed.add((self.resource, self.path))
        code = code or (codes.REFERENCED_RESOURCE_NOT_FOUND if role is Role.CONSEQUENCE else "")
        self.resource.error(self.problems, self.path + path, message, role, code)

    def warning(self, path: Path, message: str, code: str) -> None:
        self.resource.warning(self.problems, self.path + path, message, Role.CONSEQUENCE, code)


class DestinationCompiler:
    """
    Turns destinations into clusters.

    A destination that names no port of a service with several has the port of the listener (Istio's
    C{GetDestinationCluster}): see L{at}.
    """

    def __init__(
        self, services: ServiceIndex, clusters: ClusterCompiler, problems: Problems, suggestions: Suggestions
    ) -> None:
        self._services = services
        self._clusters = clusters
        self._problems = problems
        self._suggestions = suggestions
        self._listener: int | None = None
        self._listeners: tuple[int, ...] = ()
        self._portless: set[Resource[VirtualService]] = set()
        self._failed: set[tuple[Resource[VirtualService], Path]] = set()
        self._found: dict[tuple[Destination, str], str] = {}
        self._shared: dict[tuple[WeightedCluster, ...], tuple[WeightedCluster, ...]] = {}

    @property
    def clusters(self) -> dict[str, Cluster]:
        """Those that some destination named, by name."""
        return self._clusters.clusters

    @property
    def endpoints(self) -> Endpoints:
        """The endpoints of these."""
        return self._clusters.endpoints

    def at(self, listener: int, listeners: Iterable[int]) -> DestinationCompiler:
        """
        Return one with the same clusters for the routes on a listener.

        @param listener: Its port by the files.
        @param listeners: Those of all listeners that the VirtualService is attached to.
        """
        found = copy(self)
        found._listener, found._listeners = listener, tuple(sorted(set(listeners)))
        return found

    def depends_on_listener(self, resource: Resource[VirtualService]) -> bool:
        """Whether a destination of a VirtualService has the port of the listener. Without one it had no cluster."""
        return resource in self._portless

    def cluster(self, resource: Resource[VirtualService], path: Path, destination: Destination) -> str | None:
        """
        Return the name of a destination's cluster; L{None} where it is in error, which is reported.

        @param path: Of the destination.
        """
        said, path = resource.at(path)
        key = destination, said.namespace
        cluster = self._found.get(key)
        if cluster is None:
            if self._listener is not None and (said, path) in self._failed:
                return None  # whatever the listener: it was told
            cluster = self._cluster(destination, _Place(said, path, self._problems, resource, self._failed))
            if cluster is not None and self._listener is None:
                # one in which nothing is wrong is looked for once in each namespace
                self._found[key] = cluster
        return cluster

    def weighted(
        self,
        resource: Resource[VirtualService],
        path: Path,
        routes: Sequence[R],
        changes: Callable[[R], Changes] = _unchanged,
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
        some = any(route.weight for route in routes)
        for index, route in enumerate(routes):
            if some and route.weight is None and len(routes) > 1:
                message = "missing beside other weights: it is 0, so nothing goes here"
                resource.warning(self._problems, (*path, index, "weight"), message, code=codes.ZERO_WEIGHT)
            cluster = self.cluster(resource, (*path, index, "destination"), route.destination)
            if cluster is not None:
                weight = max(route.weight or 0, 1) if len(routes) == 1 else max(route.weight or 0, 0)
                found.append(WeightedCluster(cluster, weight, *changes(route)))
        clusters = tuple(found)
        return self._shared.setdefault(clusters, clusters)

    def _cluster(self, destination: Destination, place: _Place) -> str | None:
        """Return the name of a destination's cluster; L{None} where it has none, which is reported."""
        port = destination.port.number if destination.port is not None else None
        text = destination.host.strip()
        literal = ip_literal(text)
        try:
            host = literal or normalise(text)
        except ValueError as error:
            place.error(("host",), str(error), Role.ITSELF)
            return None
        namespace = place.resource.namespace
        service = self._services.find(host, namespace)
        if service is None and (literal is not None or host == "localhost"):
            return self._address(host, port, destination.subset, place)
        if service is None:
            place.error(("host",), self._undeclared(destination.host))
            return None
        if not any(declaration.visible_from(namespace) for declaration in service.declarations):
            origin = service.declarations[0].origin
            place.error(("host",), f'exportTo of {origin.resource} at {origin} keeps it from namespace "{namespace}"')
            return None
        number = _declared_port(service, port, place) if port else self._port_of(service, place)
        if number is None:
            return None
        cluster = self._service(service, number, destination.subset, place)
        made = self.clusters.get(cluster or "")  # none where the listener's port is not one of the service's
        if made is not None and made.discovery is Discovery.DYNAMIC and not host.startswith("*"):
            what = f"{service.declarations[0].origin.resource} has DYNAMIC_DNS"
            message = f"{what}: a request goes where its own host says; set rewrite.authority, or declare {show(host)}"
            place.warning(("host",), message, codes.HOST_OF_THE_REQUEST)
        return cluster

    def _port_of(self, service: Service, place: _Place) -> int | None:
        """
        Return the port of a service that is meant where none is said: the only one, or the listener's.

        @return: L{None} where there is none, which is reported, or where it depends on the listener.
        """
        declared, origin = service.ports, service.declarations[0].origin
        if declared is not None and len(declared) == 1:
            return declared[0]
        if self._listener is None:
            self._portless.add(place.served)
            return None
        which = f"{origin.resource} at {origin} has " + (_list(declared) if declared else "no ports of its own")
        missing = [port for port in self._listeners if not port or (declared is not None and port not in declared)]
        if len(missing) == len(self._listeners):
            tried = f", and no listener of this VirtualService has one of them ({_list(self._listeners)})"
            place.error(
                ("host",), f"say port.number: {which}{tried if declared else ''}", code=codes.DESTINATION_PORT_REQUIRED
            )
            return None
        message = f"no port.number is said, and {which}: as in Istio the listener's port is meant"
        place.warning(("host",), f"{message} ({_list(self._listeners)})", codes.DESTINATION_PORT_REQUIRED)
        if missing:
            what = f"{which}, but not the port of the listener ({_list(missing)}): requests there are answered 503 (NC)"
            place.warning(("host",), what, codes.PORT_OF_THE_LISTENER)
        return self._listener

    def _address(self, host: str, port: int | None, subset: str | None, place: _Place) -> str | None:
        """Return the cluster of an address that stands for itself."""
        if subset:
            place.error(("subset",), f"{show(host)} is an address, which has no subsets", Role.ITSELF)
            return None
        if not port:
            place.error(("host",), f"{show(host)} is an address, not a service: say port.number", Role.ITSELF)
            return None
        origin = place.resource.document.origin_of((*place.path, "host"))
        return self._clusters.of_address(host, port, place.resource.namespace, origin).name

    def _service(self, service: Service, port: int, subset: str | None, place: _Place) -> str | None:
        """Return the cluster of a service's port, or of a subset of it; of a port that it has not, one there is not."""
        if service.ports is not None and port not in service.ports:
            return f"outbound|{port}|{subset or ''}|{service.identity}"
        namespace = place.resource.namespace
        rule = self._clusters.rule(service, namespace)
        said = self._subset(service, rule, subset, place) if subset else None
        if subset and said is None:
            return None
        try:
            cluster = self._clusters.of_service(service, port, namespace, rule, said)
        except Unusable as error:
            if any(declaration.faulty for declaration in service.declarations):
                place.failed.add((place.resource, place.path))  # what is wrong there was told
            else:
                place.error(("host",), str(error), code=codes.UNUSABLE_SERVICE)
            return None
        endpoints = self.endpoints[cluster.name]
        for declaration in service.declarations:
            if said is None and not endpoints:
                declaration.warn_of_no_endpoints(self._problems)
        if said is not None and not endpoints:
            labels = ", ".join(f"{key}={value}" for key, value in said.value.labels.items())
            origin = said.resource.document.origin_of(said.path)
            message = (
                f"no endpoint of {show(service.host)} has the labels {labels} of subset {show(subset)} at {origin}"
            )
            place.warning(("subset",), message, codes.SUBSET_WITHOUT_ENDPOINTS)
        return cluster.name

    def _subset(self, service: Service, rule: Rule | None, name: str, place: _Place) -> Said[Subset] | None:
        """Return what a rule says of a subset; report where none does."""
        if rule is None:
            message = f"no DestinationRule for {show(service.host)} declares it"
        elif name in rule.subsets:
            return rule.subsets[name]
        else:
            known = ", ".join(map(show, rule.subsets)) or "none"
            hint = self._suggestions.like(name, rule.subsets)
            message = f"{rule.origin.resource} at {rule.origin} does not declare it; its subsets: {known}{hint}"
        place.error(("subset",), f"subset {show(name)}: {message}")
        return None

    def _undeclared(self, host: str) -> str:
        return (
            f"no document declares {show(host)}: add a ServiceEntry with this host, or a Service with an EndpointSlice,"
            " or name an IP address with port.number" + self._suggestions.like(host, self._services.names())
        )


def _declared_port(service: Service, port: int, place: _Place) -> int | None:
    """Return a port that is said; L{None} where the service does not have it, which is reported."""
    declared = service.ports
    if declared is not None and port not in declared:
        origin = service.declarations[0].origin
        which = f"it has {_list(declared)}" if declared else "it has none"
        place.error(("port", "number"), f"{origin.resource} at {origin} has no port {port}; {which}")
        return None
    return port


def _list(ports: Iterable[int]) -> str:
    return ", ".join(map(str, ports))
