# Compiled: values that hot modules compare.
"""
Why a token is refused, in Envoy's words (C{source/common/jwt/status.cc}), and where edgegate is stricter in its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    One reason.

    @ivar text: What the client is told.
    @ivar status: Of HTTP.
    """

    text: str
    status: int = 401

    @property
    def details(self) -> str:
        """Envoy's C{RESPONSE_CODE_DETAILS}."""
        return f"jwt_authn_access_denied{{{self.text.replace(' ', '_')}}}"


class RefusedToken(Exception):
    """A token that lets nobody pass."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.text)
        self.refusal = refusal


MISSING: Final = Refusal("Jwt is missing")
EXPIRED: Final = Refusal("Jwt is expired")
NOT_YET: Final = Refusal("Jwt not yet valid")
BAD_FORM: Final = Refusal("Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections")
TOO_LONG: Final = Refusal("Jwt is too long")
HEADER_BASE64: Final = Refusal("Jwt header is an invalid Base64url encoded")
HEADER_JSON: Final = Refusal("Jwt header is an invalid JSON")
HEADER_ALG: Final = Refusal("Jwt header [alg] field is required and must be a string")
HEADER_ALG_UNKNOWN: Final = Refusal("Jwt header [alg] is not supported")
HEADER_KID: Final = Refusal("Jwt header [kid] field is not a string")
HEADER_CRIT: Final = Refusal("Jwt header [crit] is not supported")
HEADER_B64: Final = Refusal("Jwt header [b64] is not supported")
PAYLOAD_BASE64: Final = Refusal("Jwt payload is an invalid Base64url encoded")
PAYLOAD_JSON: Final = Refusal("Jwt payload is an invalid JSON")
SIGNATURE_BASE64: Final = Refusal("Jwt signature is an invalid Base64url encoded")
ISS_NOT_STRING: Final = Refusal("Jwt payload [iss] field is not a string")
SUB_NOT_STRING: Final = Refusal("Jwt payload [sub] field is not a string")
JTI_NOT_STRING: Final = Refusal("Jwt payload [jti] field is not a string")
AUD_NOT_STRINGS: Final = Refusal("Jwt payload [aud] field is not a string or string list")
UNKNOWN_ISSUER: Final = Refusal("Jwt issuer is not configured")
AUDIENCE: Final = Refusal("Audiences in Jwt are not allowed", 403)
SIGNATURE: Final = Refusal("Jwt verification fails")
NO_KEY: Final = Refusal("Jwks doesn't have key to match kid or alg from Jwt")
NOT_FETCHED: Final = Refusal("Jwks remote fetch is failed")


def not_a_time(claim: str) -> Refusal:
    """Return why a claim that is to be a time is none: it is no number."""
    return Refusal(f"Jwt payload [{claim}] field is not an integer")


def no_time_at_all(claim: str) -> Refusal:
    """Return why a claim that is to be a time is none: it is a number that no clock shows."""
    return Refusal(f"Jwt payload [{claim}] field is not a positive 64 bit integer")
