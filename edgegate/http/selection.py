# Hot path: finds what the files say of each request.
"""
What of the Snapshot a request selects: a route, or why there is none.

Pure, and the one place where it is decided: the gateway asks it for each request, and C{edgegate explain} for those
that it is asked about.
"""

from __future__ import annotations

from edgegate.errors import MISDIRECTED, NO_ROUTE, SCHEME_MISMATCH, Fault
from edgegate.http.exchange import Exchange
from edgegate.http.request import RequestHead
from edgegate.model.guards.guard import Guards
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.matching import Request
from edgegate.routing.snapshot import FilterChain, VirtualHost


def selected(
    downstream: ConnectionInfo, head: RequestHead, request: Request, trusted_hops: int
) -> HTTPRoute | Fault | int:
    """
    Find the route of a request: that of its virtual host in the filter chain that it belongs to; see L{owner}.

    @param request: What the conditions of routes are asked about.
    @return: Where no route takes it, with what it is answered, or the port of the https URL that it is sent to.
    """
    if head.special and head.path != b"*" and request.scheme != b"https":
        return SCHEME_MISMATCH
    chain = owner(downstream, head.host) if downstream.tls else downstream.chain
    if chain is None:
        return MISDIRECTED
    assert chain.http is not None
    found = chain.http.lookup(head.host)
    if found is None:
        return NO_ROUTE
    port = found.redirect_port
    # behind a trusted proxy that ends TLS the client has followed the redirect already
    if port is not None and not (trusted_hops and request.scheme == b"https"):
        return port
    route = found.selector.select(request)
    if route is None or (head.special and head.path == b"*" and not _names_a_path(route)):
        return NO_ROUTE
    return route


def route_of(exchange: Exchange, trusted_hops: int) -> HTTPRoute | Fault | int:
    """Find the route of an exchange, whose guards may have changed what is sent on; see L{selected}."""
    head, asked = exchange.head, exchange.route_head
    if asked is None:
        return selected(exchange.connection, head, exchange, trusted_hops)
    exchange.replace_head(asked)
    try:
        return selected(exchange.connection, asked, exchange, trusted_hops)
    finally:
        exchange.replace_head(head)


def _names_a_path(route: HTTPRoute) -> bool:
    """Whether a route asks for a path. In Istio one that does not takes those that begin with a slash: not C{*}."""
    return any(match.uri is not None for match in route.matches)


def virtual_host(downstream: ConnectionInfo, host: str) -> VirtualHost | None:
    """Return the virtual host of a request for a host; L{None} where there is none, or another server's alone."""
    chain = owner(downstream, host)
    return None if chain is None or chain.http is None else chain.http.lookup(host)


def guards_of(downstream: ConnectionInfo, host: str) -> Guards:
    """
    Return what a request for a host meets before its route is looked for, on a connection whose chain is C{guarded}.

    A misdirected one meets nothing: it is answered 421, so that its client may come by another connection.
    """
    chain = owner(downstream, host)
    if chain is None or chain.http is None:
        return ()
    found = chain.http.lookup(host)
    return chain.guards if found is None else found.guards


def owner(downstream: ConnectionInfo, host: str) -> FilterChain | None:
    """
    Find the filter chain that a request for a host belongs to; L{None}: it is misdirected.

    Over TLS the host must belong to the server that the SNI name chose. One of
    another server on the same port is served where both have the same TLS
    rules (browsers use one connection for all names that its certificate
    covers), and is misdirected (RFC 9110 section 15.5.20) where they differ:
    else a client could pass by the certificate that its host demands.
    """
    chain = downstream.chain
    if not downstream.tls:
        return chain
    found = downstream.listener.secure.lookup(host)
    if found is None or found is chain:
        return chain
    if found.http is None or found.tls is None or chain.tls is None or found.tls.rules != chain.tls.rules:
        return None
    return found
