"""Services that say who may pass, as C{MeshConfig.extensionProviders} names them."""

from __future__ import annotations

from typing import Annotated

from msgspec import field

from edgegate.istio.kinds.base import Duration, Note, Spec, UInt32

_OLD = Note(remark="honoured where includeRequestHeadersInCheck says nothing: its former name").meta
_OF_GRPC = Note(remark="honoured by envoyExtAuthzGrpc; over HTTP the body is sent as it is").meta


class BodyInCheck(Spec, frozen=True, kw_only=True):
    """Has a check tell the request's body, which is kept for that."""

    max_request_bytes: UInt32 = 0
    allow_partial_message: bool | None = None
    pack_as_bytes: Annotated[bool | None, _OF_GRPC] = None


class HTTPAuthorization(Spec, frozen=True, kw_only=True):
    """A service that is asked over HTTP."""

    service: str
    port: int | str
    timeout: Duration | None = None
    path_prefix: str | None = None
    fail_open: bool | None = None
    status_on_error: str | None = None
    clear_route_cache: bool | None = None
    include_headers_in_check: Annotated[tuple[str, ...], _OLD] = ()
    include_request_headers_in_check: tuple[str, ...] = ()
    include_additional_headers_in_check: dict[str, str] = field(default_factory=dict)
    include_request_body_in_check: BodyInCheck | None = None
    headers_to_upstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_allow: tuple[str, ...] = ()
    headers_to_downstream_on_deny: tuple[str, ...] = ()


class GRPCAuthorization(Spec, frozen=True, kw_only=True):
    """A service that is asked by Envoy's C{envoy.service.auth.v3.Authorization}."""

    service: str
    port: int | str
    timeout: Duration | None = None
    fail_open: bool | None = None
    status_on_error: str | None = None
    clear_route_cache: bool | None = None
    include_request_body_in_check: BodyInCheck | None = None
