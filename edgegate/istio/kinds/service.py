"""
Kubernetes' C{Service}, C{EndpointSlice} and C{Endpoints}: where a service of a cluster is.

All fields of the kinds are known, so that a misspelt one is found; those that
only a cluster can make use of are not looked into.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from msgspec import field

from edgegate.istio.kinds.base import Int32, Spec
from edgegate.istio.kinds.meta import Object


class ServiceType(Enum):
    """How a Service is published."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"
    EXTERNAL_NAME = "ExternalName"


class KubernetesPort(Spec, frozen=True, kw_only=True):
    """A port of a Service. Without a C{targetPort} it is the same number."""

    port: Int32
    name: str | None = None
    protocol: str | None = None
    app_protocol: str | None = None
    target_port: int | str | None = None
    node_port: Int32 | None = None


class Service(Spec, frozen=True, kw_only=True):
    """The C{spec} of a Service."""

    type: ServiceType | None = None
    external_name: str | None = None
    ports: tuple[KubernetesPort, ...] = ()
    selector: dict[str, str] = {}
    cluster_ip: Any = field(name="clusterIP", default=None)
    cluster_ips: Any = field(name="clusterIPs", default=None)
    allocate_load_balancer_node_ports: Any = None
    external_ips: Any = field(name="externalIPs", default=None)
    external_traffic_policy: Any = None
    health_check_node_port: Any = None
    internal_traffic_policy: Any = None
    ip_families: Any = None
    ip_family_policy: Any = None
    load_balancer_class: Any = None
    load_balancer_ip: Any = field(name="loadBalancerIP", default=None)
    load_balancer_source_ranges: Any = None
    publish_not_ready_addresses: Any = None
    session_affinity: Any = None
    session_affinity_config: Any = None
    traffic_distribution: Any = None


class EndpointConditions(Spec, frozen=True, kw_only=True):
    """Whether an endpoint can serve. Unknown (L{None}) counts as ready."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class SliceEndpoint(Spec, frozen=True, kw_only=True):
    """One endpoint of a slice."""

    addresses: tuple[str, ...]
    conditions: EndpointConditions | None = None
    hostname: str | None = None
    node_name: str | None = None
    zone: str | None = None
    target_ref: Any = None
    deprecated_topology: Any = None
    hints: Any = None


class EndpointPort(Spec, frozen=True, kw_only=True):
    """A port of all endpoints of a slice or subset."""

    port: Int32 | None = None
    name: str | None = None
    protocol: str | None = None
    app_protocol: str | None = None


class EndpointSlice(Object, frozen=True, kw_only=True):
    """Endpoints of the Service that the label C{kubernetes.io/service-name} names."""

    address_type: str | None = None
    endpoints: tuple[SliceEndpoint, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class EndpointAddress(Spec, frozen=True, kw_only=True):
    """One endpoint of a subset."""

    ip: str
    hostname: str | None = None
    node_name: str | None = None
    target_ref: Any = None


class EndpointSubset(Spec, frozen=True, kw_only=True):
    """Endpoints with the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    not_ready_addresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Object, frozen=True, kw_only=True):
    """The older form: endpoints of the Service of the same name."""

    subsets: tuple[EndpointSubset, ...] = ()
