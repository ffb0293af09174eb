"""What a token's claims must be, and what is made of them: fields for backends, and what policies ask for."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import Any, Final

from edgegate.access.jwt.refusals import AUDIENCE, EXPIRED, NOT_YET, UNKNOWN_ISSUER, Refusal
from edgegate.access.jwt.token import Token

CLOCK_SKEW: Final = 60
"""Seconds by which clocks may differ (Envoy's C{kClockSkewInSecond})."""

SPLIT_BY_ITSELF: Final = ("scope", "permission")
"""Claims that are lists with blanks between, without a rule that says so (Istio)."""


def check_claims(token: Token, issuer: str, audiences: Collection[str], now: float) -> Refusal | None:
    """
    Return why a token's claims let it not pass, in Envoy's order; L{None}: they do.

    @param issuer: The only one that is believed; empty: any.
    @param audiences: As L{audience} has them, one of which the token must be for; empty: it may be for any.
    @param now: In seconds since 1970.
    """
    claims = token.claims
    if issuer and token.issuer != issuer:
        return UNKNOWN_ISSUER
    if now + CLOCK_SKEW < claims.get("nbf", 0):
        return NOT_YET
    if now > expiry(token):
        return EXPIRED
    if audiences and not any(audience(each) in audiences for each in token.audiences):
        return AUDIENCE
    return None


def expiry(token: Token) -> float:
    """Return until when a token is valid, in seconds since 1970; infinity where it does not say."""
    ends: float = token.claims.get("exp", float("inf"))
    return ends + CLOCK_SKEW


def audience(text: str) -> str:
    """Return an audience as they are compared: without a scheme of HTTP, and without one slash at the end."""
    for scheme in ("https://", "http://"):
        if text.startswith(scheme):
            text = text[len(scheme) :]
            break
    return text[:-1] if text.endswith("/") else text


def split_claims(claims: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """Return claims of which those of some names are lists, where they were texts with blanks between."""
    split = dict(claims)
    for name in names:
        value = split.get(name)
        if isinstance(value, str):
            split[name] = [part for part in value.split(" ") if part]
    return split


def field_value(claim: Any) -> bytes | None:
    """
    Return a claim as the value of a field (Envoy's C{claim_to_headers}); L{None}: there is none, or it can be none.

    A text with control characters is none: a backend could read two fields in it.
    """
    if claim is None:
        return None
    if isinstance(claim, bool):
        return b"true" if claim else b"false"
    if isinstance(claim, (dict, list)):
        return b64encode(json.dumps(claim, ensure_ascii=False, separators=(",", ":")).encode())
    text = claim if isinstance(claim, str) else _number(claim)
    value = text.encode()
    return value if value and not any(byte < 32 or byte == 127 for byte in value) and value.strip() == value else None


def _number(number: float) -> str:
    """Return an integer without a point, and all else as C's printf has it."""
    if isinstance(number, int) or (number.is_integer() and abs(number) < 1 << 64):
        return str(int(number))
    return f"{number:f}"
