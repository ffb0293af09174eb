"""What all files together hold, decoded: the compiler's input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from edgegate.config.document import Document, Path
from edgegate.config.problems import Problems, Role
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
from edgegate.model.origin import Origin

S = TypeVar("S", bound=Spec)


@dataclass(frozen=True, slots=True, eq=False)
class Packed(Generic[S]):
    """
    A spec as bytes, which take a tenth of the memory.

    @ivar decode: Makes the spec of them.
    """

    raw: bytes = field(repr=False)
    decode: Callable[[bytes], S]


@dataclass(frozen=True, slots=True, eq=False)
class Resource(Generic[S]):
    """
    A document that was understood. Paths of problems are those of the document, so they begin with C{spec}.

    A VirtualService and its delegates become one resource whose C{spec} is said in several documents.

    @ivar content: The spec, or where there may be thousands of its kind, the same packed.
    @ivar broken: Where something was reported already and left out of C{spec}.
    @ivar parts: Where parts of C{spec} are said that stand in another document, or elsewhere in this one.
    """

    document: Document
    content: S | Packed[S]
    broken: tuple[Path, ...] = ()
    parts: Mapping[Path, tuple[Resource[S], Path]] = field(default_factory=dict, repr=False)
    _told: set[Path] = field(default_factory=set, repr=False)

    @property
    def spec(self) -> S:
        """What the document says. Hold it while you work with it: it may have to be unpacked anew."""
        if isinstance(self.content, Packed):
            unpacked: S = _unpack(self.content)
            return unpacked
        return self.content

    @property
    def name(self) -> str:
        """C{metadata.name}."""
        return self.document.name

    @property
    def namespace(self) -> str:
        """C{metadata.namespace}."""
        return self.document.namespace

    def at(self, path: Path) -> tuple[Resource[S], Path]:
        """Return the resource in whose document a part of C{spec} is said, and where in there."""
        if self.parts:
            for end in range(len(path), 0, -1):
                found = self.parts.get(path[:end])
                if found is not None:
                    return found[0], found[1] + path[end:]
        return self, path

    def origin_of(self, path: Path) -> Origin:
        """Where a part of C{spec} is said."""
        resource, path = self.at(path)
        return resource.document.origin_of(path)

    def error(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        """
        Report an error in a part of C{spec}, where it is said.

        Only the first for a path is, and none where something in that part was left out: what follows from a mistake
        is not told again.
        """
        resource, path = self.at(path)
        if path not in resource._told and not resource.left_out(path):
            resource._told.add(path)
            resource.document.error(problems, path, message, role, code)

    def warning(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        """Report a warning about a part of C{spec}, where it is said, unless something in that part was left out."""
        resource, path = self.at(path)
        if not resource.left_out(path):
            resource.document.warning(problems, path, message, role, code)

    def anew(self) -> Resource[S]:
        """Return the same, of which nothing more is told than was of this one: for each who reports on it."""
        return replace(self, _told=set(self._told))

    @property
    def faulty(self) -> bool:
        """Whether an error was reported in it."""
        return bool(self._told or self.broken or self.document.misspelt)

    def left_out(self, path: Path) -> bool:
        """Whether something in that part, or that is around it, was reported and left out when it was decoded."""
        resource, path = self.at(path)
        if not resource.broken:
            return False
        original = resource.document.original(path)
        return any(
            broken[: len(original)] == original or original[: len(broken)] == broken for broken in resource.broken
        )


@lru_cache(maxsize=8)
def _unpack(packed: Packed[Any]) -> Any:
    """Return a packed spec; those that are asked for one after the other are mostly one and the same."""
    return packed.decode(packed.raw)


@dataclass(slots=True)
class Resources:
    """
    All resources by kind, in file order, then document order.

    Gateways, VirtualServices and DestinationRules that say when they were made come first, oldest first.
    """

    gateways: list[Resource[Gateway]] = field(default_factory=list)
    virtual_services: list[Resource[VirtualService]] = field(default_factory=list)
    service_entries: list[Resource[ServiceEntry]] = field(default_factory=list)
    destination_rules: list[Resource[DestinationRule]] = field(default_factory=list)
    workload_entries: list[Resource[WorkloadEntry]] = field(default_factory=list)
    workload_groups: list[Resource[WorkloadGroup]] = field(default_factory=list)
    secrets: list[Resource[Secret]] = field(default_factory=list)
    services: list[Resource[Service]] = field(default_factory=list)
    endpoint_slices: list[Resource[EndpointSlice]] = field(default_factory=list)
    endpoints: list[Resource[Endpoints]] = field(default_factory=list)
    mesh_configs: list[Resource[MeshConfig]] = field(default_factory=list)
    telemetries: list[Resource[Telemetry]] = field(default_factory=list)
    request_authentications: list[Resource[RequestAuthentication]] = field(default_factory=list)
    concurrency_policies: list[Resource[ConcurrencyPolicy]] = field(default_factory=list)
    authorization_policies: list[Resource[AuthorizationPolicy]] = field(default_factory=list)
    envoy_filters: list[Resource[EnvoyFilter]] = field(default_factory=list)
    address_list_policies: list[Resource[AddressListPolicy]] = field(default_factory=list)
    basic_auth_policies: list[Resource[BasicAuthPolicy]] = field(default_factory=list)
    api_key_policies: list[Resource[APIKeyPolicy]] = field(default_factory=list)
    rate_limit_policies: list[Resource[RateLimitPolicy]] = field(default_factory=list)
    certificate_issuers: list[Resource[CertificateIssuer]] = field(default_factory=list)
    oidc_policies: list[Resource[OIDCPolicy]] = field(default_factory=list)
