"""edgegate's C{RateLimitPolicy}: how often requests may pass, by what they are told apart, and who counts them."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar

from edgegate.istio.kinds.base import Duration, OneOf, Spec, UInt32
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.redis import Redis


class WhenAbsent(Enum):
    """
    What becomes of a request without what a limit tells apart.

    C{Shared}: all of them count together; C{ClientAddress}: each counts for its client's address; C{Skip}: the limit
    does not count it.
    """

    SHARED = "Shared"
    CLIENT_ADDRESS = "ClientAddress"
    SKIP = "Skip"


class FailureMode(Enum):
    """
    What becomes of requests while Redis can't be asked.

    C{Open}: they pass; C{Closed}: they are refused; C{Local}: each gateway counts for itself.
    """

    OPEN = "Open"
    CLOSED = "Closed"
    LOCAL = "Local"


class ClientAddress(Spec, frozen=True, kw_only=True):
    """The trusted client address: bits of it that count, 32 of IPv4 and 64 of IPv6 unless they are given."""

    ipv4_prefix_length: UInt32 | None = None
    ipv6_prefix_length: UInt32 | None = None


class RequestHost(Spec, frozen=True, kw_only=True):
    """The host that is asked for, without its port."""


class RequestIdentity(Spec, frozen=True, kw_only=True):
    """Who the client is, as a policy before has found out: issuer and subject of a token, a user, or a key's client."""


class LimitKey(OneOf, frozen=True, kw_only=True):
    """
    What requests are told apart by: exactly one of these, and C{absent}.

    C{claim} is of a verified token, with a dot between the names of nested ones. C{path} is a template: requests are
    told apart by what stands for its C{{*}}, or where it has none by the whole path.
    """

    one_of: ClassVar[tuple[str, ...]] = ("client_address", "identity", "header", "cookie", "claim", "host", "path")

    client_address: ClientAddress | None = None
    identity: RequestIdentity | None = None
    header: str | None = None
    cookie: str | None = None
    claim: str | None = None
    host: RequestHost | None = None
    path: str | None = None
    absent: WhenAbsent | None = None


class MatchedHeader(Spec, frozen=True, kw_only=True):
    """A header that is there, or that has one of some values."""

    name: str
    values: tuple[str, ...] = ()


class LimitMatch(Spec, frozen=True, kw_only=True):
    """
    Which requests a limit counts: those for which all that is given holds.

    Values are exact, C{prefix*} or C{*suffix}; paths also templates with C{{*}} and C{{**}}.
    """

    methods: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    not_paths: tuple[str, ...] = ()
    headers: tuple[MatchedHeader, ...] = ()


class Limit(Spec, frozen=True, kw_only=True):
    """
    So many requests in so much time.

    C{burst} is how many may pass at once after a rest; all of C{requests} unless it is given.
    """

    name: str | None = None
    requests: UInt32
    period: Duration
    burst: UInt32 | None = None
    by: tuple[LimitKey, ...] = ()
    match: LimitMatch | None = None
    cost: UInt32 | None = None


class LimitedResponse(Spec, frozen=True, kw_only=True):
    """What a request gets that is one too many."""

    status: UInt32 | None = None
    body: str | None = None
    content_type: str | None = None
    grpc_resource_exhausted: bool | None = None


class GlobalLimits(Spec, frozen=True, kw_only=True):
    """Who counts, for all gateways that ask the same Redis for the same policy."""

    redis: Redis
    on_failure: FailureMode | None = None
    timeout: Duration | None = None
    key_prefix: str | None = None


class RateLimitPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of a RateLimitPolicy.

    A request passes where none of the limits that count it is over; one that is refused counts nowhere. With C{shadow}
    all pass, and what would have been refused is only counted. With C{rateLimitHeaders} responses say how limits stand.
    """

    limits: tuple[Limit, ...] = ()
    response: LimitedResponse | None = None
    shadow: bool | None = None
    rate_limit_headers: bool | None = None
    global_: GlobalLimits | None = None
