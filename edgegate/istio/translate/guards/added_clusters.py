"""The clusters that EnvoyFilters add, as services among those of the files: what filters ask may be one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgegate.config.problems import Problems
from edgegate.istio.envoy.clusters import cluster_of
from edgegate.istio.envoy.messages import Message, Teller
from edgegate.istio.kinds.envoy_filter import ApplyTo, EnvoyFilter, Operation
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.guards.envoy_matches import asks_for_metadata, for_gateways
from edgegate.model import codes


def with_added_clusters(resources: Resources, problems: Problems) -> Resources:
    """Return all resources with the clusters that EnvoyFilters add; what can't be used of these is reported."""
    added = [entry for each in resources.envoy_filters for entry in _clusters(each, problems)]
    return replace(resources, service_entries=[*resources.service_entries, *added]) if added else resources


def added_names(resources: Resources) -> frozenset[str]:
    """Return the names of these clusters."""
    return frozenset(
        host
        for each in resources.envoy_filters
        for entry in _clusters(each.anew(), Problems())
        for host in entry.spec.hosts
    )


def _clusters(resource: Resource[EnvoyFilter], problems: Problems) -> Iterator[Resource[ServiceEntry]]:
    for index, patch in enumerate(resource.spec.config_patches):
        inner = patch.patch
        if patch.apply_to is not ApplyTo.CLUSTER or inner is None or inner.operation is not Operation.ADD:
            continue
        if not for_gateways(patch) or asks_for_metadata(patch) or inner.value is None:
            continue

        def error(path: tuple[str | int, ...], message: str) -> None:
            resource.error(problems, path, message, code=codes.ENVOY_FILTER)

        def warn(path: tuple[str | int, ...], message: str) -> None:
            resource.warning(problems, path, message, code=codes.ENVOY_FILTER)

        found = cluster_of(
            Message(inner.value, ("spec", "configPatches", index, "patch", "value"), Teller(error, warn))
        )
        if found is not None:
            # visible to all: whoever names it has put it there
            yield Resource(resource.document, found[1])
