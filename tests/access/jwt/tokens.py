"""Tokens and keys for tests: good ones, and such as are crafted to pass where they must not."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from edgegate.access.jwt.token import base64url

ISSUER = "https://idp.example"
NOW = 2_000_000_000
"""The time in tests that need none of their own, in seconds since 1970."""


@cache
def rsa(number: int = 0) -> Any:
    """Return an RSA key of 2,048 bits: one for each number."""
    return RSAKey.generate_key(2048, {"kid": f"rsa-{number}"})


@cache
def curve(name: str = "P-256") -> Any:
    """Return a key of an elliptic curve."""
    return ECKey.generate_key(name, {"kid": name})


@cache
def edwards() -> Any:
    """Return an Ed25519 key."""
    return OKPKey.generate_key("Ed25519", {"kid": "ed"})


@cache
def secret() -> Any:
    """Return a secret that is shared."""
    return OctKey.generate_key(256, {"kid": "shared"})


def public(key: Any, **members: Any) -> dict[str, Any]:
    """Return the public half of a key as a member of a key set; a member that is L{None} is left out."""
    found = {**key.as_dict(private=key.key_type == "oct"), **members}
    return {name: value for name, value in found.items() if value is not None}


def key_set(*keys: dict[str, Any]) -> str:
    """Return a key set as JSON."""
    return json.dumps({"keys": list(keys)})


def part(value: object) -> bytes:
    """Return a part of a token: bytes as they are, all else as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(data).rstrip(b"=")


def claims(now: float = NOW, **more: Any) -> dict[str, Any]:
    """Return the claims of a good token; one that is L{None} is left out."""
    found = {"iss": ISSUER, "sub": "alice@example.com", "aud": ["shop"], "exp": int(now) + 3600, **more}
    return {name: value for name, value in found.items() if value is not None}


def signed(header: object, payload: object, key: Any, algorithm: str) -> bytes:
    """Return a token that is signed well, whatever it says."""
    head = part(header) + b"." + part(payload)
    return head + b"." + part(JWSRegistry.algorithms[algorithm].sign(head, key))


def token(payload: object, key: Any = None, algorithm: str = "RS256", **header: Any) -> bytes:
    """Return a token, signed by the first RSA key unless another is given."""
    key = rsa() if key is None else key
    said = {"alg": algorithm, "kid": key.kid, "typ": "JWT", **header}
    return signed({name: value for name, value in said.items() if value is not None}, payload, key, algorithm)


