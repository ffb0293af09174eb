# Compiled: values that hot modules read.
"""
Rate limits as Envoy says them: actions that make descriptors of requests, and token buckets for descriptors.

Names are those of C{envoy.config.route.v3.RateLimit} and C{envoy.extensions.filters.http.local_ratelimit.v3}.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgegate.model.matching import StringMatch
from edgegate.model.picklable import Picklable

Descriptor = tuple[tuple[bytes, bytes], ...]
"""Keys and values of a request, in the order of the actions that made them."""


class ActionKind(Enum):
    """What an action makes an entry of."""

    REQUEST_HEADERS = "request_headers"
    REMOTE_ADDRESS = "remote_address"
    MASKED_REMOTE_ADDRESS = "masked_remote_address"
    GENERIC_KEY = "generic_key"
    HEADER_VALUE_MATCH = "header_value_match"
    QUERY_PARAMETER_VALUE_MATCH = "query_parameter_value_match"
    SOURCE_CLUSTER = "source_cluster"
    DESTINATION_CLUSTER = "destination_cluster"
    METADATA = "metadata"


@dataclass(frozen=True, slots=True)
class ValueMatch(Picklable):
    """
    A condition on a header or a query parameter (C{envoy.config.route.v3.HeaderMatcher}).

    At most one of C{text}, C{least} with C{end}, and C{present} is given; none: it is there.

    @ivar name: Lower case for headers; C{:path} and the like stand for parts of the request line.
    @ivar least: The value is a number from this on, and below C{end}.
    @ivar present: Whether it is there; L{False}: it is not.
    @ivar missing_is_empty: Whether one that is not there is an empty one.
    """

    name: str
    text: StringMatch | None = None
    least: int | None = None
    end: int = 0
    present: bool = True
    invert: bool = False
    missing_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class Action(Picklable):
    """
    Makes one entry of a descriptor.

    @ivar key: Of the entry.
    @ivar value: Of the entry where nothing else says it; of METADATA the default.
    @ivar name: Of the header; of METADATA the namespace and the path of keys.
    @ivar matches: What has to hold, all together, or where C{expected} is false has not to.
    @ivar skip_if_absent: Whether a header or a value that is not there leaves out the entry, and not the descriptor.
    """

    kind: ActionKind
    key: bytes
    value: bytes = b""
    name: tuple[str, ...] = ()
    matches: tuple[ValueMatch, ...] = ()
    expected: bool = True
    skip_if_absent: bool = False
    ipv4_prefix: int = 32
    ipv6_prefix: int = 128


@dataclass(frozen=True, slots=True)
class TokenBucket(Picklable):
    """
    A bucket that is full at first, and fills all the time (since Envoy 1.31).

    @ivar most: Tokens that it holds.
    @ivar tokens: How many it gets in C{interval} seconds.
    """

    most: int
    tokens: int
    interval: float


@dataclass(frozen=True, slots=True)
class DescriptorBucket(Picklable):
    """
    The bucket of descriptors with these entries, all of them in this order.

    An entry without a value has any: each value has a bucket of its own.
    """

    entries: Descriptor
    bucket: TokenBucket


@dataclass(frozen=True, slots=True)
class LocalRateLimit(Picklable):
    """
    A configuration of the filter C{local_ratelimit}.

    @ivar name: What tells it from all others: each has buckets of its own.
    @ivar enabled: The share of requests that are counted, 0 to 1; C{enforced}: of those that are over the share that is
        refused.
    @ivar always_default: Whether the bucket of all is taken from also where a descriptor has fitted.
    @ivar by_connection: Whether each connection has buckets of its own.
    """

    name: str
    bucket: TokenBucket
    descriptors: tuple[DescriptorBucket, ...] = ()
    enabled: float = 0.0
    enforced: float = 0.0
    always_default: bool = True
    by_connection: bool = False
