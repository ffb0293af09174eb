# Hot path: asked for each request of clusters that hash.
"""
What of a request tells to which endpoint it belongs (Istio's C{ConsistentHashLB}, Envoy's C{hash_policy}).

Requests that have nothing of the kind go anywhere.
"""

from __future__ import annotations

from random import Random

from edgegate.access.request_parts import cookies
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.model.clusters import ConsistentHash, HashSource, LoadBalancer
from edgegate.routing.matching import first_params
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.balancing.original_dst import destination_key


def request_key(exchange: Exchange, balancer: LoadBalancer, random: Random) -> int | None:
    """
    Return the key of a request, or L{None} where it has none.

    A cookie that is missing is made, where it is to be: then it is in the exchange's C{cookie} for the response.
    """
    rule = balancer.hash
    if rule is None:
        return destination_key(exchange.connection.local)
    source = rule.source
    if source is HashSource.SOURCE_IP:
        value: bytes | None = exchange.stream.client.external(exchange.head)
    elif source is HashSource.HEADER:
        value = header(exchange, rule.name.encode("latin-1"))
    elif source is HashSource.QUERY_PARAMETER:
        value = first_params(exchange.query).get(rule.name.encode())
    else:
        value = next(cookies(exchange.head.fields, rule.name.encode("latin-1")), None)
        if not value and rule.cookie_ttl is not None:
            value = b"%016x" % random.getrandbits(64)
            exchange.cookie = set_cookie(rule, value)
    return hash64(value) if value else None


def header(exchange: Exchange, name: bytes) -> bytes | None:
    """Return the values of a field, sorted, as Envoy does: their order says nothing."""
    values = sorted(value for key, value in exchange.headers if key == name)
    return b",".join(values) if values else None


def set_cookie(rule: ConsistentHash, value: bytes) -> FieldBlock:
    """Return what gives a client its cookie (RFC 6265 section 4.1)."""
    parts = [b"%b=%b" % (rule.name.encode("latin-1"), value)]
    if rule.cookie_ttl:
        parts.append(b"Max-Age=%d" % max(int(rule.cookie_ttl), 1))
    if rule.cookie_path:
        parts.append(b"Path=%b" % _clean(rule.cookie_path))
    for name, given in rule.cookie_attributes:
        parts.append(b"%b=%b" % (_clean(name), _clean(given)) if given else _clean(name))
    parts.append(b"HttpOnly")
    return FieldBlock((b"set-cookie", b"; ".join(parts)))


def _clean(text: str) -> bytes:
    """What can't stand in an attribute is left out, so that no file can say another field."""
    return "".join(letter for letter in text if letter.isprintable() and letter != ";").encode()
