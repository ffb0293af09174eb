"""
Whether pages of other origins may read answers: Istio's C{CorsPolicy}, as Envoy's C{cors} filter does it
(U{https://fetch.spec.whatwg.org/#http-cors-protocol}).
"""

from __future__ import annotations

from zope.interface import implementer

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import ChainFilter, FilterStatus, HTTPFilter, IHTTPFilterFactory
from edgegate.http.request import RequestHead
from edgegate.http.response import ResponseHead
from edgegate.model.policies import CORSPolicy
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import FilterChain

_REQUEST_METHOD = b"access-control-request-method"
_REQUEST_HEADERS = b"access-control-request-headers"


ANSWERED = "cors_response"
"""What the access log says of a preflight request that is answered here (Envoy)."""


class CORSFilter(HTTPFilter):
    """Answers preflight requests, and says in other responses which pages may read them."""

    __slots__ = ("_policy",)

    name = "cors"

    def __init__(self, policy: CORSPolicy) -> None:
        self._policy = policy

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Answer where a browser only asks what it may ask."""
        head = exchange.head
        if is_preflight(head) and origin_of(head):
            fields = preflight_response(self._policy, head)
            if fields is not None:
                exchange.reply(200, fields, b"", ANSWERED)
                return FilterStatus.STOP
        return FilterStatus.CONTINUE

    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Say who may read it, in place of what it says of that itself."""
        origin = origin_of(exchange.head)
        fields = response_fields(self._policy, origin) if origin else []
        return head.with_set(fields) if fields else head


class _Chain(ChainFilter):
    __slots__ = ()

    def for_route(self, route: HTTPRoute) -> HTTPFilter | None:
        """Return the filter of a route that has a policy."""
        return None if route.cors is None else CORSFilter(route.cors)


@implementer(IHTTPFilterFactory)
class CORSFilterFactory:
    """Makes it for every chain."""

    name = CORSFilter.name

    def make(self, chain: FilterChain, environment: HTTPEnvironment) -> ChainFilter:
        """See L{IHTTPFilterFactory.make}."""
        return _Chain()


def is_preflight(head: RequestHead) -> bool:
    """Whether a browser asks what it may ask."""
    return head.method == b"OPTIONS" and _all(head, _REQUEST_METHOD) != b""


def origin_of(head: RequestHead) -> bytes:
    """Return the origin of the page that asks, or empty; two of them are none that is allowed."""
    return _all(head, b"origin")


def preflight_response(policy: CORSPolicy, head: RequestHead) -> list[Field] | None:
    """
    Return the fields of the answer to a preflight request; L{None}: it is for the backend to answer.

    An origin that is not allowed is not named, so its page may do nothing,
    whatever the other fields say.
    """
    origin = origin_of(head)
    allowed = policy.allowed.include(origin)
    if not allowed and policy.forward_unmatched:
        return None
    told = (
        (b"access-control-allow-origin", origin if allowed else b""),
        (b"access-control-allow-credentials", b"true" if policy.credentials else b""),
        (b"access-control-allow-methods", _all(head, _REQUEST_METHOD) if policy.methods == b"*" else policy.methods),
        (b"access-control-allow-headers", _all(head, _REQUEST_HEADERS) if policy.headers == b"*" else policy.headers),
        (b"access-control-max-age", policy.max_age),
        (b"access-control-expose-headers", policy.expose if allowed else b""),
    )
    return [field for field in told if field[1]]


def response_fields(policy: CORSPolicy, origin: bytes) -> list[Field]:
    """Return the fields that let a page of an origin read a response; none where it may not."""
    if not policy.allowed.include(origin):
        return []
    fields = [(b"access-control-allow-origin", origin)]
    if policy.credentials:
        fields.append((b"access-control-allow-credentials", b"true"))
    if policy.expose:
        fields.append((b"access-control-expose-headers", policy.expose))
    return fields


def _all(head: RequestHead, name: bytes) -> bytes:
    """Return the value of a header, of several fields all, joined; empty where there is none."""
    return b",".join(value.rstrip(b" \t") for key, value in head.fields if key == name)
