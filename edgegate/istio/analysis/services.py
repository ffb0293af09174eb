"""The ports of Services and ServiceEntries."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.problems import Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.analysis.names import is_system
from edgegate.istio.kinds.mesh_config import MeshConfig
from edgegate.istio.kinds.service import KubernetesPort, ServiceType
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.resources import Resource
from edgegate.model import codes

_PROTOCOLS = frozenset(
    (
        "http",
        "http2",
        "http_proxy",
        "https",
        "grpc",
        "tcp",
        "tls",
        "udp",
        "mongo",
        "mysql",
        "redis",
        "hbone",
        "doublehbone",
    )
)
_OF_KUBERNETES = {"kubernetes.io/h2c": "http2", "kubernetes.io/ws": "http", "kubernetes.io/wss": "https"}
_WELL_KNOWN = frozenset({25, 53, 3306, 27017})
"""Ports whose servers speak first, and that Istio takes for TCP by their numbers."""

_MANAGED = "gateway.istio.io/managed"
_AUTO_ALLOCATE = "ISTIO_META_DNS_AUTO_ALLOCATE"


def port_names(context: Context) -> Iterator[Finding]:
    """Yield ports of Services that do not say what is spoken there (Istio's C{PortNameAnalyzer})."""
    for service in context.resources.services:
        labels = service.document.labels
        control_plane = "istio" in labels or labels.get("release") == "istio"
        if is_system(service.namespace) or control_plane or _MANAGED in labels:
            continue
        spec = service.spec
        external = spec.type is ServiceType.EXTERNAL_NAME
        for index, port in enumerate(spec.ports):
            where = ("spec", "ports", index, "port")
            if external and (port.name == "tcp" or not _says_protocol(port)):
                what = f"{show(port.name or '')} does not say what an external name speaks"
                message = f"{what}: Istio takes every connection to this port, of all names, for it; say http or tls"
                yield Finding(service, where, codes.EXTERNAL_NAME_PORT, message)
            elif not _says_protocol(port):
                message = f"{show(port.name or '')} does not say the protocol, so Istio guesses: name it PROTOCOL-NAME"
                yield Finding(service, where, codes.PORT_NAME_WITHOUT_PROTOCOL, message, Severity.INFO)


def _says_protocol(port: KubernetesPort) -> bool:
    return (port.protocol or "").upper() == "UDP" or bool(protocol_of(port)) or port.port in _WELL_KNOWN


def protocol_of(port: KubernetesPort) -> str:
    """Return what a Service says that a port of it speaks, such as C{http}; empty where it says nothing."""
    said = (port.app_protocol or port.name or "").lower()
    said = _OF_KUBERNETES.get(said, said).partition("-")[0]
    return said if said in _PROTOCOLS else ""


def protocols(context: Context) -> Iterator[Finding]:
    """Yield ServiceEntries of which two say that one host speaks two protocols on one port."""
    said: dict[tuple[str, int], list[tuple[Resource[ServiceEntry], str, frozenset[str]]]] = {}
    for entry in context.resources.service_entries:
        spec = entry.spec
        scopes = frozenset(entry.namespace if each == "." else each for each in spec.export_to or ("*",))
        for host in spec.hosts:
            for port in spec.ports:
                said.setdefault((host, port.number), []).append((entry, (port.protocol or "TCP").upper(), scopes))
    told: set[Resource[ServiceEntry]] = set()
    for (host, number), entries in said.items():
        for entry, protocol, scopes in entries:
            other = next(
                (
                    (each, its)
                    for each, its, its_scopes in entries
                    if its != protocol and ("*" in scopes or "*" in its_scopes or scopes & its_scopes)
                ),
                None,
            )
            if other is None or entry in told:
                continue
            told.add(entry)
            origin = other[0].document.origin
            message = (
                f"{show(host)} speaks {protocol} on port {number} here, {other[1]} by {origin.resource} at {origin}"
            )
            yield Finding(entry, ("metadata", "name"), codes.CONFLICTING_PROTOCOLS, message)


def addresses(context: Context) -> Iterator[Finding]:
    """Yield ports that clients in a mesh tell from others by an address alone (C{ProtocolAddressesAnalyzer})."""
    if any(_allocates(mesh.spec) for mesh in context.resources.mesh_configs):
        return
    for entry in context.resources.service_entries:
        spec = entry.spec
        if spec.addresses or ("status", "addresses") in set(entry.document.paths()):
            continue
        for index, port in enumerate(spec.ports):
            if (port.protocol or "").upper() in ("", "TCP"):
                message = (
                    "a mesh needs addresses for a port of TCP, unless it allocates some; at an edge nothing is lost"
                )
                where = ("spec", "ports", index)
                yield Finding(entry, where, codes.ADDRESSES_REQUIRED, message, Severity.INFO)


def _allocates(mesh: MeshConfig) -> bool:
    defaults = mesh.default_config
    return defaults is not None and defaults.proxy_metadata.get(_AUTO_ALLOCATE) == "true"
