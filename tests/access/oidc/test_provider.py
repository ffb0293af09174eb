"""Tests of L{edgegate.access.oidc.provider}."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hmac import digest
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.key_set import parse_key_set
from edgegate.access.oidc.provider import (
    BadProvider,
    Metadata,
    Refused,
    Tokens,
    identity,
    lasts_until,
    parse_metadata,
    parse_tokens,
    token_request,
)

ISSUER = "https://id.example"
SAID: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": ISSUER + "/authorize",
    "token_endpoint": ISSUER + "/token",
    "jwks_uri": ISSUER + "/keys",
}
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = parse_key_set(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode(), secrets=False)
NOW = 1_000_000
CLAIMS: dict[str, Any] = {"iss": ISSUER, "sub": "ali", "aud": "me", "iat": NOW, "exp": NOW + 300, "nonce": "n"}


def token(key: Any = KEY, algorithm: str = "RS256", **claims: Any) -> str:
    """Return a signed id token; claims that are L{None} are left out."""
    said = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": "one"}, said, key, algorithms=[algorithm])


def with_public_key() -> str:
    """Return a token that is signed with what everybody knows, as if it were a secret."""
    head = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    signed = head + b"." + token().split(".")[1].encode()
    signature = digest(KEY.as_pem(private=False), signed, "sha256")
    return (signed + b"." + urlsafe_b64encode(signature).rstrip(b"=")).decode()


class MetadataTests(SynchronousTestCase):
    """What a provider says of itself."""

    def parse(self, **said: Any) -> Metadata:
        """Read metadata with something else in them."""
        return parse_metadata(json.dumps({**SAID, **said}).encode(), ISSUER)

    def test_read(self) -> None:
        """Endpoints, how it takes secrets, and whether it says who it is."""
        self.assertEqual(self.parse(), Metadata(ISSUER + "/authorize", ISSUER + "/token", ISSUER + "/keys"))
        self.assertEqual(self.parse(end_session_endpoint=ISSUER + "/end").end_session, ISSUER + "/end")
        self.assertTrue(self.parse(token_endpoint_auth_methods_supported=["client_secret_post"]).posts_secret)
        both = ["client_secret_post", "client_secret_basic"]
        self.assertFalse(self.parse(token_endpoint_auth_methods_supported=both).posts_secret)
        self.assertTrue(self.parse(authorization_response_iss_parameter_supported=True).says_issuer)

    def test_refused(self) -> None:
        """Another issuer's, endpoints in the clear or elsewhere than on the web, no S256."""
        for said in (
            {"issuer": ISSUER + "/"},
            {"issuer": None},
            {"authorization_endpoint": "http://id.example/authorize"},
            {"authorization_endpoint": "javascript:alert(1)"},
            {"authorization_endpoint": ISSUER + "/a b"},
            {"authorization_endpoint": ISSUER + "/a\r\nset-cookie: x"},
            {"authorization_endpoint": "https://[/"},
            {"token_endpoint": None},
            {"token_endpoint": "/token"},
            {"jwks_uri": 7},
            {"jwks_uri": ISSUER + "/" + "x" * 2048},
            {"end_session_endpoint": "ftp://id.example"},
            {"revocation_endpoint": "http://id.example/revoke"},
            {"code_challenge_methods_supported": ["plain"]},
        ):
            self.assertRaises(BadProvider, self.parse, **said)
        for data in (b"", b"[]", b"<html>", b'{"issuer": "a", "issuer": "b"}'):
            self.assertRaises(BadProvider, parse_metadata, data, ISSUER)

    def test_local(self) -> None:
        """A provider that is itself asked in the clear may have endpoints in the clear."""
        local = {name: value.replace("https", "http") for name, value in SAID.items()}
        self.assertEqual(
            parse_metadata(json.dumps(local).encode(), "http://id.example").token, "http://id.example/token"
        )


