"""Where the order of documents counts and a cluster would have another one; see L{portable}."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.attachment import gateway_key
from edgegate.istio.translate.rules import MESH
from edgegate.istio.translate.servers import Server, servers_of
from edgegate.model.servers import Traffic

Claim = tuple[Hashable, Resource[Any], Path]
"""What is claimed, by whom, and where: of several who claim one thing the first counts."""

Found = Iterator[tuple[Resource[Any], Path, str]]
"""Places in documents, each with what a cluster would do."""


def order_differences(gateways: Iterable[Resource[Gateway]], services: Iterable[Resource[VirtualService]]) -> Found:
    """Yield the documents that a cluster would have before others, of one age, that stand before them here."""
    yield from _turned(_hosts(services))
    yield from _turned(_ports([server for gateway in gateways for server in servers_of(gateway, Problems())]))


def _turned(claims: Iterable[Claim]) -> Found:
    """Yield who claims what another has claimed that comes later by name, and then namespace (Istio's order)."""
    first: dict[Hashable, Resource[Any]] = {}
    told: set[int] = set()
    for what, resource, path in claims:
        age = resource.document.creation_timestamp
        other = first.setdefault((what, age), resource)
        if (resource.name, resource.namespace) < (other.name, other.namespace):
            first[what, age] = resource
            if id(resource) not in told:
                told.add(id(resource))
                place = f"{other.document.title} at {other.document.origin_of(())}"
                yield resource, path, f"this counts before {place}, by name and namespace, where both are of one age"


def _hosts(services: Iterable[Resource[VirtualService]]) -> Iterator[Claim]:
    """Yield the hosts of VirtualServices, each on every Gateway."""
    for service in services:
        gateways = [gateway_key(name, service.namespace) for name in service.spec.gateways if name != MESH]
        for index, host in enumerate(service.spec.hosts):
            for gateway in gateways:
                yield (gateway, host.lower()), service, ("spec", "hosts", index)


def _ports(servers: list[Server]) -> Iterator[Claim]:
    """Yield the names of TLS that servers want on a port, and the ports that TCP wants for itself."""
    alone = {server.value.address for server in servers if server.traffic is Traffic.TCP}
    for server in servers:
        path = (*server.path, "port")
        if not server.traffic.plain:
            for host in server.hosts:
                yield (server.value.address, host.pattern), server.gateway, path
        elif server.value.address in alone:
            yield server.value.address, server.gateway, path
