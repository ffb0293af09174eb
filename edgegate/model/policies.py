# Compiled: values that hot modules read.
"""
How a route treats its requests: tries again, fails on purpose, copies, answers other origins.

Istio's C{HTTPRetry}, C{HTTPFaultInjection}, C{HTTPMirrorPolicy} and C{CorsPolicy}. Times are in
seconds, shares between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from edgegate.model.matching import StringMatch, text_condition
from edgegate.model.picklable import Picklable

RESETS = frozenset(("5xx", "gateway-error", "reset"))
"""Conditions that hold for every answer that did not come, whatever the reason."""

GRPC_STATUSES = {
    "cancelled": 1,
    "deadline-exceeded": 4,
    "internal": 13,
    "resource-exhausted": 8,
    "unavailable": 14,
}
"""Conditions on C{grpc-status}, with its number."""


@dataclass(frozen=True, slots=True)
class RetryPolicy(Picklable):
    """
    When a request is tried again (Istio's C{HTTPRetry}, Envoy's C{x-envoy-retry-on} and C{x-envoy-retry-grpc-on}).

    The default is Istio's.

    @ivar attempts: Tries after the first, 1 or more.
    @ivar conditions: Envoy's words.
    @ivar statuses: Answers that are tried again, besides.
    @ivar per_try_timeout: From the request being sent to the head of the response; L{None}: no limit of its own.
    @ivar backoff: The longest wait before the first try again; it doubles up to ten times as much.
    @ivar elsewhere: Whether endpoints are preferred that were not tried yet.
    """

    attempts: int = 2
    conditions: frozenset[str] = frozenset(("connect-failure", "refused-stream", "unavailable", "cancelled"))
    statuses: frozenset[int] = frozenset()
    per_try_timeout: float | None = None
    backoff: float = 0.025
    elsewhere: bool = True

    def after_failure(self, unconnected: bool, refused: bool = False) -> bool:
        """
        Whether a try is repeated that had no response.

        @param unconnected: There was no connection: the backend has seen nothing of it.
        @param refused: The backend has said that it did nothing about it.
        """
        conditions = self.conditions
        if refused and "refused-stream" in conditions:
            return True
        if unconnected and ("connect-failure" in conditions or "reset-before-request" in conditions):
            return True
        return not RESETS.isdisjoint(conditions)

    def after_response(self, status: int, grpc_status: bytes = b"", rate_limited: bool = False) -> bool:
        """
        Whether a try is repeated that had this response.

        @param grpc_status: The field, or empty where there is none.
        @param rate_limited: Whether the response has C{x-envoy-ratelimited}.
        """
        conditions = self.conditions
        if rate_limited:
            return "envoy-ratelimited" in conditions
        return (
            ("5xx" in conditions and status >= 500)
            or ("gateway-error" in conditions and 502 <= status <= 504)
            or ("retriable-4xx" in conditions and status == 409)
            or status in self.statuses
            or (
                grpc_status != b""
                and any(word in conditions and grpc_status == b"%d" % code for word, code in GRPC_STATUSES.items())
            )
        )


DEFAULT_RETRIES = RetryPolicy()


@dataclass(frozen=True, slots=True)
class Delay(Picklable):
    """Requests that are held back for a while."""

    seconds: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Abort(Picklable):
    """
    Requests that are answered with an error.

    @ivar grpc_status: What a gRPC client is told; L{None}: what follows from C{status}.
    """

    status: int
    grpc_status: int | None = None
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Faults(Picklable):
    """Failures that are made on purpose; a delay comes first."""

    delay: Delay | None = None
    abort: Abort | None = None


@dataclass(frozen=True, slots=True)
class Mirror(Picklable):
    """Where copies of requests go."""

    cluster: str
    share: float = 1.0


class AllowedOrigins:
    """
    Tells which pages' origins satisfy some conditions.

    What it tells by is made when a request first asks, and stands beside the conditions: it is neither pickled nor
    compared.
    """

    __slots__ = ("_holds", "_origins")

    def __init__(self, origins: tuple[StringMatch, ...]) -> None:
        self._origins = origins
        self._holds: Callable[[bytes], bool] | None = None

    def include(self, origin: bytes) -> bool:
        """Whether pages of an origin may read the responses; where a condition holds for C{*}, those of anyone may."""
        holds = self._holds
        if holds is None:
            self._holds = holds = _any_of([text_condition(each) for each in self._origins])
        return holds(origin)


def _any_of(conditions: list[Callable[[bytes], bool]]) -> Callable[[bytes], bool]:
    if any(holds(b"*") for holds in conditions):
        return lambda origin: True
    return lambda origin: any(holds(origin) for holds in conditions)


@dataclass(frozen=True, slots=True)
class CORSPolicy(Picklable):
    """
    Which other origins may read the responses (Envoy's C{cors} filter).

    @ivar methods: The value of C{access-control-allow-methods}, or empty; so are C{headers}, C{expose}, C{max_age}.
    @ivar forward_unmatched: Whether preflight requests of other origins go to the backend.
    @ivar allowed: Tells which origins they are.
    """

    origins: tuple[StringMatch, ...]
    methods: bytes = b""
    headers: bytes = b""
    expose: bytes = b""
    max_age: bytes = b""
    credentials: bool = False
    forward_unmatched: bool = True
    allowed: AllowedOrigins = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "allowed", AllowedOrigins(self.origins))
