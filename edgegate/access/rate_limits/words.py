"""What is told of limits that would count a request."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.access.rate_limits.conditions import condition_of
from edgegate.access.rate_limits.keys import LimitedRequest, key_of
from edgegate.model.guards.rate_limit import RateLimitGuard

_SHOWN = 80


def counting(guard: RateLimitGuard, request: LimitedRequest) -> Iterator[str]:
    """Yield in words which limits would count a request, and by which key."""
    for limit in guard.limits:
        holds = condition_of(limit.match)
        if holds is not None and not holds(request):
            continue
        key = key_of(limit.by).of(request)
        if key is not None:
            what = shown_key(key, single=len(limit.by) == 1) if limit.by else "all together"
            yield f"{limit.name} counts {what}: {limit.requests} in {limit.period:g} s"


def shown_key(key: bytes, single: bool) -> str:
    """Return a key as it can be read: of one part without its mark."""
    if not key:
        return "those without it"
    text = (key[1:] if single and key[:1] in (b"=", b"@") else key).decode("utf-8", "backslashreplace")
    text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
