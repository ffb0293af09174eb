"""WorkloadEntries and their WorkloadGroups: endpoints that services choose by labels."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgegate.istio.kinds.workload import ReadinessProbe, WorkloadEntry, WorkloadGroup
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.members import Unusable, address_of
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint, Probe

GROUP_ANNOTATION = "istio.io/autoRegistrationGroup"
"""What Istio writes to the entries that it makes of a group."""


@dataclass(frozen=True, slots=True)
class Workload:
    """
    A WorkloadEntry, with what its group says of it.

    @ivar labels: Those of C{spec} and, before them, those of C{metadata}, as in Istio.
    """

    resource: Resource[WorkloadEntry]
    address: str
    ports: Mapping[str, int]
    labels: Mapping[str, str]
    locality: str
    weight: int
    probe: Probe | None

    def endpoint(self, port: int, by_http2: Collection[int] = ()) -> Endpoint:
        """
        Return it as a member of a cluster.

        @param by_http2: Its ports that speak HTTP/2: a probe over HTTP at one of them does too.
        @raise Unusable: Its address is none.
        """
        try:
            address = address_of(self.address, port)
        except Unusable as error:
            document = self.resource.document
            raise Unusable(f"{document.title} at {document.origin}: {error}") from None
        probe = self.probe
        if probe is not None and probe.http_path is not None:
            # a UNIX socket is asked itself, whatever port the probe says
            asked = probe.port if isinstance(address, TCPAddress) else port
            probe = replace(probe, http2=asked in by_http2)
        labels = tuple(sorted(self.labels.items()))
        return Endpoint(address, self.weight, labels, self.locality, probe, self.resource.name)


def has_labels(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether labels contain all that are wanted."""
    return all(labels.get(key) == value for key, value in wanted.items())


class Workloads:
    """All WorkloadEntries, by namespace."""

    def __init__(self, resources: Resources) -> None:
        groups: dict[str, list[Resource[WorkloadGroup]]] = {}
        for group in resources.workload_groups:
            groups.setdefault(group.namespace, []).append(group)
        self._workloads: dict[str, list[Workload]] = {}
        for entry in resources.workload_entries:
            workload = _workload(entry, groups.get(entry.namespace, ()))
            if workload.address:
                self._workloads.setdefault(entry.namespace, []).append(workload)

    def select(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Workload]:
        """Yield those of a namespace that have all these labels, in file order; no labels select none."""
        if labels:
            for workload in self._workloads.get(namespace, ()):
                if has_labels(workload.labels, labels):
                    yield workload


def _workload(entry: Resource[WorkloadEntry], groups: list[Resource[WorkloadGroup]] | tuple[()]) -> Workload:
    """What an entry does not say itself, the template of its group says for it."""
    spec = entry.spec
    own = {**spec.labels, **entry.document.labels}
    group = _group(entry, own, groups)
    if group is None:
        return Workload(entry, spec.address or "", spec.ports, own, spec.locality or "", spec.weight or 1, None)
    template = group.spec.template or WorkloadEntry()
    return Workload(
        entry,
        spec.address or template.address or "",
        {**template.ports, **spec.ports},
        {**_labels(group), **own},
        spec.locality or template.locality or "",
        spec.weight or template.weight or 1,
        _probe(group.spec.probe),
    )


def _group(
    entry: Resource[WorkloadEntry], labels: Mapping[str, str], groups: list[Resource[WorkloadGroup]] | tuple[()]
) -> Resource[WorkloadGroup] | None:
    """
    Return the group of an entry: the one that Istio wrote it belongs to, or else the one whose labels it has.

    Where it has those of several, the one with the most, then the first.
    """
    named = _named_group(entry)
    if named is not None:
        return next((group for group in groups if group.name == named), None)
    fitting = [group for group in groups if (wanted := _labels(group)) and has_labels(labels, wanted)]
    return max(fitting, key=lambda group: len(_labels(group)), default=None)


def _labels(group: Resource[WorkloadGroup]) -> dict[str, str]:
    """Return what the entries of a group bear."""
    template = group.spec.template
    metadata = group.spec.metadata
    return {
        **(template.labels if template is not None else {}),
        **(metadata.labels if metadata is not None else {}),
    }


def _named_group(entry: Resource[WorkloadEntry]) -> str | None:
    """Return the group that an entry's annotation or owner names."""
    metadata: Any = entry.document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if isinstance(annotations, dict) and isinstance(annotations.get(GROUP_ANNOTATION), str):
        return str(annotations[GROUP_ANNOTATION])
    owners = metadata.get("ownerReferences") if isinstance(metadata, dict) else None
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, dict) and owner.get("kind") == "WorkloadGroup" and isinstance(owner.get("name"), str):
            return str(owner["name"])
    return None


def _probe(probe: ReadinessProbe | None) -> Probe | None:
    """Return how a group's entries are asked for their health; 0 is the default, as in Kubernetes."""
    if probe is None:
        return None
    times: dict[str, Any] = {
        "initial_delay": float(probe.initial_delay_seconds or 0),
        "timeout": float(probe.timeout_seconds or 1),
        "period": float(probe.period_seconds or 10),
        "successes": probe.success_threshold or 1,
        "failures": probe.failure_threshold or 3,
    }
    if probe.http_get is not None:
        http = probe.http_get
        return Probe(
            port=http.port,
            http_path=http.path or "/",
            http_headers=tuple((header.name or "", header.value or "") for header in http.http_headers),
            tls=http.scheme == "HTTPS",
            host=http.host or "",
            **times,
        )
    if probe.tcp_socket is not None:
        return Probe(port=probe.tcp_socket.port, tcp=True, host=probe.tcp_socket.host or "", **times)
    if probe.grpc is not None:
        return Probe(port=probe.grpc.port or 0, grpc_service=probe.grpc.service or "", **times)
    return None  # said when it was checked
