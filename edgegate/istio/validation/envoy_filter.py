"""What an EnvoyFilter must be by itself (C{pkg/config/validation/envoyfilter/envoyfilter.go})."""

from __future__ import annotations

from typing import Any, Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.envoy_filter import ApplyTo, ConfigPatch, EnvoyFilter, ObjectMatch, Operation
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings

_OF_LISTENERS: Final = (
    ApplyTo.LISTENER,
    ApplyTo.FILTER_CHAIN,
    ApplyTo.NETWORK_FILTER,
    ApplyTo.HTTP_FILTER,
    ApplyTo.LISTENER_FILTER,
)
_OF_ROUTES: Final = (ApplyTo.ROUTE_CONFIGURATION, ApplyTo.VIRTUAL_HOST, ApplyTo.HTTP_ROUTE)
_OF_FILTERS: Final = (ApplyTo.HTTP_FILTER, ApplyTo.NETWORK_FILTER, ApplyTo.LISTENER_FILTER)
_INSERTS: Final = (Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST)

RENAMED: Final = {
    "envoy.http_connection_manager": "envoy.filters.network.http_connection_manager",
    "envoy.router": "envoy.filters.http.router",
    "envoy.ext_authz": "envoy.filters.http.ext_authz",
    "envoy.cors": "envoy.filters.http.cors",
    "envoy.fault": "envoy.filters.http.fault",
}


def validate_envoy_filter(resource: Resource[Any], problems: Problems) -> None:
    """Each patch says what it patches, and how."""
    spec: EnvoyFilter = resource.spec
    findings = Findings(resource, problems)
    if spec.workload_selector is not None and spec.target_refs:
        findings.error(("spec", "workloadSelector"), "only one of workloadSelector and targetRefs can be given")
    for index, patch in enumerate(spec.config_patches):
        path = ("spec", "configPatches", index)
        _check_patch(findings, path, patch)
        if patch.match is not None:
            _check_match(findings, path, patch.apply_to, patch.match)


def _check_patch(findings: Findings, path: Path, patch: ConfigPatch) -> None:
    if patch.apply_to is ApplyTo.INVALID:
        findings.error((*path, "applyTo"), "applyTo is needed")
    inner = patch.patch
    if inner is None or inner.operation in (None, Operation.INVALID):
        where = path if inner is None else (*path, "patch")
        findings.error(where, "patch.operation is needed")
        return
    if inner.operation is not Operation.REMOVE and inner.value is None:
        findings.error((*path, "patch"), f"{inner.operation.value} needs a value" if inner.operation else "")
    if inner.operation in _INSERTS and patch.apply_to not in (*_OF_FILTERS, ApplyTo.HTTP_ROUTE):
        findings.error(
            (*path, "patch", "operation"), f"{inner.operation.value} is for filters and routes, as they have an order"
        )


def _check_match(findings: Findings, path: Path, apply_to: ApplyTo, match: ObjectMatch) -> None:
    given = {
        "listener": (match.listener, _OF_LISTENERS),
        "routeConfiguration": (match.route_configuration, _OF_ROUTES),
        "cluster": (match.cluster, (ApplyTo.CLUSTER,)),
    }
    for name, (value, fitting) in given.items():
        if value is not None and apply_to not in fitting:
            findings.error((*path, "match", name), f"{apply_to.value} has no {name} to match")
    chain = None if match.listener is None else match.listener.filter_chain
    filter_ = None if chain is None else chain.filter
    if filter_ is None:
        return
    names = {
        ("name",): filter_.name,
        ("subFilter", "name"): None if filter_.sub_filter is None else filter_.sub_filter.name,
    }
    for rest, old in names.items():
        new = RENAMED.get(old or "")
        if new is not None:
            where = (*path, "match", "listener", "filterChain", "filter", *rest)
            findings.warning(where, f"{show(old)} is called {new} today: Istio's proxy finds no filter of the old name")
