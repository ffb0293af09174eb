"""How a cluster is spoken to, in a few words: what DestinationRules say of it."""

from __future__ import annotations

from edgegate.model.clusters import ConsistentHash, HashSource, LoadBalancer, OutlierDetection, PoolLimits
from edgegate.model.tls import UpstreamTLS


def balancing(balancer: LoadBalancer) -> str:
    """Return C{LEAST_REQUEST}, or C{hash of cookie user, ring}, and what is done besides."""
    parts = [balancer.simple.value if balancer.hash is None else _hash(balancer.hash)]
    if balancer.warmup is not None:
        parts.append(f"warmup {balancer.warmup.duration:g}s")
    localities = balancer.localities
    if localities is not None:
        given = {"distribute": localities.distribute, "failover": localities.failover or localities.priorities}
        parts.extend(name for name, value in given.items() if value)
    return ", ".join(parts)


def _hash(hashed: ConsistentHash) -> str:
    source = hashed.source.value
    what = source if hashed.source is HashSource.SOURCE_IP else f"{source} {hashed.name}"
    return f"hash of {what}, {'maglev' if hashed.maglev else 'ring'} {hashed.size}"


def limits(pool: PoolLimits) -> list[str]:
    """Return what is limited: C{connections 100}, C{idle 10s}."""
    counts = {
        "connections": pool.connections,
        "pending": pool.pending,
        "requests": pool.requests,
        "requests per connection": pool.requests_per_connection,
        "retries": pool.retries,
    }
    times = {"idle": pool.http_idle, "tcp idle": pool.tcp_idle, "duration": pool.connection_duration}
    return [
        *(f"{name} {count}" for name, count in counts.items() if count is not None),
        *(f"{name} {seconds:g}s" for name, seconds in times.items() if seconds is not None),
    ]


def ejection(outliers: OutlierDetection | None) -> str | None:
    """Return after how many errors in a row an endpoint is left out, and for how long at first."""
    if outliers is None:
        return None
    counts = {
        "5xx": outliers.consecutive_5xx,
        "gateway errors": outliers.consecutive_gateway_errors,
        "local failures": outliers.consecutive_local_failures if outliers.split else 0,
    }
    after = " or ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing"
    return f"after {after} for {outliers.base_ejection:g}s, {outliers.max_ejected:.0%} at most"


def encryption(tls: UpstreamTLS | None) -> str | None:
    """Return the mode as the files say it, and what is asked for and verified; nothing of keys."""
    if tls is None:
        return None
    parts = ["SIMPLE" if tls.credential is None else f"MUTUAL with {tls.credential.name}"]
    if tls.sni:
        parts.append(f"SNI {tls.sni}")
    if not tls.verified:
        parts.append("not verified")
    elif tls.names:
        parts.append(f"for {' or '.join(tls.names)}")
    return ", ".join(parts)
