"""
Istio's C{EnvoyFilter}: patches of Envoy's own configuration.

What a patch puts in is Envoy's, of any shape: what of it is honoured, L{edgegate.istio.envoy} knows.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from edgegate.istio.kinds.base import Int32, Note, Spec, UInt32
from edgegate.istio.kinds.telemetry import TargetReference

_HELD = Note(remark="is taken to hold: it asks for a version of Istio's proxy").meta
_NOT_HELD = Note(remark="never holds: this gateway has no metadata").meta


class ApplyTo(Enum):
    """What of Envoy's configuration is patched."""

    INVALID = "INVALID"
    LISTENER = "LISTENER"
    FILTER_CHAIN = "FILTER_CHAIN"
    NETWORK_FILTER = "NETWORK_FILTER"
    HTTP_FILTER = "HTTP_FILTER"
    ROUTE_CONFIGURATION = "ROUTE_CONFIGURATION"
    VIRTUAL_HOST = "VIRTUAL_HOST"
    HTTP_ROUTE = "HTTP_ROUTE"
    CLUSTER = "CLUSTER"
    EXTENSION_CONFIG = "EXTENSION_CONFIG"
    BOOTSTRAP = "BOOTSTRAP"
    LISTENER_FILTER = "LISTENER_FILTER"


class PatchContext(Enum):
    """In which proxies."""

    ANY = "ANY"
    SIDECAR_INBOUND = "SIDECAR_INBOUND"
    SIDECAR_OUTBOUND = "SIDECAR_OUTBOUND"
    GATEWAY = "GATEWAY"
    WAYPOINT = "WAYPOINT"


class Operation(Enum):
    """How it is patched."""

    INVALID = "INVALID"
    MERGE = "MERGE"
    ADD = "ADD"
    REMOVE = "REMOVE"
    INSERT_BEFORE = "INSERT_BEFORE"
    INSERT_AFTER = "INSERT_AFTER"
    INSERT_FIRST = "INSERT_FIRST"
    REPLACE = "REPLACE"
    MERGE_AND_REPLACE_LIST = "MERGE_AND_REPLACE_LIST"


class RouteAction(Enum):
    """What a route does that is patched."""

    ANY = "ANY"
    ROUTE = "ROUTE"
    REDIRECT = "REDIRECT"
    DIRECT_RESPONSE = "DIRECT_RESPONSE"


class FilterClass(Enum):
    """Where among the filters that Istio sets one comes to stand."""

    UNSPECIFIED = "UNSPECIFIED"
    AUTHN = "AUTHN"
    AUTHZ = "AUTHZ"
    STATS = "STATS"


class ProxyMatch(Spec, frozen=True, kw_only=True):
    """Which proxies are meant."""

    proxy_version: Annotated[str | None, _HELD] = None
    metadata: Annotated[dict[str, str], _NOT_HELD] = {}


class SubFilterMatch(Spec, frozen=True, kw_only=True):
    """An HTTP filter."""

    name: str | None = None


class FilterMatch(Spec, frozen=True, kw_only=True):
    """A network filter."""

    name: str | None = None
    sub_filter: SubFilterMatch | None = None


class FilterChainMatch(Spec, frozen=True, kw_only=True):
    """A filter chain."""

    name: str | None = None
    sni: str | None = None
    transport_protocol: str | None = None
    application_protocols: str | None = None
    filter: FilterMatch | None = None
    destination_port: UInt32 | None = None


class ListenerMatch(Spec, frozen=True, kw_only=True):
    """A listener."""

    port_number: UInt32 | None = None
    port_name: str | None = None
    filter_chain: FilterChainMatch | None = None
    listener_filter: str | None = None
    name: str | None = None


class RouteMatch(Spec, frozen=True, kw_only=True):
    """A route, by the name of the C{http} item that it comes from."""

    name: str | None = None
    action: RouteAction | None = None


class VirtualHostMatch(Spec, frozen=True, kw_only=True):
    """A virtual host, C{HOST:PORT}."""

    name: str | None = None
    domain_name: str | None = None
    route: RouteMatch | None = None


class RouteConfigurationMatch(Spec, frozen=True, kw_only=True):
    """The routes of a port."""

    port_number: UInt32 | None = None
    port_name: str | None = None
    gateway: str | None = None
    vhost: VirtualHostMatch | None = None
    name: str | None = None


class ClusterMatch(Spec, frozen=True, kw_only=True):
    """A cluster."""

    port_number: UInt32 | None = None
    service: str | None = None
    subset: str | None = None
    name: str | None = None


class WaypointMatch(Spec, frozen=True, kw_only=True):
    """Something in a waypoint."""

    filter: FilterMatch | None = None
    route: RouteMatch | None = None
    port_number: UInt32 | None = None


class ObjectMatch(Spec, frozen=True, kw_only=True):
    """What is patched."""

    context: PatchContext | None = None
    proxy: ProxyMatch | None = None
    listener: ListenerMatch | None = None
    route_configuration: RouteConfigurationMatch | None = None
    cluster: ClusterMatch | None = None
    waypoint: WaypointMatch | None = None


class Patch(Spec, frozen=True, kw_only=True):
    """What is done to it. C{value} is Envoy's."""

    operation: Operation | None = None
    value: dict[str, Any] | None = None
    filter_class: FilterClass | None = None


class ConfigPatch(Spec, frozen=True, kw_only=True):
    """One patch."""

    apply_to: ApplyTo
    match: ObjectMatch | None = None
    patch: Patch | None = None


class LabelSelector(Spec, frozen=True, kw_only=True):
    """The labels of who is meant."""

    labels: dict[str, str] = {}


class EnvoyFilter(Spec, frozen=True, kw_only=True):
    """The C{spec} of an EnvoyFilter."""

    workload_selector: LabelSelector | None = None
    target_refs: tuple[TargetReference, ...] = ()
    config_patches: tuple[ConfigPatch, ...] = ()
    priority: Int32 | None = None
