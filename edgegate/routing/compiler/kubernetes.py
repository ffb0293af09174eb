"""Kubernetes Services, with their EndpointSlices and Endpoints, as declarations of services."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.kinds.service import (
    EndpointPort,
    Endpoints,
    EndpointSlice,
    KubernetesPort,
    Service,
    ServiceType,
)
from edgegate.config.resources import Resource
from edgegate.routing.compiler.members import Members, Unusable, address_of, members_of
from edgegate.routing.snapshot import Endpoint, Origin


class KubernetesService:
    """What a Service and the documents beside it declare."""

    __slots__ = ("_lists", "_ports", "_resource", "_slices", "ports")

    def __init__(
        self,
        resource: Resource[Service],
        slices: tuple[Resource[EndpointSlice], ...],
        lists: tuple[Resource[Endpoints], ...],
    ) -> None:
        """
        @param slices: Those whose label C{kubernetes.io/service-name} names the Service.
        @param lists: The Endpoints of the same name.
        """
        self._resource = resource
        self._slices = slices
        self._lists = lists
        self._ports = {port.port: port for port in resource.spec.ports}
        external = resource.spec.type is ServiceType.EXTERNAL_NAME
        # An ExternalName is another name for a host, whatever its port (its own ports are mostly left out).
        self.ports: tuple[int, ...] | None = None if external and not self._ports else tuple(self._ports)

    @property
    def origin(self) -> Origin:
        """Where the Service is."""
        return self._resource.document.origin

    def visible_from(self, namespace: str) -> bool:
        """A Service is seen from every namespace."""
        return True

    def members(self, port: int) -> Members:
        """
        Find the endpoints of one of its ports.

        @raise Unusable: There is no document that lists them.
        """
        spec = self._resource.spec
        if spec.type is ServiceType.EXTERNAL_NAME:
            if not spec.external_name:
                raise Unusable("it has no externalName")
            declared = self._ports.get(port)
            target = declared.target_port if declared is not None else None
            number = target if isinstance(target, int) and target > 0 else port
            return members_of((Endpoint(address_of(spec.external_name, number)),))
        if not self._slices and not self._lists:
            raise Unusable(
                "only a cluster knows where it is: add an EndpointSlice with the label"
                f" kubernetes.io/service-name: {self._resource.name}, or Endpoints of its name,"
                " or a ServiceEntry in its place"
            )
        # A cluster mirrors Endpoints to slices, so where both are given they say the same.
        found = self._of_slices(self._ports[port]) if self._slices else self._of_lists(self._ports[port])
        return members_of(tuple(found))

    def _of_slices(self, port: KubernetesPort) -> Iterator[Endpoint]:
        for piece in self._slices:
            number = _number(piece.spec.ports, port)
            if number is None:
                continue
            for endpoint in piece.spec.endpoints:
                if endpoint.conditions is not None and endpoint.conditions.ready is False:
                    continue
                for address in endpoint.addresses:
                    yield Endpoint(address_of(address, number), locality=endpoint.zone or "")

    def _of_lists(self, port: KubernetesPort) -> Iterator[Endpoint]:
        for each in self._lists:
            for subset in each.spec.subsets:
                number = _number(subset.ports, port)
                if number is not None:
                    yield from (Endpoint(address_of(address.ip, number)) for address in subset.addresses)


def _number(ports: tuple[EndpointPort, ...], wanted: KubernetesPort) -> int | None:
    """Return the number of the port that bears the Service's port's name; none is a name too."""
    return next((port.port for port in ports if (port.name or "") == (wanted.name or "")), None)
