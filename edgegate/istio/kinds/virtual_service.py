"""Istio's C{VirtualService}: where what has entered goes."""

from __future__ import annotations

import re
from enum import Enum
from typing import Annotated

from edgegate.istio.kinds.base import Base64, Duration, Int32, Note, OneOf, Spec, UInt32

AT_AN_EDGE = Note("never holds at an edge: only a client inside a mesh has it").meta
IN_A_MESH = Note(
    "never holds at an edge: only a client inside a mesh has it (where a match names gateways, it is not asked for)"
).meta
STATISTICS = Note(remark="accepted, has no effect: there are no statistics by route").meta

_CLAIM = re.compile(r"@request\.auth\.claims(?:\..+|\[.+\])", re.IGNORECASE | re.DOTALL)


def is_claim(header: str) -> bool:
    """Whether the name of a header in a match stands for a claim of a token."""
    return _CLAIM.fullmatch(header) is not None


class StringMatch(OneOf, frozen=True, kw_only=True):
    """A condition on a text; where nothing is given, on its presence."""

    one_of = ("exact", "prefix", "regex")

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class PortSelector(Spec, frozen=True, kw_only=True):
    """The port of a destination."""

    number: UInt32 | None = None


class Destination(Spec, frozen=True, kw_only=True):
    """A service, by its host."""

    host: str
    subset: str | None = None
    port: PortSelector | None = None


class Percent(Spec, frozen=True, kw_only=True):
    """A share of all requests, 0 to 100."""

    value: float | None = None


class HeaderOperations(Spec, frozen=True, kw_only=True):
    """What is done to a message's headers."""

    set: dict[str, str] = {}
    add: dict[str, str] = {}
    remove: tuple[str, ...] = ()


class Headers(Spec, frozen=True, kw_only=True):
    """What is done to the headers of requests and answers."""

    request: HeaderOperations | None = None
    response: HeaderOperations | None = None


class HTTPMatchRequest(Spec, frozen=True, kw_only=True):
    """Conditions on a request that must all hold."""

    name: str | None = None
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = {}
    port: UInt32 | None = None
    source_labels: Annotated[dict[str, str], IN_A_MESH] = {}
    gateways: tuple[str, ...] = ()
    query_params: dict[str, StringMatch] = {}
    ignore_uri_case: bool | None = None
    without_headers: dict[str, StringMatch] = {}
    source_namespace: Annotated[str | None, IN_A_MESH] = None
    stat_prefix: Annotated[str | None, STATISTICS] = None


class HTTPRouteDestination(Spec, frozen=True, kw_only=True):
    """One destination of an HTTP route. Without a weight it counts as 0, or as all where it is the only one."""

    destination: Destination
    weight: Int32 | None = None
    headers: Headers | None = None


class RedirectPort(Enum):
    """Where the port of a redirect comes from."""

    FROM_PROTOCOL_DEFAULT = "FROM_PROTOCOL_DEFAULT"
    FROM_REQUEST_PORT = "FROM_REQUEST_PORT"


class HTTPRedirect(OneOf, frozen=True, kw_only=True):
    """An answer that sends the client elsewhere."""

    one_of = ("port", "derive_port")

    uri: str | None = None
    prefix_rewrite: str | None = None
    authority: str | None = None
    port: UInt32 | None = None
    derive_port: RedirectPort | None = None
    scheme: str | None = None
    redirect_code: UInt32 | None = None


class HTTPBody(OneOf, frozen=True, kw_only=True):
    """The body of a direct answer."""

    one_of = ("string", "bytes")

    string: str | None = None
    bytes: Base64 | None = None


class HTTPDirectResponse(Spec, frozen=True, kw_only=True):
    """An answer that needs no backend."""

    status: UInt32
    body: HTTPBody | None = None


class Delegate(Spec, frozen=True, kw_only=True):
    """Another VirtualService that holds the routes."""

    name: str | None = None
    namespace: str | None = None


class RegexRewrite(Spec, frozen=True, kw_only=True):
    """A substitution in the path, groups as C{\\1}."""

    match: str | None = None
    rewrite: str | None = None


class HTTPRewrite(Spec, frozen=True, kw_only=True):
    """What is changed before a request goes to its backend."""

    uri: str | None = None
    authority: str | None = None
    uri_regex_rewrite: RegexRewrite | None = None


