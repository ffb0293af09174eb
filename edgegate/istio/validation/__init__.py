"""
Rules that concern one resource alone: Istio's (pkg/config/validation), and some of Kubernetes'.

A module for each kind, a row for each in L{RULES}.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from edgegate.config.problems import Problems
from edgegate.config.values import show
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
from edgegate.istio.kinds.oidc_policy import OIDCPolicy
from edgegate.istio.kinds.rate_limit_policy import RateLimitPolicy
from edgegate.istio.kinds.request_authentication import RequestAuthentication
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.kinds.service import Endpoints, EndpointSlice, Service
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.kinds.telemetry import Telemetry
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.kinds.workload import WorkloadEntry, WorkloadGroup
from edgegate.istio.resources import Resource
from edgegate.istio.validation.authorization_policy import validate_authorization_policy
from edgegate.istio.validation.certificate_issuer import validate_certificate_issuer
from edgegate.istio.validation.concurrency_policy import validate_concurrency_policy
from edgegate.istio.validation.credentials import validate_api_key_policy, validate_basic_auth_policy
from edgegate.istio.validation.destination_rule import validate_destination_rule
from edgegate.istio.validation.envoy_filter import validate_envoy_filter
from edgegate.istio.validation.gateway import validate_gateway
from edgegate.istio.validation.kubernetes import (
    validate_endpoint_slice,
    validate_endpoints,
    validate_secret,
    validate_service,
)
from edgegate.istio.validation.mesh_config import validate_mesh_config
from edgegate.istio.validation.names import is_label
from edgegate.istio.validation.oidc_policy import validate_oidc_policy
from edgegate.istio.validation.policies import validate_address_list_policy
from edgegate.istio.validation.rate_limit_policy import validate_rate_limit_policy
from edgegate.istio.validation.request_authentication import validate_request_authentication
from edgegate.istio.validation.service_entry import validate_service_entry
from edgegate.istio.validation.telemetry import validate_telemetry
from edgegate.istio.validation.virtual_service import validate_virtual_service
from edgegate.istio.validation.workload import validate_workload_entry, validate_workload_group

RULES: dict[type[Spec], Callable[[Resource[Any], Problems], None]] = {
    Gateway: validate_gateway,
    VirtualService: validate_virtual_service,
    ServiceEntry: validate_service_entry,
    DestinationRule: validate_destination_rule,
    WorkloadEntry: validate_workload_entry,
    WorkloadGroup: validate_workload_group,
    Secret: validate_secret,
    Service: validate_service,
    EndpointSlice: validate_endpoint_slice,
    Endpoints: validate_endpoints,
    MeshConfig: validate_mesh_config,
    Telemetry: validate_telemetry,
    RequestAuthentication: validate_request_authentication,
    ConcurrencyPolicy: validate_concurrency_policy,
    EnvoyFilter: validate_envoy_filter,
    AddressListPolicy: validate_address_list_policy,
    BasicAuthPolicy: validate_basic_auth_policy,
    APIKeyPolicy: validate_api_key_policy,
    RateLimitPolicy: validate_rate_limit_policy,
    AuthorizationPolicy: validate_authorization_policy,
    OIDCPolicy: validate_oidc_policy,
    CertificateIssuer: validate_certificate_issuer,
}

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_MAX_NAME = 253


def validate(resource: Resource[Any], problems: Problems) -> None:
    """Report whatever a resource says that Istio or Kubernetes would refuse or warn of."""
    name, namespace = resource.name, resource.namespace
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name) or ".." in name:
        resource.error(problems, ("metadata", "name"), f"{show(name)} is no name: lower case letters, digits, - and .")
    elif isinstance(resource.spec, Gateway) and not is_label(name):
        resource.error(problems, ("metadata", "name"), f"{show(name)} is no name of a Gateway: it has no dots")
    if not is_label(namespace) or namespace != namespace.lower():
        message = f"{show(namespace)} is no namespace: lower case letters, digits and -"
        resource.error(problems, ("metadata", "namespace"), message)
    RULES[type(resource.spec)](resource, problems)
