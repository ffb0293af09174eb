"""Kubernetes Services, with their EndpointSlices and Endpoints, as declarations of services."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.problems import Problems, Role
from edgegate.istio.kinds.service import (
    EndpointPort,
    Endpoints,
    EndpointSlice,
    KubernetesPort,
    Service,
    ServiceType,
)
from edgegate.istio.resources import Resource
from edgegate.istio.translate.members import (
    NOWHERE,
    Members,
    Unusable,
    address_of,
    by_grpc_web,
    by_http2,
    members_of,
)
from edgegate.istio.translate.workloads import Workload, Workloads
from edgegate.model import codes
from edgegate.model.clusters import Endpoint
from edgegate.model.origin import Origin

_KUBERNETES_LABELS = ("kubernetes.io/", "endpointslice.kubernetes.io/")


class KubernetesService:
    """What a Service and the documents beside it declare."""

    __slots__ = ("_lists", "_ports", "_resource", "_slices", "_workloads", "ports")

    def __init__(
        self,
        resource: Resource[Service],
        slices: tuple[Resource[EndpointSlice], ...],
        lists: tuple[Resource[Endpoints], ...],
        workloads: Workloads,
    ) -> None:
        """
        @param slices: Those whose label C{kubernetes.io/service-name} names the Service.
        @param lists: The Endpoints of the same name.
        @param workloads: WorkloadEntries, which its selector chooses beside Pods, as in Istio.
        """
        self._resource = resource
        self._slices = slices
        self._lists = lists
        self._workloads = workloads
        self._ports = {port.port: port for port in resource.spec.ports}
        external = resource.spec.type is ServiceType.EXTERNAL_NAME
        # An ExternalName is another name for a host, whatever its port (its own ports are mostly left out).
        self.ports: tuple[int, ...] | None = None if external and not self._ports else tuple(self._ports)

    @property
    def origin(self) -> Origin:
        """Where the Service is."""
        return self._resource.document.origin

    @property
    def faulty(self) -> bool:
        """Whether something is wrong with the document, which was told."""
        return self._resource.faulty

    @property
    def subject_alt_names(self) -> tuple[str, ...]:
        """A Service says nothing of them."""
        return ()

    def visible_from(self, namespace: str) -> bool:
        """A Service is seen from every namespace."""
        return True

    def warn_of_no_endpoints(self, problems: Problems) -> None:
        """Report that nothing of it is ready."""
        message = f"no document lists an endpoint of it that is ready: {NOWHERE}"
        self._resource.warning(problems, ("spec", "ports"), message, Role.CONSEQUENCE, codes.NO_ENDPOINTS)

    def by_http2(self, port: int) -> bool:
        """Whether one of its ports says so: by C{appProtocol}, or else by the begin of its name, as in Istio."""
        declared = self._ports.get(port)
        return declared is not None and by_http2(declared.app_protocol or "", declared.name or "")

    def by_grpc_web(self, port: int) -> bool:
        """Whether one of its ports is for gRPC-Web, told likewise."""
        declared = self._ports.get(port)
        return declared is not None and by_grpc_web(declared.app_protocol or "", declared.name or "")

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
        # A cluster mirrors Endpoints to slices, so where both are given they say the same.
        declared = self._ports[port]
        found = [*(self._of_slices(declared) if self._slices else self._of_lists(declared))]
        workloads = tuple(self._workloads.select(self._resource.namespace, spec.selector))
        found.extend(each.endpoint(_target(each, declared)) for each in workloads)
        if not self._slices and not self._lists and not workloads:
            raise Unusable(
                "only a cluster knows where it is: add an EndpointSlice with the label"
                f" kubernetes.io/service-name: {self._resource.name}, or Endpoints of its name,"
                " or a ServiceEntry in its place"
            )
        return members_of(tuple(found))

    def _of_slices(self, port: KubernetesPort) -> Iterator[Endpoint]:
        for piece in self._slices:
            number = _number(piece.spec.ports, port)
            if number is None:
                continue
            yield from endpoints_of(piece, number)

    def _of_lists(self, port: KubernetesPort) -> Iterator[Endpoint]:
        for each in self._lists:
            for subset in each.spec.subsets:
                number = _number(subset.ports, port)
                if number is not None:
                    yield from (Endpoint(address_of(address.ip, number)) for address in subset.addresses)


def _number(ports: tuple[EndpointPort, ...], wanted: KubernetesPort) -> int | None:
    """Return the number of the port that bears the Service's port's name; none is a name too."""
    return next((port.port for port in ports if (port.name or "") == (wanted.name or "")), None)


def _target(workload: Workload, port: KubernetesPort) -> int:
    """Return a workload's port: its own of the port's name, or of the name that C{targetPort} is, or the number."""
    named = workload.ports.get(port.name or "")
    if named is None and isinstance(port.target_port, str):
        named = workload.ports.get(port.target_port)
    return named or (port.target_port if isinstance(port.target_port, int) else 0) or port.port


def labels_of(piece: Resource[EndpointSlice]) -> dict[str, str]:
    """
    Return the labels that the endpoints of a slice have: those of the slice, but for what Kubernetes keeps there.

    The Pods, whose own labels count in a cluster, are not among the files.
    """
    labels = piece.document.labels
    return {key: value for key, value in labels.items() if not key.startswith(_KUBERNETES_LABELS)}


def endpoints_of(piece: Resource[EndpointSlice], number: int) -> Iterator[Endpoint]:
    """Yield the endpoints of a slice that are ready."""
    labels = tuple(sorted(labels_of(piece).items()))
    for endpoint in piece.spec.endpoints:
        if endpoint.conditions is None or endpoint.conditions.ready is not False:
            for address in endpoint.addresses:
                yield Endpoint(address_of(address, number), 1, labels, endpoint.zone or "")
