"""Services: what documents declare as a destination, and what a destination's host means."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from edgegate.config.problems import Problems
from edgegate.istio.kinds.service import Endpoints, EndpointSlice
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.kubernetes import KubernetesService
from edgegate.istio.translate.members import Members
from edgegate.istio.translate.service_entries import DeclaredEntry
from edgegate.istio.translate.workloads import Workloads
from edgegate.model.hosts import is_partial, normalise
from edgegate.model.origin import Origin
from edgegate.model.patterns import wider

DOMAIN = "svc.cluster.local"


class Declaration(Protocol):
    """One document's word on a service."""

    @property
    def origin(self) -> Origin: ...

    @property
    def faulty(self) -> bool:
        """Whether something is wrong with the document, which was told."""

    @property
    def ports(self) -> tuple[int, ...] | None:
        """The numbers of its ports; L{None}: any will do."""

    @property
    def subject_alt_names(self) -> tuple[str, ...]:
        """Names of which one must be in the certificates of its endpoints; none: any."""

    def members(self, port: int) -> Members:
        """
        Find the endpoints of one of its ports.

        @raise Unusable: The document does not tell.
        """

    def warn_of_no_endpoints(self, problems: Problems) -> None:
        """Report that it has none."""

    def by_http2(self, port: int) -> bool:
        """Whether it says that one of its ports speaks HTTP/2."""

    def by_grpc_web(self, port: int) -> bool:
        """Whether it says that one of its ports is for gRPC-Web."""

    def visible_from(self, namespace: str) -> bool:
        """Whether C{exportTo} lets a namespace see it."""


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """
    A host name that destinations may name.

    @ivar identity: What its clusters are called: the host, with the namespace where several namespaces declare it.
    @ivar declarations: All documents of one namespace that declare it, in order: their endpoints add up.
    """

    host: str
    namespace: str
    identity: str
    declarations: list[Declaration]

    @property
    def ports(self) -> tuple[int, ...] | None:
        """The numbers of its ports, in order; L{None}: any will do."""
        found: set[int] = set()
        for declaration in self.declarations:
            if declaration.ports is None:
                return None
            found.update(declaration.ports)
        return tuple(sorted(found))


def short_form(host: str, namespace: str) -> tuple[str, str] | None:
    """
    Return name and namespace of a Kubernetes service where a host can be its spelling: C{name}, C{name.namespace},
    C{name.namespace.svc} or the whole of C{name.namespace.svc.cluster.local}.
    """
    labels = host.split(".")
    if host.endswith("." + DOMAIN):
        labels = [*labels[:-3], "svc"]
    if len(labels) == 3 and labels[2] == "svc":
        labels.pop()
    if len(labels) == 1:
        return labels[0], namespace
    return (labels[0], labels[1]) if len(labels) == 2 else None


class ServiceIndex:
    """All services, by every spelling of their names."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Service]] = {}
        self._short: dict[tuple[str, str], Service] = {}
        self._partial: list[str] = []

    def add(self, host: str, namespace: str, declaration: Declaration) -> None:
        """Add what a document declares; C{host} is in normal form and may be a wildcard."""
        if host not in self._exact and is_partial(host):
            self._partial.append(host)
        services = self._exact.setdefault(host, {})
        service = services.get(namespace)
        if service is None:
            identity = f"{namespace}/{host}" if services else host
            service = services[namespace] = Service(host, namespace, identity, [])
            short = short_form(host, namespace)
            if short is not None:
                self._short.setdefault(short, service)
        service.declarations.append(declaration)

    def find(self, host: str, namespace: str) -> Service | None:
        """
        Return what a destination's host means in a document of a namespace.

        A name without dots is first of all a service of the same namespace;
        one that is declared as it stands comes before one that is completed;
        a wildcard's entry stands for every name that it covers.
        """
        short = short_form(host, namespace)
        if "." not in host and short in self._short:
            return self._short[short]
        found = self._declared(host, namespace)
        if found is None and short is not None:
            found = self._short.get(short)
        if found is None:
            above = wider(host, self._partial)
            found = next((each for name in above if (each := self._declared(name, namespace))), None)
        return found

    def namespaces_of(self, host: str) -> list[str]:
        """Return the namespaces whose documents declare a host, which is in normal form and as it stands there."""
        return list(self._exact.get(host, ()))

    def names(self) -> Iterator[str]:
        """Yield everything that a destination's host may be, for suggestions."""
        for host, services in self._exact.items():
            yield host
            for namespace in services:
                short = short_form(host, namespace)
                if short is not None and host.endswith("." + DOMAIN):
                    yield short[0]

    def _declared(self, host: str, namespace: str) -> Service | None:
        services = self._exact.get(host)
        if not services:
            return None
        return services.get(namespace) or next(iter(services.values()))


def index_services(resources: Resources) -> ServiceIndex:
    """Index the services of all documents; hosts that are none are passed over."""
    index = ServiceIndex()
    workloads = Workloads(resources)
    pieces: dict[str, list[Resource[EndpointSlice]]] = {}
    for piece in resources.endpoint_slices:
        pieces.setdefault(piece.namespace, []).append(piece)
    for entry in resources.service_entries:
        found_slices = pieces.get(entry.namespace, [])
        for host in dict.fromkeys(_hosts(entry)):
            index.add(host, entry.namespace, DeclaredEntry(entry, host, workloads, found_slices))
    slices: dict[tuple[str, str], list[Resource[EndpointSlice]]] = {}
    for piece in resources.endpoint_slices:
        service = piece.document.labels.get("kubernetes.io/service-name", "")
        slices.setdefault((piece.namespace, service), []).append(piece)
    lists: dict[tuple[str, str], list[Resource[Endpoints]]] = {}
    for each in resources.endpoints:
        lists.setdefault((each.namespace, each.name), []).append(each)
    for kubernetes in resources.services:
        key = kubernetes.namespace, kubernetes.name
        found = KubernetesService(kubernetes, tuple(slices.get(key, ())), tuple(lists.get(key, ())), workloads)
        index.add(f"{kubernetes.name}.{kubernetes.namespace}.{DOMAIN}".lower(), kubernetes.namespace, found)
    return index


def _hosts(entry: Resource[ServiceEntry]) -> Iterator[str]:
    for host in entry.spec.hosts:
        try:
            yield normalise(host)
        except ValueError:
            continue
