"""ServiceEntries as declarations of services."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.service import EndpointSlice
from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry, ServicePort
from edgegate.istio.kinds.workload import WorkloadEntry
from edgegate.istio.resources import Resource
from edgegate.istio.translate.exports import exported
from edgegate.istio.translate.kubernetes import endpoints_of, labels_of
from edgegate.istio.translate.members import (
    NOWHERE,
    Members,
    Unusable,
    address_of,
    by_grpc_web,
    by_http2,
    ip_literal,
    is_name,
    members_of,
)
from edgegate.istio.translate.workloads import Workloads, has_labels
from edgegate.istio.validation.service_entry import warn_of_no_endpoints
from edgegate.model import codes
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Discovery, Endpoint
from edgegate.model.origin import Origin

_BY_DNS = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN, Resolution.DYNAMIC_DNS)


class DeclaredEntry:
    """What a ServiceEntry declares of one of its hosts. Its endpoints are worked out when a route asks for them."""

    __slots__ = ("_host", "_ports", "_resource", "_slices", "_workloads", "ports")

    def __init__(
        self,
        resource: Resource[ServiceEntry],
        host: str,
        workloads: Workloads,
        slices: Sequence[Resource[EndpointSlice]] = (),
    ) -> None:
        """
        @param host: In normal form.
        @param workloads: Those that a C{workloadSelector} chooses from.
        @param slices: Likewise: those of the entry's namespace.
        """
        self._resource = resource
        self._host = host
        self._workloads = workloads
        self._slices = slices
        self._ports = {port.number: port for port in resource.spec.ports}
        self.ports: tuple[int, ...] | None = tuple(self._ports)

    @property
    def origin(self) -> Origin:
        """Where the document is."""
        return self._resource.document.origin

    @property
    def faulty(self) -> bool:
        """Whether something is wrong with the document, which was told."""
        return self._resource.faulty

    @property
    def subject_alt_names(self) -> tuple[str, ...]:
        """Names of which one must be in the certificates of its endpoints; none: any."""
        return self._resource.spec.subject_alt_names

    def visible_from(self, namespace: str) -> bool:
        """Whether C{exportTo} lets a namespace see it."""
        return exported(self._resource.spec.export_to, self._resource.namespace, namespace)

    def warn_of_no_endpoints(self, problems: Problems) -> None:
        """Report that it has no endpoint, so that requests to it are answered 503."""
        selector = self._resource.spec.workload_selector
        if selector is None:
            warn_of_no_endpoints(self._resource, problems)
            return
        wanted = ", ".join(f"{key}={value}" for key, value in selector.labels.items())
        message = f'no WorkloadEntry in namespace "{self._resource.namespace}" has the labels {wanted}: {NOWHERE}'
        self._resource.warning(problems, ("spec", "workloadSelector"), message, Role.CONSEQUENCE, codes.NO_ENDPOINTS)

    def by_http2(self, port: int) -> bool:
        """Whether one of its ports says so: by its protocol, or else by the begin of its name."""
        declared = self._ports.get(port)
        return declared is not None and by_http2(declared.protocol or "", declared.name or "")

    def by_grpc_web(self, port: int) -> bool:
        """Whether one of its ports is for gRPC-Web, told likewise."""
        declared = self._ports.get(port)
        return declared is not None and by_grpc_web(declared.protocol or "", declared.name or "")

    def members(self, port: int) -> Members:
        """
        Find the endpoints of one of its ports, in the order of the documents.

        C{STATIC} and C{NONE} without endpoints have the entry's C{addresses},
        C{DNS} without endpoints has its host; C{DYNAMIC_DNS} has the pattern of
        the names that requests ask for, whatever endpoints there are. A C{STATIC}
        one may have none at all.

        @raise Unusable: It is wherever a client wanted to go.
        """
        spec = self._resource.spec
        service_port = self._ports[port]
        if spec.resolution is Resolution.DYNAMIC_DNS and self._host.startswith("*"):
            address = TCPAddress(self._host, service_port.target_port or port)
            return Members(Discovery.DYNAMIC, (Endpoint(address),))
        if spec.endpoints:
            endpoints = tuple(self._endpoint(each, service_port) for each in spec.endpoints if each.address)
        elif spec.workload_selector is not None:
            endpoints = tuple(self._selected(spec.workload_selector.labels, service_port))
        elif spec.resolution in _BY_DNS:
            endpoints = (Endpoint(address_of(self._host, service_port.target_port or port)),)
        else:
            endpoints = self._addresses(service_port.target_port or port)
        members = members_of(endpoints, one_address=spec.resolution is Resolution.DNS_ROUND_ROBIN)
        if spec.resolution not in _BY_DNS:
            for endpoint in endpoints:
                if is_name(endpoint.address):
                    raise Unusable(f'its endpoint "{endpoint.address}" is a name, which only resolution DNS looks up')
        return members

    def _endpoint(self, entry: WorkloadEntry, port: ServicePort) -> Endpoint:
        number = entry.ports.get(port.name) or port.target_port or port.number
        address = address_of(entry.address or "", number)
        labels = tuple(sorted(entry.labels.items()))
        return Endpoint(address, entry.weight or 1, labels, entry.locality or "")

    def _selected(self, labels: dict[str, str], port: ServicePort) -> Iterator[Endpoint]:
        """Yield the WorkloadEntries of the own namespace that have all labels, and what is listed in such slices."""
        number = port.target_port or port.number
        by_http2 = [each for each in self._ports.values() if self.by_http2(each.number)]
        for workload in self._workloads.select(self._resource.namespace, labels):
            ports = {workload.ports.get(each.name) or each.target_port or each.number for each in by_http2}
            yield workload.endpoint(workload.ports.get(port.name) or number, ports)
        for piece in self._slices:
            if labels and has_labels(labels_of(piece), labels):
                yield from endpoints_of(piece, number)

    def _addresses(self, number: int) -> tuple[Endpoint, ...]:
        spec = self._resource.spec
        literals = [ip_literal(text.removesuffix("/32").removesuffix("/128")) for text in spec.addresses]
        missing = next((text for text, literal in zip(spec.addresses, literals, strict=True) if literal is None), None)
        if spec.resolution is not Resolution.STATIC and (missing or not literals):
            raise Unusable(
                "with resolution NONE it is wherever a client wanted to go, which an edge can't tell:"
                " say resolution: DNS, or STATIC with endpoints, or give single IP addresses"
            )
        if missing is not None:
            raise Unusable(f'its address "{missing}" is no single IP address: list endpoints')
        return tuple(Endpoint(address_of(literal, number)) for literal in literals if literal is not None)
