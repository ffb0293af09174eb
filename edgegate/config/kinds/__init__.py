"""
The kinds of documents that are understood, a module and a row for each.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.config.kinds.base import Spec
from edgegate.config.kinds.gateway import Gateway
from edgegate.config.kinds.secret import Secret
from edgegate.config.kinds.service import Endpoints, EndpointSlice, Service
from edgegate.config.kinds.service_entry import ServiceEntry
from edgegate.config.kinds.virtual_service import VirtualService

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of documents.

    @ivar body: The key that holds what C{struct} describes; empty where it lies beside C{metadata}.
    @ivar resources: The list of L{edgegate.config.resources.Resources} that takes it.
    @ivar confidential: No value of such a document may be shown.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    struct: type[Spec]
    resources: str
    body: str = "spec"
    confidential: bool = False


_ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")

KINDS = (
    Kind("Gateway", NETWORKING, _ISTIO_VERSIONS, Gateway, "gateways"),
    Kind("VirtualService", NETWORKING, _ISTIO_VERSIONS, VirtualService, "virtual_services"),
    Kind("ServiceEntry", NETWORKING, _ISTIO_VERSIONS, ServiceEntry, "service_entries"),
    Kind("Secret", "", ("v1",), Secret, "secrets", body="", confidential=True),
    Kind("Service", "", ("v1",), Service, "services"),
    Kind("Endpoints", "", ("v1",), Endpoints, "endpoints", body=""),
    Kind("EndpointSlice", "discovery.k8s.io", ("v1", "v1beta1"), EndpointSlice, "endpoint_slices", body=""),
)
