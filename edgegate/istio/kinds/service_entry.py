"""Istio's C{ServiceEntry}: where a service is."""

from __future__ import annotations

from enum import Enum

from edgegate.istio.kinds.base import Spec, UInt32
from edgegate.istio.kinds.workload import WorkloadEntry


class Location(Enum):
    """Whether a service is part of the mesh."""

    MESH_EXTERNAL = "MESH_EXTERNAL"
    MESH_INTERNAL = "MESH_INTERNAL"


class Resolution(Enum):
    """How the endpoints of a service become addresses."""

    NONE = "NONE"
    STATIC = "STATIC"
    DNS = "DNS"
    DNS_ROUND_ROBIN = "DNS_ROUND_ROBIN"
    DYNAMIC_DNS = "DYNAMIC_DNS"


class ServicePort(Spec, frozen=True, kw_only=True):
    """A port of a service."""

    number: UInt32
    name: str
    protocol: str | None = None
    target_port: UInt32 | None = None


class WorkloadSelector(Spec, frozen=True, kw_only=True):
    """Labels that choose WorkloadEntries."""

    labels: dict[str, str] = {}


class ServiceEntry(Spec, frozen=True, kw_only=True):
    """The C{spec} of a ServiceEntry. Without a resolution it is C{NONE}."""

    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    location: Location | None = None
    resolution: Resolution | None = None
    endpoints: tuple[WorkloadEntry, ...] = ()
    workload_selector: WorkloadSelector | None = None
    export_to: tuple[str, ...] = ()
    subject_alt_names: tuple[str, ...] = ()
