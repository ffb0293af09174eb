# Hot path: three times for each request.
"""Istio's buckets, the same for times and sizes (C{sidecar.istio.io/statsHistogramBuckets}, by default)."""

from __future__ import annotations

from typing import Final

BOUNDS: Final = (
    "0.5",
    "1",
    "5",
    "10",
    "25",
    "50",
    "100",
    "250",
    "500",
    "1000",
    "2500",
    "5000",
    "10000",
    "30000",
    "60000",
    "300000",
    "600000",
    "1800000",
    "3600000",
    "+Inf",
)
"""The upper bounds, as Envoy writes them."""

CANONICAL_BOUNDS: Final = (
    "0.5",
    "1.0",
    "5.0",
    "10.0",
    "25.0",
    "50.0",
    "100.0",
    "250.0",
    "500.0",
    "1000.0",
    "2500.0",
    "5000.0",
    "10000.0",
    "30000.0",
    "60000.0",
    "300000.0",
    "600000.0",
    "1.8e+06",
    "3.6e+06",
    "+Inf",
)
"""The same as OpenMetrics wants them."""

COUNT: Final = 20


def bucket_of(value: int) -> int:  # noqa: PLR0911 (a tree)
    """
    Return which bucket a whole number belongs to, by its place in L{BOUNDS}.

    Comparisons with constants take a fourth of what C{bisect} takes, compiled.
    """
    if value <= 500:
        if value <= 10:
            if value <= 1:
                return 1 if value == 1 else 0
            return 2 if value <= 5 else 3
        if value <= 50:
            return 4 if value <= 25 else 5
        if value <= 100:
            return 6
        return 7 if value <= 250 else 8
    if value <= 10_000:
        if value <= 2_500:
            return 9 if value <= 1_000 else 10
        return 11 if value <= 5_000 else 12
    return _large(value)


def _large(value: int) -> int:
    if value <= 300_000:
        if value <= 30_000:
            return 13
        return 14 if value <= 60_000 else 15
    if value <= 1_800_000:
        return 16 if value <= 600_000 else 17
    return 18 if value <= 3_600_000 else 19
