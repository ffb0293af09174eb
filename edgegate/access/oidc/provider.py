"""
What a provider says of itself and of its users: metadata (OpenID Connect Discovery 1.0), answers of its token endpoint
(OpenID Connect Core 1.0 section 3.1.3) and id tokens (section 3.1.3.7).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

from edgegate.access.jwt.claims import CLOCK_SKEW
from edgegate.access.jwt.json_object import json_object
from edgegate.access.jwt.key_set import KeySet
from edgegate.access.jwt.refusals import RefusedToken
from edgegate.access.jwt.token import Token, parse

LONGEST_TOKEN: Final = 16 << 10
"""Bytes of any token."""
_LONGEST_URL: Final = 2_048
_LEAST_LIFE: Final = 10
_MOST_LIFE: Final = 400 * 86_400

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"


class BadProvider(ValueError):
    """A provider says what can't be used. The message repeats no token."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """
    Where a provider is asked.

    @ivar end_session: Where clients log out; empty: nowhere.
    @ivar revocation: Where tokens are given back (RFC 7009); empty: nowhere.
    @ivar posts_secret: Whether the client's secret goes into the body, and not into a field.
    @ivar says_issuer: Whether its answers through the client always say who it is (RFC 9207).
    """

    authorization: str
    token: str
    keys: str
    end_session: str = ""
    revocation: str = ""
    posts_secret: bool = False
    says_issuer: bool = False


def parse_metadata(data: bytes, issuer: str) -> Metadata:
    """
    Read the metadata of an issuer.

    @raise BadProvider: They are another one's, or can't be used.
    """
    said = _object(data)
    if said.get("issuer") != issuer:
        raise BadProvider("its metadata are another issuer's")
    secure = issuer.startswith("https:")
    authorization, token = (_url(said, f"{name}_endpoint", secure) for name in ("authorization", "token"))
    keys = _url(said, "jwks_uri", secure)
    end, revocation = (
        _url(said, f"{name}_endpoint", secure) if said.get(f"{name}_endpoint") else ""
        for name in ("end_session", "revocation")
    )
    ways = said.get("code_challenge_methods_supported")
    if isinstance(ways, list) and "S256" not in ways:
        raise BadProvider("it does not know PKCE with S256")
    methods = said.get("token_endpoint_auth_methods_supported")
    posts = isinstance(methods, list) and BASIC not in methods and POST in methods
    says_issuer = said.get("authorization_response_iss_parameter_supported") is True
    return Metadata(authorization, token, keys, end, revocation, posts, says_issuer)


@dataclass(frozen=True, slots=True)
class Tokens:
    """
    What a token endpoint gives.

    @ivar lasts: Seconds that the access token is good for; 0: it does not say.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    identity: str = field(repr=False)
    lasts: int = 0


class Refused(Exception):
    """
    A token endpoint refuses a code or a refresh token.

    @ivar error: Of OAuth, such as C{invalid_grant}.
    """

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


def parse_tokens(status: int, data: bytes) -> Tokens:
    """
    Read the answer of a token endpoint.

    @raise Refused: It gives none.
    @raise BadProvider: It answers what is none.
    """
    if status >= 500 or status in (408, 429):
        raise BadProvider(f"its token endpoint answers {status}")
    said = _object(data)
    if status != 200:
        error = said.get("error")
        raise Refused(error if isinstance(error, str) and error.isascii() and error.isprintable() else str(status))
    kind = said.get("token_type")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise BadProvider("it gives no bearer token")
    lasts = said.get("expires_in", 0)
    if isinstance(lasts, str) and lasts.isdecimal():
        lasts = int(lasts)
    if isinstance(lasts, bool) or not isinstance(lasts, int) or not 0 <= lasts <= _MOST_LIFE:
        raise BadProvider("its expires_in is none")
    access, refresh, own = (_token(said, name) for name in ("access_token", "refresh_token", "id_token"))
    return Tokens(access, refresh, own, lasts)


