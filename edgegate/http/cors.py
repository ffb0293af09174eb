"""
Whether pages of other origins may read answers: Istio's C{CorsPolicy}, as Envoy's C{cors} filter does it
(U{https://fetch.spec.whatwg.org/#http-cors-protocol}).
"""

from __future__ import annotations

from edgegate.http.fields import Field
from edgegate.http.request import RequestHead
from edgegate.routing.policies import CORSPolicy

_ALLOW_ORIGIN = b"access-control-allow-origin"
_ALLOW_CREDENTIALS = b"access-control-allow-credentials"


def is_preflight(head: RequestHead) -> bool:
    """Whether a browser asks what it may ask."""
    return head.method == b"OPTIONS" and any(name == b"access-control-request-method" for name, _ in head.fields)


def origin_of(head: RequestHead) -> bytes:
    """Return the origin of the page that asks, or empty."""
    return next((value for name, value in head.fields if name == b"origin"), b"")


def preflight_answer(policy: CORSPolicy, origin: bytes) -> list[Field] | None:
    """
    Return the fields of the answer to a preflight request; L{None}: it is for the backend to answer.

    An origin that is not allowed is told nothing.
    """
    if not policy.allows(origin):
        return None if policy.forward_unmatched else []
    fields = _allowed(policy, origin)
    for name, value in (
        (b"access-control-allow-methods", policy.methods),
        (b"access-control-allow-headers", policy.headers),
        (b"access-control-max-age", policy.max_age),
    ):
        if value:
            fields.append((name, value))
    return fields


def answer_fields(policy: CORSPolicy, origin: bytes) -> list[Field]:
    """Return the fields that let a page of an origin read an answer; none where it may not."""
    if not policy.allows(origin):
        return []
    fields = _allowed(policy, origin)
    if policy.expose:
        fields.append((b"access-control-expose-headers", policy.expose))
    return fields


def _allowed(policy: CORSPolicy, origin: bytes) -> list[Field]:
    """An origin that is allowed only because all are may not bring credentials."""
    fields = [(_ALLOW_ORIGIN, origin)]
    if policy.credentials and policy.names(origin):
        fields.append((_ALLOW_CREDENTIALS, b"true"))
    return fields
