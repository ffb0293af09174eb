# Hot path: each request that shows credentials passes here.
"""What becomes of a request once it is known who asks: credentials go, a name comes."""

from __future__ import annotations

from collections.abc import Collection

from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field, dashed
from edgegate.http.filters.cors import is_preflight, origin_of, preflight_response
from edgegate.http.request import RequestHead
from edgegate.http.selection import route_of
from edgegate.model.routes import HTTPRoute


def spelled_like(fields: Collection[Field], names: Collection[bytes]) -> frozenset[bytes]:
    """
    Return the names of a client's fields that some backends take for one of these: CGI takes C{x_user} for C{x-user}.

    @param names: In lower case.
    """
    meant = {dashed(name) for name in names}
    return frozenset(name for name, _ in fields if dashed(name) in meant)


def with_target(head: RequestHead, target: bytes) -> RequestHead:
    """Return a head that asks for something else; a query may differ, the path does not."""
    changed = head.changed([])
    changed.target = target
    return changed


def answered_without(exchange: Exchange) -> bool:
    """
    Whether a request that shows no credentials gets an answer that says nothing, and that no backend sees.

    It is only sent to https, where it may show them; or a browser only asks what its page may ask, which it does
    without them, and the route itself answers that.
    """
    head = exchange.head
    found = route_of(exchange, exchange.client.trusted_hops)
    if isinstance(found, int):
        return True
    return (
        isinstance(found, HTTPRoute)
        and found.cors is not None
        and is_preflight(head)
        and bool(origin_of(head))
        and preflight_response(found.cors, head) is not None
    )
