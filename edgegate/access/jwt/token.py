"""
The form of a token: a JWS in compact form (RFC 7515 section 7.1) whose payload is a set of claims.

Nothing is believed of it here. What its header says of keys (C{jwk}, C{jku}, C{x5u}, C{x5c}) is never looked at: keys
are those of the rule alone.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any, Final

from edgegate.access.jwt.json_object import json_object
from edgegate.access.jwt.refusals import (
    AUD_NOT_STRINGS,
    BAD_FORM,
    HEADER_ALG,
    HEADER_ALG_UNKNOWN,
    HEADER_B64,
    HEADER_BASE64,
    HEADER_CRIT,
    HEADER_JSON,
    HEADER_KID,
    ISS_NOT_STRING,
    JTI_NOT_STRING,
    PAYLOAD_BASE64,
    PAYLOAD_JSON,
    SIGNATURE_BASE64,
    SUB_NOT_STRING,
    TOO_LONG,
    Refusal,
    RefusedToken,
    no_time_at_all,
    not_a_time,
)

LONGEST: Final = 16 << 10
"""Bytes of a token."""

ALGORITHMS: Final = frozenset(
    (
        *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
        *("ES256", "ES384", "ES512", "EdDSA", "HS256", "HS384", "HS512"),
    )
)
"""What a token may be signed by: never C{none}."""

_LAST_TIME: Final = 1 << 62
"""Seconds since 1970 up to which a time is one."""

_STRINGS: Final = (("iss", ISS_NOT_STRING), ("sub", SUB_NOT_STRING), ("jti", JTI_NOT_STRING))


@dataclass(frozen=True, slots=True)
class Token:
    """
    A token that has the form of one.

    @ivar kid: By which its key is called; empty: it does not say.
    @ivar payload: The claims as they stand in the token: base64url without padding.
    @ivar signed: What the signature is of.
    """

    algorithm: str
    kid: str
    claims: dict[str, Any] = field(repr=False)
    payload: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def issuer(self) -> str:
        """C{iss}, or empty."""
        issuer: str = self.claims.get("iss", "")
        return issuer

    @property
    def audiences(self) -> list[str]:
        """C{aud} as a list."""
        audiences = self.claims.get("aud", [])
        return [audiences] if isinstance(audiences, str) else audiences


def parse(token: bytes) -> Token:
    """
    Read a token.

    @raise RefusedToken: It is none.
    """
    if len(token) > LONGEST:
        raise RefusedToken(TOO_LONG)
    parts = token.split(b".")
    if len(parts) != 3 or not all(parts):
        raise RefusedToken(BAD_FORM)
    header = _object(_bytes(parts[0], HEADER_BASE64), HEADER_JSON)
    algorithm, kid = _signer(header)
    claims = _object(_bytes(parts[1], PAYLOAD_BASE64), PAYLOAD_JSON)
    _check_claims(claims)
    signature = _bytes(parts[2], SIGNATURE_BASE64)
    return Token(algorithm, kid, claims, parts[1], token[: -len(parts[2]) - 1], signature)


def _signer(header: dict[str, Any]) -> tuple[str, str]:
    """Return a header's algorithm and key; what it says to be critical nobody here understands (section 4.1.11)."""
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if not isinstance(algorithm, str):
        raise RefusedToken(HEADER_ALG)
    if algorithm not in ALGORITHMS:
        raise RefusedToken(HEADER_ALG_UNKNOWN)
    if not isinstance(kid, str):
        raise RefusedToken(HEADER_KID)
    if "crit" in header:
        raise RefusedToken(HEADER_CRIT)
    if header.get("b64", True) is not True:
        # RFC 7797: the payload would stand there as it is
        raise RefusedToken(HEADER_B64)
    return algorithm, kid


def _check_claims(claims: dict[str, Any]) -> None:
    for name, refusal in _STRINGS:
        if not isinstance(claims.get(name, ""), str):
            raise RefusedToken(refusal)
    for name in ("iat", "nbf", "exp"):
        seconds = claims.get(name, 0)
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise RefusedToken(not_a_time(name))
        if not 0 <= seconds <= _LAST_TIME:
            raise RefusedToken(no_time_at_all(name))
    audiences = claims.get("aud", "")
    if not isinstance(audiences, str) and not (
        isinstance(audiences, list) and all(isinstance(each, str) for each in audiences)
    ):
        raise RefusedToken(AUD_NOT_STRINGS)


def _object(data: bytes, refusal: Refusal) -> dict[str, Any]:
    try:
        return json_object(data)
    except ValueError:
        raise RefusedToken(refusal) from None


def _bytes(text: bytes, refusal: Refusal) -> bytes:
    try:
        return base64url(text)
    except ValueError:
        raise RefusedToken(refusal) from None


def base64url(text: bytes) -> bytes:
    """
    Decode base64url as RFC 7515 section 2 has it: no padding, and one spelling for each value (RFC 4648 section 3.5).

    @raise ValueError: It is something else.
    """
    if _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise ValueError("not base64url")
    decoded = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    last = decoded[len(decoded) - len(decoded) % 3 :]
    if last and urlsafe_b64encode(last).rstrip(b"=")[-1:] != text[-1:]:
        raise ValueError("bits behind the end")
    return decoded


_BASE64URL: Final = re.compile(rb"[A-Za-z0-9_-]+")
