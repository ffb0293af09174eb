# Hot path: copies each request of routes that have mirrors.
"""Which copies of a request are made: those of its route's mirrors, as far as shares and limits let."""

from __future__ import annotations

from twisted.logger import Logger

from edgegate.errors import Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.router.request_headers import connection_options_of, shadow_head
from edgegate.http.router.shadow import Shadow
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.tracing import trace_shadow
from edgegate.model.actions import RequestChanges
from edgegate.model.routes import HTTPRoute

log = Logger(namespace=__name__)


def shadows_of(
    request: UpstreamCallbacks,
    exchange: Exchange,
    route: HTTPRoute,
    changes: RequestChanges | None,
    environment: HTTPEnvironment,
) -> list[Shadow]:
    """
    Begin the copies of a request, as many as its route's mirrors and the gateway's limit on them let.

    A request for an upgrade has none: what it is about follows in the tunnel.

    @param request: What is sent of it.
    @param changes: Those that are in it.
    """
    found: list[Shadow] = []
    if exchange.head.upgrade:
        return found
    for mirror in route.mirrors:
        if mirror.share < 1 and environment.random.random() >= mirror.share:
            continue
        cluster = exchange.clusters.get(mirror.cluster)
        if cluster is None or len(environment.shadows) >= environment.limits.shadows:
            continue
        try:
            if cluster.hosts is not None:
                named = cluster.hosts.of(request.head.host)
                if isinstance(named, Fault):
                    continue
                cluster = named
            transport_socket = cluster.transport_socket
            shares = cluster.shares(exchange.head.version == "2")
            # the name in its certificate is the request's: a mirror is none by the name of its copies
            options = None
            if transport_socket is not None:
                options = connection_options_of(transport_socket, exchange, request, shares)
            head = shadow_head(request, exchange, changes, environment.shadow_hosts)
            shadow = Shadow(environment, cluster, head, route.timeout, options, shares)
        except Exception:
            log.failure("a copy of a request could not be made")
            continue
        if exchange.trace is not None:
            trace_shadow(shadow, exchange.trace, cluster.name, environment.observer.tracer)
        shadow.start()
        found.append(shadow)
    return found
