# Compiled: it is made use of by hot modules.
"""The values of Istio's labels: who the gateway is, and whom a cluster and its endpoints stand for."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.clusters import Cluster, Endpoint
from edgegate.observe.metrics.label_bounds import UNKNOWN, service_of_name

_SERVICES = ".svc."
_CANONICAL = "service.istio.io/canonical-"


@dataclass(frozen=True, slots=True)
class SourceLabels:
    """
    What the gateway says of itself, C{source_*}. The defaults are those of Istio's own gateway, which boards name.

    @ivar cluster: The cluster of machines that it belongs to, by Istio's name for it.
    """

    workload: str = "istio-ingressgateway"
    namespace: str = "istio-system"
    cluster: str = "Kubernetes"


def destination_of(cluster: Cluster, endpoint: Endpoint | None = None) -> tuple[str, ...]:
    """
    Return the values of L{edgegate.observe.metrics.families.DESTINATION}.

    @param endpoint: That was chosen; L{None}: there was none.
    """
    host = service_of_name(cluster.name)
    name, namespace = service_of(cluster, host)
    labels = {} if endpoint is None else dict(endpoint.labels)
    workload = UNKNOWN if endpoint is None else endpoint.workload or UNKNOWN
    app = labels.get("app", UNKNOWN)
    version = labels.get("version", UNKNOWN)
    canonical = labels.get(f"{_CANONICAL}name", app if app != UNKNOWN else workload)
    revision = labels.get(f"{_CANONICAL}revision", version if version != UNKNOWN else "latest")
    return (
        workload,
        namespace if endpoint is not None else UNKNOWN,
        UNKNOWN,  # the backend's certificate is not asked for its name
        app,
        version,
        host,
        canonical,
        revision,
        name,
        namespace,
        UNKNOWN,  # nor is it known in which cluster of machines an endpoint is
    )


def service_of(cluster: Cluster, host: str) -> tuple[str, str]:
    """
    Return a service's name and its namespace: of one of Kubernetes those in its host, of a ServiceEntry, as in Istio,
    the host and the namespace of the document.
    """
    short, found, _ = host.partition(_SERVICES)
    name, dot, namespace = short.partition(".")
    if found and dot and "." not in namespace:
        return name, namespace
    namespace = cluster.origin.resource.rpartition(" ")[2].partition("/")[0]
    return host, namespace or UNKNOWN