class TokenTests(SynchronousTestCase):
    """The token endpoint."""

    def test_tokens(self) -> None:
        """All that it gives is read, and nothing of it shown."""
        said = {"token_type": "bearer", "access_token": "a!", "refresh_token": "r!", "id_token": "i!", "expires_in": 60}
        found = parse_tokens(200, json.dumps(said).encode())
        self.assertEqual(found, Tokens("a!", "r!", "i!", 60))
        self.assertNotIn("!", repr(found))
        self.assertEqual(parse_tokens(200, b'{"token_type": "Bearer", "expires_in": "60"}'), Tokens("", "", "", 60))

    def test_refused(self) -> None:
        """A code that is used up is told from a provider that has failed."""
        refused = self.assertRaises(Refused, parse_tokens, 400, b'{"error": "invalid_grant"}')
        self.assertEqual(refused.error, "invalid_grant")
        self.assertEqual(self.assertRaises(Refused, parse_tokens, 401, b'{"error": "a\\nb"}').error, "401")
        for status, data in (
            (500, b"{}"),
            (503, b'{"error": "temporarily_unavailable"}'),
            (429, b"{}"),
            (400, b"<html>"),
            (200, b""),
            (200, b'{"token_type": "mac"}'),
            (200, b'{"token_type": "bearer", "access_token": 7}'),
            (200, b'{"token_type": "bearer", "access_token": "a\\r\\nb"}'),
            (200, b'{"token_type": "bearer", "expires_in": -1}'),
            (200, b'{"token_type": "bearer", "expires_in": true}'),
            (200, b'{"token_type": "bearer", "expires_in": 1e99}'),
            (200, b'{"token_type": "bearer", "access_token": "%b"}' % (b"x" * 17_000)),
        ):
            self.assertRaises(BadProvider, parse_tokens, status, data)

    def test_request(self) -> None:
        """The secret goes the way that the provider takes; a client without one names itself."""
        at = Metadata("a", "t", "k")
        fields, body = token_request(at, "me:", b"s e", {"code": "c&d"})
        self.assertEqual(dict(fields)[b"authorization"], b"Basic bWUlM0E6cytl")
        self.assertEqual(body, b"code=c%26d")
        for metadata, secret, expected in (
            (Metadata("a", "t", "k", posts_secret=True), b"s", b"code=c&client_id=me&client_secret=s"),
            (at, b"", b"code=c&client_id=me"),
        ):
            fields, body = token_request(metadata, "me", secret, {"code": "c"})
            self.assertEqual((body, b"authorization" in dict(fields)), (expected, False))


class IdentityTests(SynchronousTestCase):
    """Id tokens."""

    def claims(self, text: str, nonce: str | None = "n") -> Any:
        """Return what a token says, as of now."""
        return identity(text, KEYS, ISSUER, "me", nonce, NOW)

    def test_passes(self) -> None:
        """A token of the provider's, for this client and this login."""
        self.assertEqual(self.claims(token())["sub"], "ali")
        self.assertEqual(self.claims(token(aud=["me", "you"], azp="me"))["sub"], "ali")
        self.assertEqual(self.claims(token(exp=NOW - 50, iat=NOW + 50))["sub"], "ali")

    def test_refreshed(self) -> None:
        """After a refresh there need be no nonce."""
        self.assertEqual(self.claims(token(nonce=None), None)["sub"], "ali")

    def test_forged(self) -> None:
        """Another issuer's, client's or login's, out of time, not signed, or by somebody else."""
        for text in (
            token(iss="https://evil.example"),
            token(iss=ISSUER + "/"),
            token(aud="you"),
            token(aud=["me", "you"]),
            token(aud=["me"], azp="you"),
            token(aud=None),
            token(nonce="m"),
            token(nonce=None),
            token(nonce=["n"]),
            token(exp=NOW - 61),
            token(exp=None),
            token(iat=None),
            token(iat=NOW + 61),
            token(nbf=NOW + 61),
            token(sub=None),
            token(sub=""),
            token(OTHER),
            with_public_key(),
            token()[:-4],
            ".".join([*token().split(".")[:2], ""]),
            "eyJhbGciOiJub25lIn0." + token().split(".")[1] + ".",
            "ä",
            "",
            "x" * (1 << 20),
        ):
            self.assertRaises(BadProvider, self.claims, text)

    def test_unknown_key(self) -> None:
        """A key that is not known may be a new one: it is worth to fetch the keys again."""
        other = RSAKey.generate_key(2048, {"kid": "two"})
        text = jwt.encode({"alg": "RS256", "kid": "two"}, CLAIMS, other)
        self.assertIsNone(self.claims(text))

    def test_lasts(self) -> None:
        """Tokens are good for as long as the access token is, or else the id token, within reason."""
        self.assertEqual(lasts_until(Tokens("", "", "", 60), CLAIMS, NOW), NOW + 60)
        self.assertEqual(lasts_until(Tokens("", "", ""), CLAIMS, NOW), NOW + 300)
        self.assertEqual(lasts_until(Tokens("", "", ""), {"exp": NOW - 1000}, NOW), NOW + 10)
