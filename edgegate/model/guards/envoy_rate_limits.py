# Compiled: values that hot modules read.
"""
Rate limits as EnvoyFilters write them: Envoy's C{local_ratelimit} and C{ratelimit} filters, and the descriptors that
routes make of requests (C{config.route.v3.RateLimit}).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum

from edgegate.model.guards.guard import Guard, Stage
from edgegate.model.picklable import Picklable

Pair = tuple[str, str]
"""A key and a value."""


class TextKind(Enum):
    """What Envoy's C{StringMatcher} and C{HeaderMatcher} ask of a text."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    CONTAINS = "contains"
    REGEX = "regex"
    PRESENT = "present"
    RANGE = "range"


@dataclass(frozen=True, slots=True)
class FieldMatch(Picklable):
    """
    A condition on a header or a parameter of the query (C{HeaderMatcher}, C{QueryParameterMatcher}).

    @ivar bounds: Of C{RANGE}: the first number that fits, and the first that does not any more.
    """

    name: str
    kind: TextKind
    value: str = ""
    ignore_case: bool = False
    invert: bool = False
    missing_is_empty: bool = False
    bounds: tuple[int, int] = (0, 0)


class ActionKind(Enum):
    """Where an entry of a descriptor comes from: the oneof C{action_specifier}."""

    GENERIC_KEY = "generic_key"
    REQUEST_HEADER = "request_headers"
    REMOTE_ADDRESS = "remote_address"
    MASKED_REMOTE_ADDRESS = "masked_remote_address"
    HEADERS_MATCH = "header_value_match"
    QUERY_MATCH = "query_parameter_value_match"
    QUERY_PARAMETER = "query_parameters"
    SOURCE_CLUSTER = "source_cluster"
    DESTINATION_CLUSTER = "destination_cluster"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class Action(Picklable):
    """
    One entry of a descriptor.

    @ivar key: Of the entry.
    @ivar value: Of the entry, where it is a fixed one, or for C{METADATA} where there is none.
    @ivar name: Of the header or the parameter.
    @ivar matches: That must all hold; C{expected} says whether they must.
    @ivar skip: Whether the entry is left out where there is nothing; else there is no descriptor.
    @ivar prefixes: Bits of an address that count, of IPv4 and of IPv6.
    @ivar namespace: Of the dynamic metadata, with the C{path} in it.
    """

    kind: ActionKind
    key: str
    value: str = ""
    name: str = ""
    matches: tuple[FieldMatch, ...] = ()
    expected: bool = True
    skip: bool = False
    prefixes: tuple[int, int] = (32, 128)
    namespace: str = ""
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DescriptorRule(Picklable):
    """What a descriptor is made of: its entries in their order. One that yields nothing drops the descriptor."""

    actions: tuple[Action, ...]
    stage: int = 0


@dataclass(frozen=True, slots=True)
class TokenBucket(Picklable):
    """
    A bucket that fills continuously.

    @ivar interval: Seconds for one token.
    """

    most: int
    interval: float


@dataclass(frozen=True, slots=True)
class LocalDescriptor(Picklable):
    """A bucket of its own for the requests with a descriptor. An empty value is any, each with its own bucket."""

    entries: tuple[Pair, ...]
    bucket: TokenBucket


@dataclass(frozen=True, slots=True)
class LocalLimit(Picklable):
    """
    C{envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit}.

    @ivar bucket: L{None}: only routes have buckets.
    @ivar enabled: The share of requests that is counted, 0 to 1; C{enforced}: of those over, that is refused.
    @ivar rules: The filter's own C{rate_limits}; L{None}: those of routes and virtual hosts count.
    @ivar always_default: Whether the bucket is asked although a descriptor had one.
    @ivar per_connection: Whether each connection has buckets of its own.
    @ivar shown: Whether responses tell how the limit stands (C{DRAFT_VERSION_03}).
    """

    prefix: str
    bucket: TokenBucket | None = None
    enabled: float = 0.0
    enforced: float = 0.0
    status: int = 429
    descriptors: tuple[LocalDescriptor, ...] = ()
    rules: tuple[DescriptorRule, ...] | None = None
    stage: int = 0
    always_default: bool = True
    per_connection: bool = False
    shown: bool = False
    grpc_exhausted: bool = False
    response_fields: tuple[Pair, ...] = ()
    unenforced_fields: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings(Picklable):
    """
    What a virtual host or a route says otherwise than the filter.

    @ivar rules: C{rate_limits}; L{None}: it says nothing of them.
    @ivar local: C{typed_per_filter_config} of the local filter; L{None}: it has none.
    @ivar with_host: Whether a route's rules are asked beside those of its virtual host, not in their place.
    """

    rules: tuple[DescriptorRule, ...] | None = None
    local: LocalLimit | None = None
    with_host: bool = False


@dataclass(frozen=True, slots=True)
class Scopes(Picklable):
    """
    Settings by virtual host and, within that, by the route's name (empty: every one). Later ones count more.

    A virtual host is C{HOST:PORT}, C{HOST:*} on every port, C{:PORT} for all of a port; empty: every one.
    """

    hosts: tuple[tuple[str, Settings], ...] = ()
    routes: tuple[tuple[str, str, Settings], ...] = ()


class Asks(IntEnum):
    """Of whose requests the service is asked (C{request_type}): here all clients are external."""

    BOTH = 0
    INTERNAL = 1
    EXTERNAL = 2


@dataclass(frozen=True, slots=True)
class ServiceLimit(Picklable):
    """
    C{envoy.extensions.filters.http.ratelimit.v3.RateLimit}.

    @ivar cluster: Of the service.
    @ivar timeout: In seconds.
    @ivar deny: Whether a request is refused when the service can't be asked (C{failure_mode_deny}), with
        C{error_status}.
    """

    domain: str
    cluster: str
    authority: str = ""
    timeout: float = 0.02
    deny: bool = False
    stage: int = 0
    asks: Asks = Asks.BOTH
    status: int = 429
    error_status: int = 500
    shown: bool = False
    marked: bool = True
    grpc_exhausted: bool = False
    response_fields: tuple[Pair, ...] = ()
    rules: tuple[DescriptorRule, ...] | None = None


@dataclass(frozen=True, slots=True)
class LocalRateLimit(Guard):
    """
    Envoy's local rate limit filter on a server.

    @ivar first: Whether it comes before who may enter is decided, as in Istio's task.
    """

    limit: LocalLimit
    scopes: Scopes = Scopes()
    first: bool = True

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.LOCAL_RATE_LIMIT_FIRST if self.first else Stage.RATE_LIMIT


@dataclass(frozen=True, slots=True)
class RateLimitService(Guard):
    """Envoy's filter that asks a rate limit service, on a server."""

    limit: ServiceLimit
    scopes: Scopes = Scopes()

    def stage(self) -> Stage:
        """See L{Guard.stage}."""
        return Stage.GLOBAL_RATE_LIMIT
