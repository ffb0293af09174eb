"""
Warmup: endpoints that are new get their share bit by bit (Envoy's slow start mode).

U{https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/slow_start}
"""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.model.clusters import Warmup
from edgegate.upstream.endpoint import EndpointState


def warmth(warmup: Warmup, age: float) -> float:
    """
    Return what of its weight an endpoint gets, up to 1.

    @param age: Seconds.
    """
    if age >= warmup.duration:
        return 1.0
    share = max(age, 0.001) / warmup.duration
    return float(max(share ** (1.0 / max(warmup.aggression, 0.01)), warmup.minimum, 0.001))


def warming(warmup: Warmup, endpoints: Iterable[EndpointState], now: float) -> float:
    """Return the seconds until all endpoints have their whole share; 0 where they are alike already."""
    since = {endpoint.since for endpoint in endpoints}
    if len(since) < 2:
        return 0.0
    return max(max(since) + warmup.duration - now, 0.0)
