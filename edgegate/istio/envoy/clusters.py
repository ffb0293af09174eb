"""Clusters that EnvoyFilters add (C{envoy/config/cluster/v3/cluster.proto}), as ServiceEntries say the same."""

from __future__ import annotations

from typing import Final

from edgegate.config.values import show
from edgegate.istio.envoy.messages import Message
from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry, ServicePort
from edgegate.istio.kinds.workload import WorkloadEntry

TYPES: Final = {
    "STATIC": Resolution.STATIC,
    "STRICT_DNS": Resolution.DNS,
    "LOGICAL_DNS": Resolution.DNS_ROUND_ROBIN,
}

_NOT_NEEDED: Final = (
    "alt_stat_name",
    "connect_timeout",
    "dns_lookup_family",
    "http2_protocol_options",
    "lb_policy",
    "typed_extension_protocol_options",
)
"""Fields that a service over gRPC needs none of here: it is spoken to by HTTP/2, each endpoint in its turn."""

PORT: Final = 1
"""The port of the service that stands for a cluster: its endpoints have their own."""


def cluster_of(message: Message) -> tuple[str, ServiceEntry] | None:
    """Return the name of a cluster and the service that it is; L{None}: it can't be used, which is reported."""
    name = message.text("name")
    if not name:
        message.error("name", "name is needed")
    type_ = message.text("type", "STATIC")
    if type_ not in TYPES:
        message.error("type", f"not honoured: {show(type_)}; known are {', '.join(TYPES)}")
    if "transport_socket" in message:
        message.error("transport_socket", "not honoured: for TLS declare a ServiceEntry and a DestinationRule")
        message.ignore("transport_socket")
    message.ignore(*_NOT_NEEDED)
    assignment = message.message("load_assignment")
    endpoints = [] if assignment is None else _endpoints(assignment)
    message.end("a cluster")
    if not name or type_ not in TYPES or not endpoints:
        if not endpoints:
            message.error("load_assignment", "a cluster needs endpoints")
        return None
    port = ServicePort(number=PORT, name="grpc", protocol="GRPC")
    entry = ServiceEntry(hosts=(name,), ports=(port,), resolution=TYPES[type_], endpoints=tuple(endpoints))
    return name, entry


def _endpoints(assignment: Message) -> list[WorkloadEntry]:
    found = []
    assignment.ignore("cluster_name")
    for locality in assignment.messages("endpoints"):
        locality.ignore("priority", "load_balancing_weight", "locality")
        for each in locality.messages("lb_endpoints"):
            entry = _endpoint(each)
            if entry is not None:
                found.append(entry)
        locality.end("endpoints")
    assignment.end("load_assignment")
    return found


def _endpoint(message: Message) -> WorkloadEntry | None:
    message.ignore("health_status")
    endpoint = message.message("endpoint")
    weight = message.number("load_balancing_weight", 0) or None
    message.end("an endpoint")
    address = None if endpoint is None else endpoint.message("address")
    socket = None if address is None else address.message("socket_address")
    if socket is None:
        message.error("endpoint", "endpoint.address.socket_address is needed")
        return None
    socket.ignore("protocol", "resolver_name", "ipv4_compat")
    host, port = socket.text("address"), socket.number("port_value", 0, 1, 65535)
    if not host or not port:
        socket.error("" if host else "address", "address and port_value are needed")
        return None
    socket.end("socket_address")
    return WorkloadEntry(address=host, ports={"grpc": port}, weight=weight)