def token_request(
    metadata: Metadata, client: str, secret: bytes, asked: Mapping[str, str]
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """
    Return fields and body of a request to the token endpoint (RFC 6749 section 2.3.1).

    @param secret: Empty: the client has none, and only PKCE proves who asks.
    """
    body = dict(asked)
    fields = [(b"content-type", b"application/x-www-form-urlencoded"), (b"accept", b"application/json")]
    if secret and not metadata.posts_secret:
        pair = b"%b:%b" % (quote_plus(client).encode(), quote_plus(secret).encode())
        fields.append((b"authorization", b"Basic " + b64encode(pair)))
    else:
        body["client_id"] = client
        if secret:
            body["client_secret"] = secret.decode()
    return fields, urlencode(body).encode()


def identity(
    token: str, keys: KeySet, issuer: str, client: str, nonce: str | None, now: float
) -> Mapping[str, Any] | None:
    """
    Return the claims of an id token (section 3.1.3.7).

    @param nonce: What was sent with the login; L{None}: the tokens were refreshed, and it need not be said again.
    @return: L{None}: the key is not among those that are known.
    @raise BadProvider: It lets nobody in.
    """
    try:
        parsed = parse(token.encode("ascii", "replace"))
    except RefusedToken as refused:
        raise BadProvider(f"its id token is none: {refused}") from None
    _check_identity(parsed, issuer, client, now)
    if nonce is not None:
        said = parsed.claims.get("nonce")
        if not isinstance(said, str) or not compare_digest(said.encode(), nonce.encode()):
            raise BadProvider("its id token is for another login")
    refusal = keys.verify(parsed)
    if refusal is None:
        return parsed.claims
    if not keys.knows(parsed.kid):
        return None
    raise BadProvider(f"its id token is not signed by its keys: {refusal.text}")


def lasts_until(tokens: Tokens, claims: Mapping[str, Any], now: float) -> int:
    """Return until when tokens are good: as the access token says, or where it does not, the id token."""
    lasts = tokens.lasts or claims.get("exp", now) - now
    return int(now + min(max(lasts, _LEAST_LIFE), _MOST_LIFE))


def _check_identity(token: Token, issuer: str, client: str, now: float) -> None:
    claims = token.claims
    if token.issuer != issuer:
        raise BadProvider("its id token is another issuer's")
    if client not in token.audiences:
        raise BadProvider("its id token is for another client")
    authorized = claims.get("azp")
    if authorized is not None and authorized != client:
        raise BadProvider("its id token was given to another client")
    if authorized is None and len(token.audiences) > 1:
        raise BadProvider("its id token is for several clients, and does not say whose it is")
    if not token.claims.get("sub") or "exp" not in claims or "iat" not in claims:
        raise BadProvider("its id token has no sub, exp or iat")
    if now > claims["exp"] + CLOCK_SKEW:
        raise BadProvider("its id token is expired")
    if claims["iat"] > now + CLOCK_SKEW or claims.get("nbf", 0) > now + CLOCK_SKEW:
        raise BadProvider("its id token is not valid yet: do the clocks agree?")


def _object(data: bytes) -> dict[str, Any]:
    try:
        return json_object(data)
    except ValueError:
        raise BadProvider("it answers no object of JSON") from None


def _url(said: Mapping[str, Any], name: str, secure: bool) -> str:
    """Return a URL; an issuer that is asked by https sends nobody anywhere in the clear."""
    url = said.get(name)
    if isinstance(url, str) and len(url) <= _LONGEST_URL and url.isascii() and url.isprintable() and " " not in url:
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if (
            parts.hostname
            and not parts.fragment
            and (parts.scheme == "https" or (parts.scheme == "http" and not secure))
        ):
            return url
    raise BadProvider(f"its {name} is none")


def _token(said: Mapping[str, Any], name: str) -> str:
    token = said.get(name, "")
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable():
        raise BadProvider(f"its {name} is none")
    return token
