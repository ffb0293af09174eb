# Hot path: written for each request that a rate limit service is asked about.
"""
The messages of Envoy's rate limit service (C{envoy/service/ratelimit/v3/rls.proto}), as far as they count here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from edgegate.access.rate_limits.descriptors import Descriptor
from edgegate.protobuf.reading import Fields, all_of, bytes_of, message_of, number_of, read
from edgegate.protobuf.writing import bytes_field, number_field, sanitized

METHOD: Final = b"/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"

_OK: Final = 1
_OVER_LIMIT: Final = 2

SECONDS: Final = {1: 1, 2: 60, 3: 3600, 4: 86_400, 5: 2_592_000, 6: 31_536_000, 7: 604_800}
"""Of C{RateLimitResponse.RateLimit.Unit}: second, minute, hour, day, month, year, week."""

Header = tuple[bytes, bytes]


class Quota:
    """
    A limit, as a response tells of it.

    @ivar window: In seconds; C{reset}: seconds until it begins anew.
    """

    __slots__ = ("left", "name", "requests", "reset", "window")

    def __init__(self, requests: int, window: int, name: bytes, left: int, reset: int) -> None:
        self.requests = requests
        self.window = window
        self.name = name
        self.left = left
        self.reset = reset


class ServiceAnswer:
    """
    What a service has answered.

    @ivar quotas: Of the descriptors that have a limit.
    @ivar request_fields: To be added to the request; C{response_fields}: to the response.
    """

    __slots__ = ("body", "over", "quotas", "request_fields", "response_fields")

    def __init__(
        self, over: bool, quotas: list[Quota], response_fields: list[Header], request_fields: list[Header], body: bytes
    ) -> None:
        self.over = over
        self.quotas = quotas
        self.response_fields = response_fields
        self.request_fields = request_fields
        self.body = body


def question(domain: str, descriptors: Iterable[Descriptor]) -> bytes:
    """Return the C{RateLimitRequest} of a request."""
    found = [bytes_field(1, domain.encode())]
    for descriptor in descriptors:
        entries = [bytes_field(1, bytes_field(1, key) + bytes_field(2, sanitized(value))) for key, value in descriptor]
        found.append(bytes_field(2, b"".join(entries)))
    found.append(number_field(3, 1))
    return b"".join(found)


def answer(message: bytes) -> ServiceAnswer:
    """
    Read a C{RateLimitResponse}.

    @raise ValueError: It is none, or says neither yes nor no.
    """
    fields = read(message)
    code = number_of(fields, 1)
    if code not in (_OK, _OVER_LIMIT):
        raise ValueError(f"its overall_code is {code}")
    quotas = [quota for status in all_of(fields, 2) for quota in _quotas(read(status))]
    return ServiceAnswer(code == _OVER_LIMIT, quotas, _headers(fields, 3), _headers(fields, 4), bytes_of(fields, 5))


def _quotas(status: Fields) -> Sequence[Quota]:
    limit = message_of(status, 2)
    if limit is None:
        return ()
    reset = message_of(status, 4)
    window = SECONDS.get(number_of(limit, 2), 0)
    left = number_of(status, 3)
    seconds = 0 if reset is None else number_of(reset, 1)
    return (Quota(number_of(limit, 1), window, bytes_of(limit, 3), left, seconds),)


def _headers(fields: Fields, field: int) -> list[Header]:
    found = []
    for each in all_of(fields, field):
        header = read(each)
        found.append((bytes_of(header, 1).lower(), bytes_of(header, 2)))
    return found


def quota_fields(quotas: Sequence[Quota]) -> list[Header]:
    """
    Return how limits stand as C{DRAFT_VERSION_03} has it: the one that has least left, and then all
    (C{ratelimit_headers.cc}).
    """
    if not quotas:
        return []
    least = min(quotas, key=lambda quota: quota.left)
    policies = []
    for quota in quotas:
        name = b';name="%b"' % quota.name if quota.name else b""
        policies.append(b"%d;w=%d%b" % (quota.requests, quota.window, name))
    return [
        (b"x-ratelimit-limit", b"%d, %b" % (least.requests, b", ".join(policies))),
        (b"x-ratelimit-remaining", b"%d" % least.left),
        (b"x-ratelimit-reset", b"%d" % least.reset),
    ]