class HTTPRetry(Spec, frozen=True, kw_only=True):
    """When a request is tried again."""

    attempts: Int32 | None = None
    per_try_timeout: Duration | None = None
    retry_on: str | None = None
    retry_remote_localities: bool | None = None
    retry_ignore_previous_hosts: bool | None = None
    backoff: Duration | None = None


class Delay(OneOf, frozen=True, kw_only=True):
    """Requests that are held back."""

    one_of = ("fixed_delay", "exponential_delay")

    percent: Int32 | None = None
    fixed_delay: Duration | None = None
    exponential_delay: Duration | None = None
    percentage: Percent | None = None


class Abort(OneOf, frozen=True, kw_only=True):
    """Requests that are answered with an error."""

    one_of = ("http_status", "grpc_status", "http2_error")

    http_status: Int32 | None = None
    grpc_status: str | None = None
    http2_error: str | None = None
    percentage: Percent | None = None


class HTTPFaultInjection(Spec, frozen=True, kw_only=True):
    """Failures that are made on purpose."""

    delay: Delay | None = None
    abort: Abort | None = None


class HTTPMirrorPolicy(Spec, frozen=True, kw_only=True):
    """Where copies of requests go."""

    destination: Destination
    percentage: Percent | None = None


class UnmatchedPreflights(Enum):
    """What happens to preflight requests from origins that are not allowed."""

    UNSPECIFIED = "UNSPECIFIED"
    FORWARD = "FORWARD"
    IGNORE = "IGNORE"


class CorsPolicy(Spec, frozen=True, kw_only=True):
    """Which other origins may read the answers."""

    allow_origin: tuple[str, ...] = ()
    allow_origins: tuple[StringMatch, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    max_age: Duration | None = None
    allow_credentials: bool | None = None
    unmatched_preflights: UnmatchedPreflights | None = None


class HTTPRoute(Spec, frozen=True, kw_only=True):
    """One item of C{http}: conditions of which one must hold, and what then happens."""

    name: str | None = None
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[HTTPRouteDestination, ...] = ()
    redirect: HTTPRedirect | None = None
    direct_response: HTTPDirectResponse | None = None
    delegate: Delegate | None = None
    rewrite: HTTPRewrite | None = None
    timeout: Duration | None = None
    retries: HTTPRetry | None = None
    fault: HTTPFaultInjection | None = None
    mirror: Destination | None = None
    mirrors: tuple[HTTPMirrorPolicy, ...] = ()
    mirror_percent: UInt32 | None = None
    mirror_percentage: Percent | None = None
    cors_policy: CorsPolicy | None = None
    headers: Headers | None = None


class RouteDestination(Spec, frozen=True, kw_only=True):
    """One destination of a TLS or TCP route."""

    destination: Destination
    weight: Int32 | None = None


class TLSMatchAttributes(Spec, frozen=True, kw_only=True):
    """Conditions on a connection by its ClientHello that must all hold."""

    sni_hosts: tuple[str, ...]
    destination_subnets: tuple[str, ...] = ()
    port: UInt32 | None = None
    source_labels: Annotated[dict[str, str], AT_AN_EDGE] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: Annotated[str | None, AT_AN_EDGE] = None


class TLSRoute(Spec, frozen=True, kw_only=True):
    """One item of C{tls}."""

    match: tuple[TLSMatchAttributes, ...]
    route: tuple[RouteDestination, ...] = ()


class L4MatchAttributes(Spec, frozen=True, kw_only=True):
    """Conditions on a connection that must all hold."""

    destination_subnets: tuple[str, ...] = ()
    port: UInt32 | None = None
    source_subnet: str | None = None
    source_labels: Annotated[dict[str, str], AT_AN_EDGE] = {}
    gateways: tuple[str, ...] = ()
    source_namespace: Annotated[str | None, AT_AN_EDGE] = None


class TCPRoute(Spec, frozen=True, kw_only=True):
    """One item of C{tcp}."""

    match: tuple[L4MatchAttributes, ...] = ()
    route: tuple[RouteDestination, ...] = ()


class VirtualService(Spec, frozen=True, kw_only=True):
    """The C{spec} of a VirtualService."""

    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[HTTPRoute, ...] = ()
    tls: tuple[TLSRoute, ...] = ()
    tcp: tuple[TCPRoute, ...] = ()
    export_to: tuple[str, ...] = ()
