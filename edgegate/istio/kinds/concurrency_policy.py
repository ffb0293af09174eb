"""edgegate's C{ConcurrencyPolicy}: how many requests may be under way at one time, by what they are told apart."""

from __future__ import annotations

from edgegate.istio.kinds.base import DurationOrNone, Spec, UInt32
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.rate_limit_policy import LimitKey, LimitMatch


class ConcurrencyLimit(Spec, frozen=True, kw_only=True):
    """
    So many requests at one time.

    C{by} and C{match} are as in a C{RateLimitPolicy}.
    """

    name: str | None = None
    requests: UInt32
    by: tuple[LimitKey, ...] = ()
    match: LimitMatch | None = None


class CrowdedResponse(Spec, frozen=True, kw_only=True):
    """
    What a request gets that is one too many.

    With C{retryAfter} of 0 it is not told when to come again.
    """

    status: UInt32 | None = None
    body: str | None = None
    content_type: str | None = None
    grpc_resource_exhausted: bool | None = None
    retry_after: DurationOrNone | None = None


class ConcurrencyPolicy(TargetedPolicy, frozen=True, kw_only=True):
    """
    The C{spec} of a ConcurrencyPolicy.

    A request passes where each limit that counts it has room; it counts until its response is whole, or its tunnel
    ends. With C{shadow} all pass, and what would have been refused is only counted.
    """

    limits: tuple[ConcurrencyLimit, ...] = ()
    response: CrowdedResponse | None = None
    shadow: bool | None = None
