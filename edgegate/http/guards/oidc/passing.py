"""Requests of users who have logged in: what backends get of them, and what their clients keep."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from edgegate.access.jwt.claims import SPLIT_BY_ITSELF, split_claims
from edgegate.access.oidc.claims import claim_fields
from edgegate.access.oidc.session import Session
from edgegate.access.request_parts import without_cookies
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.guards.identified import spelled_like
from edgegate.http.response import ResponseHead
from edgegate.model.guards import jwt
from edgegate.model.guards.oidc import OIDC

METADATA: Final = "edgegate.oidc"

_AUTHORIZATION: Final = b"authorization"
_COOKIE: Final = b"cookie"
_KEPT: Final = "cookies "
"""What stands in front of a policy's name."""
_SAID: Final = "said"
"""Whether the claims that policies see are those of a session."""


class KeptCookies:
    """
    Cookies that the response is to set. Not shown, as they are a session.

    @ivar fields: Of the response.
    """

    __slots__ = ("fields",)

    def __init__(self, fields: list[Field]) -> None:
        self.fields = fields

    def __repr__(self) -> str:
        return "<cookies>"


def token_session(guard: OIDC, exchange: Exchange) -> Session | None:
    """Return what stands for the session of a request with a verified token; L{None}: there is none that counts."""
    if not guard.accept_tokens or exchange.metadata is None:
        return None
    if exchange.metadata.get(METADATA, {}).get(_SAID):
        return None  # the claims are those of another policy's session
    claims = exchange.metadata.get(jwt.METADATA, {}).get(jwt.PAYLOAD)
    return Session("", claims, 0, 0, 0) if isinstance(claims, Mapping) else None


def identify(guard: OIDC, exchange: Exchange, session: Session, own: Collection[bytes]) -> None:
    """
    Tell the backend and all that follows who asks; the session's cookies are not theirs.

    @param own: The names of those.
    """
    claims = split_claims(session.claims, SPLIT_BY_ITSELF)
    exchange.note(METADATA, {"claims": claims})
    if jwt.METADATA not in (exchange.metadata or {}):
        # who shows a token as well is who that says
        exchange.note(jwt.METADATA, {jwt.PAYLOAD: claims})
        exchange.note(METADATA, {_SAID: True})
    told = claim_fields(session.claims, guard.claim_headers)
    names = {header.name for header in guard.claim_headers}
    if guard.forward_token and session.identifier:
        # also where a session has none, as one has that is older than the policy's wish for it
        names.add(_AUTHORIZATION)
        if session.access_token:
            told.append((_AUTHORIZATION, b"Bearer " + session.access_token.encode("ascii")))
    fields = exchange.head.fields
    removed = frozenset((*names, *spelled_like(fields, names), _COOKIE))
    exchange.change_request([*told, *without_cookies(fields, own)], removed)


def keep_cookies(guard: OIDC, exchange: Exchange, cookies: list[Field]) -> None:
    """Have the response set cookies of a policy, besides those of others that the request has met."""
    exchange.note(METADATA, {_KEPT + guard.name: KeptCookies(cookies)})


def response_with_cookies(guard: OIDC, exchange: Exchange, head: ResponseHead) -> ResponseHead:
    """
    Return the head of a response with the cookies of a policy that it is to set; no cache in front is to give it to
    others.
    """
    kept = (exchange.metadata or {}).get(METADATA, {}).get(_KEPT + guard.name)
    if not isinstance(kept, KeptCookies):
        return head
    stored = head.with_set([(b"cache-control", b"no-store")])
    return stored.with_fields([*stored.fields, *kept.fields])