_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of P-256 (FIPS 186-4 section D.1.2.3)."""


def twin(made: bytes) -> bytes:
    """Return a token of P-256 with the other signature that anybody can make of its own: s is as good as -s."""
    head, _, signature = made.rpartition(b".")
    both = base64url(signature)
    other = (_ORDER - int.from_bytes(both[32:], "big")).to_bytes(32, "big")
    return head + b"." + part(both[:32] + other)


def good(now: float = NOW, **more: Any) -> bytes:
    """Return a token that passes."""
    return token(claims(now, **more))


def believed() -> str:
    """Return the key set that L{crafted} tokens are made for: an RSA key and one of a curve, both public."""
    return key_set(public(rsa()), public(curve()))


def crafted(now: float = NOW) -> Iterator[tuple[str, bytes, str]]:
    """
    Yield tokens that must not pass, each with what it is and with the answer.

    The rule has the issuer L{ISSUER}, the audience C{shop} and the keys of L{believed}.
    """
    yield from _unsigned(now)
    yield from _wrong_keys(now)
    yield from _headers(now)
    yield from _times(now)
    yield from _payloads(now)
    yield from _spellings(now)


FAILS = "Jwt verification fails"
FORM = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
UNSUPPORTED = "Jwt header [alg] is not supported"
NO_KEY = "Jwks doesn't have key to match kid or alg from Jwt"


def _unsigned(now: float) -> Iterator[tuple[str, bytes, str]]:
    payload = part(claims(now))
    for name in ("none", "None", "NONE", "nOnE", ""):
        yield f"alg {name!r}, no signature", part({"alg": name}) + b"." + payload + b".", FORM
        yield f"alg {name!r}, some signature", part({"alg": name}) + b"." + payload + b".c2ln", UNSUPPORTED
    head = good(now).rpartition(b".")[0]
    yield "empty signature", head + b".", FORM
    yield "no signature at all", head, FORM
    yield "signature of zeros", head + b"." + part(bytes(256)), FAILS
    yield "signature of one byte", head + b"." + part(b"\1"), FAILS
    yield "signature cut short", head + b"." + part(base64url(good(now).rpartition(b".")[2])[:-1]), FAILS
    zeros = token(claims(now), curve(), "ES256").rpartition(b".")[0]
    yield "r and s are zero", zeros + b"." + part(bytes(64)), FAILS
    yield "ECDSA signature in DER", zeros + b"." + part(curve().private_key.sign(zeros, ECDSA(SHA256()))), FAILS


def _wrong_keys(now: float) -> Iterator[tuple[str, bytes, str]]:
    said = claims(now)
    pem, der = rsa().as_pem(), rsa().as_der()
    modulus = rsa().as_dict()["n"].encode()
    for name, key in (("PEM", pem), ("PEM stripped", pem.strip()), ("DER", der), ("n", modulus)):
        head = part({"alg": "HS256", "kid": rsa().kid}) + b"." + part(said)
        forged = head + b"." + part(hmac.new(key, head, hashlib.sha256).digest())
        yield f"HS256 with the RSA public key as {name}", forged, FAILS
    head = part({"alg": "HS256"}) + b"." + part(said)
    yield "HS256 with an empty key", head + b"." + part(hmac.new(b"", head, hashlib.sha256).digest()), FAILS
    yield "another's RSA key, same kid", token(said, rsa(1), kid=rsa().kid), FAILS
    yield "another's RSA key, its own kid", token(said, rsa(1)), NO_KEY
    yield "another's RSA key, no kid", token(said, rsa(1), kid=None), FAILS
    yield "kid of the other kind of key", token(said, rsa(), kid="P-256"), FAILS
    yield "kid with a path", token(said, rsa(), kid="../../../../dev/null"), NO_KEY
    yield "kid with a quote", token(said, rsa(), kid="rsa-0' OR '1'='1"), NO_KEY
    yield "kid in other case", token(said, rsa(), kid="RSA-0"), NO_KEY
    yield "kid with a blank", token(said, rsa(), kid="rsa-0 "), NO_KEY
    yield "kid in a list", token(said, rsa(), kid=["rsa-0"]), "Jwt header [kid] field is not a string"
    yield (
        "kid null",
        signed({"alg": "RS256", "kid": None}, said, rsa(), "RS256"),
        "Jwt header [kid] field is not a string",
    )
    yield "RS256 that says RS512", signed({"alg": "RS512", "kid": "rsa-0"}, said, rsa(), "RS256"), FAILS
    yield "PKCS 1 that says PSS", signed({"alg": "PS256", "kid": "rsa-0"}, said, rsa(), "RS256"), FAILS
    yield "P-384 key that says ES256", signed({"alg": "ES256"}, said, curve("P-384"), "ES384"), FAILS
    yield "Ed25519 key of nobody", token(said, edwards(), "EdDSA", kid=None), FAILS
    other = public(rsa(1))
    yield "its own key in jwk", token(said, rsa(1), kid=None, jwk=other), FAILS
    yield "its own key at jku", token(said, rsa(1), kid="rsa-1", jku="https://evil.example/jwks"), NO_KEY
    yield "its own key at x5u", token(said, rsa(1), kid=None, x5u="https://evil.example/cert"), FAILS
    yield "its own key in x5c", token(said, rsa(1), kid=None, x5c=[b64encode(b"none").decode()]), FAILS


def _headers(now: float) -> Iterator[tuple[str, bytes, str]]:
    said = claims(now)
    crit = "Jwt header [crit] is not supported"
    yield "crit that nobody knows", token(said, crit=["x"], x=1), crit
    yield "crit, empty", token(said, crit=[]), crit
    yield "b64 false and critical", token(said, crit=["b64"], b64=False), crit
    yield "b64 false", token(said, b64=False), "Jwt header [b64] is not supported"
    required = "Jwt header [alg] field is required and must be a string"
    yield "no alg", signed({"kid": "rsa-0"}, said, rsa(), "RS256"), required
    yield "alg null", signed({"alg": None}, said, rsa(), "RS256"), required
    yield "alg in a list", signed({"alg": ["RS256"]}, said, rsa(), "RS256"), required
    yield "alg in lower case", signed({"alg": "rs256"}, said, rsa(), "RS256"), UNSUPPORTED
    yield "alg with a blank", signed({"alg": "RS256 "}, said, rsa(), "RS256"), UNSUPPORTED
    yield "alg twice", signed(b'{"alg":"none","alg":"RS256"}', said, rsa(), "RS256"), "Jwt header is an invalid JSON"
    yield "header in a list", signed([{"alg": "RS256"}], said, rsa(), "RS256"), "Jwt header is an invalid JSON"
    yield (
        "header in UTF-16",
        signed('{"alg":"RS256"}'.encode("utf-16"), said, rsa(), "RS256"),
        "Jwt header is an invalid JSON",
    )
    deep = b'{"alg":"RS256","x":' + b"[" * 5000 + b"]" * 5000 + b"}"
    yield "header of 5,000 lists", signed(deep, {"iss": ISSUER}, rsa(), "RS256"), "Jwt header is an invalid JSON"


def _times(now: float) -> Iterator[tuple[str, bytes, str]]:
    late, early = "Jwt is expired", "Jwt not yet valid"
    number = "Jwt payload [exp] field is not an integer"
    positive = "Jwt payload [exp] field is not a positive 64 bit integer"
    yield "expired", good(now, exp=int(now) - 61 - 60), late
    yield "expired in 1970", good(now, exp=0), late
    yield "exp with a fraction, expired", good(now, exp=now - 3600.5), late
    yield "not yet valid", good(now, nbf=int(now) + 3600), early
    yield "exp as a text", good(now, exp=str(int(now) + 3600)), number
    yield "exp true", good(now, exp=True), number
    yield "exp null", token({**claims(now), "exp": None}), number
    yield "exp in a list", good(now, exp=[int(now) + 3600]), number
    yield "exp below 0", good(now, exp=-1), positive
    yield "exp huge", good(now, exp=10**300), positive
    json_ = "Jwt payload is an invalid JSON"
    for text in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 5000, b"0x7fffffff", b"+1", b"01"):
        yield f"exp {text[:12]!r}", token(b'{"iss":"%b","aud":"shop","exp":%b}' % (ISSUER.encode(), text)), json_
    yield "nbf as a text", good(now, nbf="0"), "Jwt payload [nbf] field is not an integer"
    yield "iat as a text", good(now, iat="0"), "Jwt payload [iat] field is not an integer"


def _payloads(now: float) -> Iterator[tuple[str, bytes, str]]:
    unknown, audience, json_ = (
        "Jwt issuer is not configured",
        "Audiences in Jwt are not allowed",
        "Jwt payload is an invalid JSON",
    )
    yield "issuer of another", good(now, iss="https://evil.example"), unknown
    yield "issuer with a slash more", good(now, iss=ISSUER + "/"), unknown
    yield "issuer in capitals", good(now, iss=ISSUER.upper()), unknown
    yield "no issuer", good(now, iss=None), unknown
    yield "issuer in a list", good(now, iss=[ISSUER]), "Jwt payload [iss] field is not a string"
    yield "subject in an object", good(now, sub={"a": 1}), "Jwt payload [sub] field is not a string"
    yield "audience of another", good(now, aud="bank"), audience
    yield "audience that begins so", good(now, aud=["shop.evil.example"]), audience
    yield "no audience", good(now, aud=None), audience
    yield "audiences, none", good(now, aud=[]), audience
    yield "audience in an object", good(now, aud={"shop": 1}), "Jwt payload [aud] field is not a string or string list"
    yield "audience and a number", good(now, aud=["shop", 1]), "Jwt payload [aud] field is not a string or string list"
    yield "a token in a token", token(b'"' + good(now) + b'"', cty="JWT"), json_
    yield "a bare token in a token", token(good(now), cty="JWT"), json_
    twice = json.dumps(claims(now)).encode()
    yield "issuer twice", token(twice[:-1] + b',"iss":"https://evil.example"}'), json_
    yield "exp twice", token(b'{"exp":1,' + twice[1:]), json_
    yield "a name twice, once escaped", token(b'{"\\u0069ss":"https://evil.example",' + twice[1:]), json_
    yield "half a surrogate pair", token(twice[:-1] + b',"name":"\\ud800"}'), json_
    yield "no UTF-8", token(twice[:-1] + b',"name":"\xff"}'), json_
    yield "byte order mark", token(b"\xef\xbb\xbf" + twice), json_
    yield "JSON and more", token(twice + b" {}"), json_
    yield "claims in a list", token(b"[" + twice + b"]"), json_
    yield "claims of a number", token(b"1"), json_
    yield "too deep", token(twice[:-1] + b',"x":' + b"[" * 200 + b"]" * 200 + b"}"), json_
    yield "1 MiB", good(now, name="x" * (1 << 20)), "Jwt is too long"
    yield "17 KiB", good(now, name="x" * (13 << 10)), "Jwt is too long"


def _spellings(now: float) -> Iterator[tuple[str, bytes, str]]:
    whole = good(now)
    head, payload, signature = whole.split(b".")
    bad_header = "Jwt header is an invalid Base64url encoded"
    bad_payload = "Jwt payload is an invalid Base64url encoded"
    bad_signature = "Jwt signature is an invalid Base64url encoded"
    yield "four parts", whole + b"." + signature, FORM
    yield "five parts, encrypted", b"e30.e30.e30.e30.e30", FORM
    yield "no header", b"." + payload + b"." + signature, FORM
    yield "no payload", head + b".." + signature, FORM
    yield "JSON form", json.dumps({"payload": payload.decode()}).encode(), FORM
    yield "two tokens with a comma", whole + b"," + whole, FORM
    yield "two tokens with a blank", whole + b" " + whole, FORM
    yield "header with padding", head + b"==." + payload + b"." + signature, bad_header
    yield "header in the other alphabet", b"ey+/." + payload + b"." + signature, bad_header
    yield "header and a blank", head + b" ." + payload + b"." + signature, bad_header
    yield "payload with padding", head + b"." + payload + b"=." + signature, bad_payload
    yield "signature with padding", whole + b"==", bad_signature
    yield "signature and a byte", whole + b"A" * (1 if len(signature) % 4 == 0 else 3), bad_signature
    yield "signature, another spelling", _respelled(whole), bad_signature
    yield "signature and a blank", whole + b" x", bad_signature
    yield "payload of another token", head + b"." + part(claims(now, sub="root")) + b"." + signature, FAILS


def _respelled(whole: bytes) -> bytes:
    """Return a token whose signature is the same bytes in other letters: bits behind its end are set."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return whole[:-1] + alphabet[alphabet.index(whole[-1]) + 1 :][:1]
