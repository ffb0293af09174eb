# Hot path: responses say how limits stand where the policy wants it.
"""
The fields that tell clients of limits.

C{RateLimit-Policy} and C{RateLimit} are those of draft-ietf-httpapi-ratelimit-headers-11, lists of structured fields
(RFC 9651); C{Retry-After} is RFC 9110 section 10.2.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from edgegate.access.rate_limits.limits import Standing
from edgegate.model.guards.rate_limit import RateLimit

Field = tuple[bytes, bytes]


def retry_after(wait: float) -> Field:
    """Return the field that says when to come back."""
    return b"retry-after", b"%d" % max(1, ceil(wait - 0.001))


def standing_fields(standings: Sequence[Standing]) -> list[Field]:
    """Return the fields that say how limits stand, the one with the least left first; nothing where there are none."""
    if not standings:
        return []
    ordered = sorted(standings, key=lambda standing: standing.left)
    policies = b", ".join([policy_item(standing.limit.rule) for standing in ordered])
    levels = b", ".join([_level(standing) for standing in ordered])
    return [(b"ratelimit-policy", policies), (b"ratelimit", levels)]


def policy_item(rule: RateLimit) -> bytes:
    """Return what a limit is: its quota C{q} and its window C{w} in whole seconds."""
    window = max(1, ceil(rule.period))
    quota = int(rule.requests / rule.cost * window / rule.period)
    return b'"%b";q=%d;w=%d' % (rule.name.encode("ascii"), quota, window)


def _level(standing: Standing) -> bytes:
    name = standing.limit.rule.name.encode("ascii")
    return b'"%b";r=%d;t=%d' % (name, standing.left, ceil(standing.reset - 0.001))
