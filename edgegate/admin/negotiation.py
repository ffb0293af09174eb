"""What a client wants, by its C{Accept} and C{Accept-Encoding} (RFC 9110 section 12)."""

from __future__ import annotations

import re
from typing import Final

_OPEN_METRICS = "application/openmetrics-text"
_PLAIN = "text/plain"

_QUALITY: Final = re.compile(r"[01](\.[0-9]{0,3})?")
"""RFC 9110 section 12.4.2, where 1.5 is no quality: it counts as 1."""


def wants_open_metrics(accept: str) -> bool:
    """Whether OpenMetrics is asked for by name, and plain text no more than it."""
    wanted = qualities(accept)
    return wanted.get(_OPEN_METRICS, 0.0) > 0.0 and wanted[_OPEN_METRICS] >= wanted.get(_PLAIN, 0.0)


def wants_gzip(accept_encoding: str) -> bool:
    """Whether gzip is asked for by name."""
    return qualities(accept_encoding).get("gzip", 0.0) > 0.0


def qualities(field: str) -> dict[str, float]:
    """Return what a field lists, with how much it is wanted: the most where it is there twice; 0: not at all."""
    found: dict[str, float] = {}
    for each in field.split(","):
        name, *parameters = (part.strip() for part in each.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                quality = _quality(value.strip())
        if name:
            found[name.lower()] = max(quality, found.get(name.lower(), 0.0))
    return found


def _quality(text: str) -> float:
    return min(float(text), 1.0) if _QUALITY.fullmatch(text) else 0.0
