"""ServiceEntries as declarations of services."""

from __future__ import annotations

from edgegate.config.kinds.service_entry import Resolution, ServiceEntry, ServicePort, WorkloadEntry
from edgegate.config.resources import Resource
from edgegate.routing.compiler.members import Members, Unusable, address_of, ip_literal, is_name, members_of
from edgegate.routing.snapshot import Endpoint, Origin


class DeclaredEntry:
    """What a ServiceEntry declares. Its endpoints are worked out when a route asks for them."""

    __slots__ = ("_ports", "_resource", "ports")

    def __init__(self, resource: Resource[ServiceEntry]) -> None:
        self._resource = resource
        self._ports = {port.number: port for port in resource.spec.ports}
        self.ports: tuple[int, ...] | None = tuple(self._ports)

    @property
    def origin(self) -> Origin:
        """Where the document is."""
        return self._resource.document.origin

    def visible_from(self, namespace: str) -> bool:
        """Whether C{exportTo} lets a namespace see it: without it everyone, C{.} is its own namespace."""
        scopes = self._resource.spec.export_to
        return (
            not scopes
            or "*" in scopes
            or namespace in scopes
            or ("." in scopes and namespace == self._resource.namespace)
        )

    def members(self, port: int) -> Members:
        """
        Find the endpoints of one of its ports, in the order of the document.

        C{STATIC} and C{NONE} without endpoints have the entry's C{addresses},
        C{DNS} without endpoints has its C{hosts}.

        @raise Unusable: It has neither.
        """
        spec = self._resource.spec
        service_port = self._ports[port]
        if spec.endpoints:
            endpoints = tuple(self._endpoint(each, service_port) for each in spec.endpoints if each.address)
        elif spec.workload_selector is not None:
            raise Unusable("it finds its endpoints by workloadSelector, which is not honoured yet: list endpoints")
        elif spec.resolution in (Resolution.DNS, Resolution.DNS_ROUND_ROBIN, Resolution.DYNAMIC_DNS):
            number = service_port.target_port or port
            endpoints = tuple(Endpoint(address_of(host, number)) for host in spec.hosts)
        else:
            endpoints = self._addresses(service_port.target_port or port)
        members = members_of(endpoints)
        if spec.resolution in (Resolution.STATIC, None):
            for endpoint in endpoints:
                if is_name(endpoint.address):
                    raise Unusable(f'its endpoint "{endpoint.address}" is a name, which only resolution DNS looks up')
        return members

    def _endpoint(self, entry: WorkloadEntry, port: ServicePort) -> Endpoint:
        number = entry.ports.get(port.name) or port.target_port or port.number
        address = address_of(entry.address or "", number)
        labels = tuple(sorted(entry.labels.items()))
        return Endpoint(address, entry.weight or 1, labels, entry.locality or "")

    def _addresses(self, number: int) -> tuple[Endpoint, ...]:
        addresses = self._resource.spec.addresses
        if not addresses:
            raise Unusable("it has neither endpoints nor addresses: list endpoints, or say resolution: DNS")
        found = []
        for text in addresses:
            literal = ip_literal(text.removesuffix("/32"))
            if literal is None:
                raise Unusable(f'its address "{text}" is no single IP address: list endpoints')
            found.append(Endpoint(address_of(literal, number)))
        return tuple(found)
