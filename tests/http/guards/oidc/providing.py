"""A provider of OpenID Connect that answers when the test says so."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.jwk import RSAKey
from twisted.internet.defer import Deferred

from edgegate.model.guards.oidc import OIDC, OIDCClient
from tests.http.conversation import ORIGIN

ISSUER = "https://id.example"
NOW = 1_000_000.0
KEY = RSAKey.generate_key(2048, {"kid": "one"})
NEW_KEY = RSAKey.generate_key(2048, {"kid": "two"})
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize",
    "token_endpoint": ISSUER + "/token",
    "jwks_uri": ISSUER + "/keys",
    "end_session_endpoint": ISSUER + "/end",
    "revocation_endpoint": ISSUER + "/revoke",
}
SAYS = OIDCClient(ISSUER, "me", b"secret", ("openid",))


def guard(**what: Any) -> OIDC:
    """Return a policy."""
    return OIDC("default/login", ORIGIN, SAYS, what.pop("cookie_keys", (bytes(32),)), **what)


def keys(*found: RSAKey) -> bytes:
    """Return a key set."""
    return json.dumps({"keys": [key.as_dict(private=False) for key in found]}).encode()


def tokens(now: float, nonce: str | None, key: RSAKey = KEY, **claims: Any) -> tuple[int, bytes]:
    """Return what a token endpoint answers."""
    said = {"iss": ISSUER, "sub": "ali", "aud": "me", "iat": int(now), "exp": int(now) + 300, **claims}
    if nonce is not None:
        said["nonce"] = nonce
    given = {
        "token_type": "Bearer",
        "access_token": f"access {int(now)}",
        "refresh_token": f"refresh {int(now)}",
        "expires_in": 300,
        "id_token": jwt.encode({"alg": "RS256", "kid": key.kid}, said, key),
    }
    return 200, json.dumps(given).encode()


class HeldProvider:
    """
    Takes what is asked of it.

    @ivar fetches: The URLs that are fetched, with what waits for them; C{posts}: what was sent, likewise.
    """

    def __init__(self) -> None:
        self.fetches: list[tuple[str, Deferred[bytes]]] = []
        self.posts: list[tuple[Mapping[str, str], Deferred[tuple[int, bytes]]]] = []
        self.secrets: list[bytes] = []

    def fetch(self, url: str, timeout: float) -> Deferred[bytes]:
        """Take note of it."""
        done: Deferred[bytes] = Deferred()
        self.fetches.append((url, done))
        return done

    def post(self, url: str, fields: Any, body: bytes, timeout: float) -> Deferred[tuple[int, bytes]]:
        """Take note of it."""
        assert url in (METADATA["token_endpoint"], METADATA["revocation_endpoint"])
        self.secrets.append(b64decode(dict(fields)[b"authorization"].partition(b" ")[2]))
        done: Deferred[tuple[int, bytes]] = Deferred()
        self.posts.append((dict(parse_qsl(body.decode())), done))
        return done

    def tell(self, *found: RSAKey) -> None:
        """Answer what was fetched."""
        _, done = self.fetches.pop(0)
        done.callback(json.dumps(METADATA).encode())
        _, done = self.fetches.pop(0)
        done.callback(keys(*(found or (KEY,))))

    def answer(self, found: tuple[int, bytes] | Exception) -> Mapping[str, str]:
        """Answer what was sent first; return it."""
        asked, done = self.posts.pop(0)
        if isinstance(found, Exception):
            done.errback(found)
        else:
            done.callback(found)
        return asked
