"""Clusters and their endpoints for tests, which come to the registry by ways of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.origin import Origin
from edgegate.model.tls import UpstreamTLS
from edgegate.tls.client_contexts import ClientContext
from edgegate.upstream.registry import ClusterRegistry

ORIGIN = Origin("services.yaml", 1, "ServiceEntry default/web")


@dataclass(frozen=True)
class Backend:
    """A cluster and its endpoints."""

    cluster: Cluster
    endpoints: tuple[Endpoint, ...] = ()

    def having(self, **changes: Any) -> Backend:
        """Return the same with other C{endpoints}, or other fields of its cluster."""
        endpoints = changes.pop("endpoints", self.endpoints)
        return Backend(replace(self.cluster, **changes), endpoints)


def static(name: str, *addresses: Address, weights: tuple[int, ...] = ()) -> Backend:
    """Return a cluster of fixed addresses."""
    shares = weights or (1,) * len(addresses)
    endpoints = tuple(Endpoint(address, weight) for address, weight in zip(addresses, shares, strict=True))
    return Backend(Cluster(name, Discovery.STATIC, ORIGIN), endpoints)


def dns(name: str, *addresses: Address, weights: tuple[int, ...] = ()) -> Backend:
    """Return a cluster whose hosts are looked up."""
    return static(name, *addresses, weights=weights).having(discovery=Discovery.DNS)


def logical(name: str, host: str, port: int = 80) -> Backend:
    """Return a cluster of a name of which one address at a time is used."""
    return static(name, TCPAddress(host, port)).having(discovery=Discovery.LOGICAL_DNS)


def serve(
    registry: ClusterRegistry, *backends: Backend, contexts: Mapping[UpstreamTLS, ClientContext] | None = None
) -> None:
    """Have a registry take over these, and no others."""
    clusters = {backend.cluster.name: backend.cluster for backend in backends}
    endpoints = {backend.cluster.name: backend.endpoints for backend in backends}
    registry.update(clusters, endpoints, contexts or {})
