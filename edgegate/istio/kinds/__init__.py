"""
The kinds of documents that are understood, a module and a row for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgegate.istio.kinds.address_list_policy import AddressListPolicy
from edgegate.istio.kinds.api_key_policy import APIKeyPolicy
from edgegate.istio.kinds.authorization_policy import AuthorizationPolicy
from edgegate.istio.kinds.base import Spec
from edgegate.istio.kinds.basic_auth_policy import BasicAuthPolicy
from edgegate.istio.kinds.certificate_issuer import CertificateIssuer
from edgegate.istio.kinds.concurrency_policy import ConcurrencyPolicy
from edgegate.istio.kinds.destination_rule import DestinationRule
from edgegate.istio.kinds.envoy_filter import EnvoyFilter
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.mesh_config import MeshConfig
from edgegate.istio.kinds.meta import Described, Object
from edgegate.istio.kinds.oidc_policy import OIDCPolicy
from edgegate.istio.kinds.rate_limit_policy import RateLimitPolicy
from edgegate.istio.kinds.request_authentication import RequestAuthentication
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.kinds.service import Endpoints, EndpointSlice, Service
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.kinds.telemetry import Telemetry
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.kinds.workload import WorkloadEntry, WorkloadGroup

NETWORKING = "networking.istio.io"
SECURITY = "security.istio.io"
TELEMETRY = "telemetry.istio.io"
EDGEGATE = "edgegate.io"
"""The group of edgegate's own kinds: access policies and issuers of certificates, for which Istio has none."""
MESH_GROUP = "mesh.istio.io"
"""A MeshConfig is no object of Kubernetes; by this group a document can be one, named as the package of its message."""


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of documents.

    @ivar struct: The whole document, or where it is described by a C{spec}, that.
    @ivar resources: The list of L{edgegate.istio.resources.Resources} that takes it.
    @ivar confidential: No value of such a document may be shown.
    @ivar numerous: There may be thousands, so they are kept packed.
    @ivar metadata: More of its metadata is needed than names and labels.
    """

    name: str
    group: str
    versions: tuple[str, ...]
    struct: type[Spec]
    resources: str
    confidential: bool = False
    numerous: bool = False
    metadata: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """By what it is told from all others: its group and its name."""
        return self.group, self.name

    @property
    def document(self) -> Any:
        """The type of the whole document."""
        return self.struct if issubclass(self.struct, Object) else Described[self.struct]  # type: ignore[name-defined]

    @property
    def api_versions(self) -> tuple[str, ...]:
        """All values of C{apiVersion} that it goes by, the usual one first."""
        return tuple(f"{self.group}/{version}" if self.group else version for version in self.versions)


_ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")

KINDS = (
    Kind("Gateway", NETWORKING, _ISTIO_VERSIONS, Gateway, "gateways", metadata=True),
    Kind("VirtualService", NETWORKING, _ISTIO_VERSIONS, VirtualService, "virtual_services", numerous=True),
    Kind("ServiceEntry", NETWORKING, _ISTIO_VERSIONS, ServiceEntry, "service_entries"),
    Kind("DestinationRule", NETWORKING, _ISTIO_VERSIONS, DestinationRule, "destination_rules"),
    Kind("WorkloadEntry", NETWORKING, _ISTIO_VERSIONS, WorkloadEntry, "workload_entries", metadata=True),
    Kind("WorkloadGroup", NETWORKING, _ISTIO_VERSIONS, WorkloadGroup, "workload_groups"),
    Kind("EnvoyFilter", NETWORKING, ("v1alpha3",), EnvoyFilter, "envoy_filters"),
    Kind("Telemetry", TELEMETRY, ("v1", "v1alpha1"), Telemetry, "telemetries", metadata=True),
    Kind("RequestAuthentication", SECURITY, ("v1", "v1beta1"), RequestAuthentication, "request_authentications"),
    Kind("ConcurrencyPolicy", EDGEGATE, ("v1alpha1",), ConcurrencyPolicy, "concurrency_policies"),
    Kind(
        "AuthorizationPolicy", SECURITY, ("v1", "v1beta1"), AuthorizationPolicy, "authorization_policies", metadata=True
    ),
    Kind("AddressListPolicy", EDGEGATE, ("v1alpha1",), AddressListPolicy, "address_list_policies"),
    Kind("BasicAuthPolicy", EDGEGATE, ("v1alpha1",), BasicAuthPolicy, "basic_auth_policies"),
    Kind("APIKeyPolicy", EDGEGATE, ("v1alpha1",), APIKeyPolicy, "api_key_policies"),
    Kind("RateLimitPolicy", EDGEGATE, ("v1alpha1",), RateLimitPolicy, "rate_limit_policies"),
    Kind("OIDCPolicy", EDGEGATE, ("v1alpha1",), OIDCPolicy, "oidc_policies"),
    Kind("CertificateIssuer", EDGEGATE, ("v1alpha1",), CertificateIssuer, "certificate_issuers"),
    Kind("MeshConfig", MESH_GROUP, ("v1alpha1",), MeshConfig, "mesh_configs"),
    Kind("Secret", "", ("v1",), Secret, "secrets", confidential=True),
    Kind("Service", "", ("v1",), Service, "services"),
    Kind("Endpoints", "", ("v1",), Endpoints, "endpoints"),
    Kind("EndpointSlice", "discovery.k8s.io", ("v1", "v1beta1"), EndpointSlice, "endpoint_slices"),
)

MESH = "not honoured: it is for a mesh"

UNSERVED = {
    (NETWORKING, "Sidecar"): MESH,
    (NETWORKING, "ProxyConfig"): MESH,
    (SECURITY, "PeerAuthentication"): MESH,
    ("extensions.istio.io", "WasmPlugin"): "not honoured: it is written for Envoy",
    ("extensions.istio.io", "TrafficExtension"): "not honoured: it is written for Envoy",
}
"""Istio's other kinds, with the warning that a document of theirs gets."""

CORE_KINDS = frozenset(
    (
        *("Binding", "ComponentStatus", "ConfigMap", "Endpoints", "Event", "LimitRange", "List", "Namespace", "Node"),
        *("PersistentVolume", "PersistentVolumeClaim", "Pod", "PodTemplate", "ReplicationController"),
        *("ResourceQuota", "Secret", "Service", "ServiceAccount"),
    )
)
"""All kinds of Kubernetes' core group, so that a misspelt one is told from another's."""


def kind_of_fields(spec: Mapping[str, object]) -> str:
    """Return the one kind that has all these fields in its C{spec}; empty where none has, or several have."""
    fitting = [kind.name for kind in KINDS if not spec.keys() - set(kind.struct.__struct_encode_fields__)]
    return fitting[0] if len(fitting) == 1 else ""
