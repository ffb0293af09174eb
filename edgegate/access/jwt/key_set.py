"""
Key sets (RFC 7517), and which of their keys has signed a token.

What a key may have signed follows from its kind alone, never from what a token says: RSA keys RS and PS, those of a
curve that curve's, secrets HS. So the public half of a key is never taken for a secret.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from edgegate.access.jwt.json_object import json_object
from edgegate.access.jwt.refusals import NO_KEY, SIGNATURE, Refusal
from edgegate.access.jwt.token import Token, base64url

MOST_BYTES: Final = 1 << 20
"""Of a key set."""

MOST_KEYS: Final = 256
MOST_TRIED: Final = 16
"""How many keys are tried for a token that does not say which it is."""

LEAST_RSA: Final = 2048
"""Bits of an RSA key (RFC 7518 section 3.3)."""

_MOST_RSA: Final = 8192  # with more of them each token would cost too much
_LEAST_SECRET: Final = 16  # bytes

_CURVES: Final = {"P-256": ("ES256", 32), "P-384": ("ES384", 48), "P-521": ("ES512", 66)}
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_SECRET: Final = ("HS256", "HS384", "HS512")

_PUBLIC: Final = {
    "RSA": ("n", "e"),
    "EC": ("crv", "x", "y"),
    "OKP": ("crv", "x"),
    "oct": ("k",),
}
"""The members of a key that are needed to verify, by its kind."""

_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "oth")
_SAID_OF_KEYS: Final = ("kty", "kid", "alg", "use", "key_ops")


class Algorithm(Protocol):
    """One of joserfc's."""

    def verify(self, msg: bytes, sig: bytes, key: Any) -> bool:
        """Whether a key has signed a message so."""


@dataclass(frozen=True, slots=True)
class Key:
    """
    A key that verifies.

    @ivar kid: Empty: it has none.
    @ivar algorithm: The only one that it may be used with; empty: any of its kind.
    @ivar algorithms: Those of its kind, by name.
    """

    kid: str
    algorithm: str
    algorithms: Mapping[str, Algorithm] = field(repr=False)
    key: Any = field(repr=False)

    def verifies(self, token: Token) -> bool:
        """Whether it has signed a token, of one of its own algorithms."""
        return self.algorithms[token.algorithm].verify(token.signed, token.signature, self.key)


@dataclass(frozen=True, slots=True)
class KeySet:
    """
    The keys that a rule believes.

    @ivar left_out: What is wrong with keys that are not used, by their place in the set.
    @ivar private: The places of keys whose private half is in the set.
    """

    keys: tuple[Key, ...]
    left_out: tuple[tuple[int, str], ...] = ()
    private: tuple[int, ...] = ()

    def knows(self, kid: str) -> bool:
        """Whether a key is called so."""
        return any(key.kid == kid for key in self.keys)

    def verify(self, token: Token) -> Refusal | None:
        """Return why none of the keys has signed a token; L{None}: one has."""
        named = False
        tried = 0
        for key in self.keys:
            if (token.kid and key.kid and key.kid != token.kid) or key.algorithm not in ("", token.algorithm):
                continue
            named = True
            if token.algorithm in key.algorithms and tried < MOST_TRIED:
                tried += 1
                if key.verifies(token):
                    return None
        return SIGNATURE if named else NO_KEY


def parse_key_set(data: bytes, secrets: bool) -> KeySet:
    """
    Read a key set. A key that can't be used is left out.

    @param secrets: Whether it may hold secrets: not one that others can read.
    @raise ValueError: It is no key set. No part of it is repeated.
    """
    keys: list[Key] = []
    left_out: list[tuple[int, str]] = []
    private: list[int] = []
    for place, value in enumerate(_members(data)):
        if not isinstance(value, dict):
            left_out.append((place, "it is no object"))
            continue
        if value.get("kty") != "oct" and any(name in value for name in _PRIVATE):
            private.append(place)
        try:
            keys.append(_key(value, secrets))
        except ValueError as error:
            left_out.append((place, str(error)))
    return KeySet(tuple(keys), tuple(left_out), tuple(private))


def public_text(data: bytes) -> str:
    """
    Return a key set without what is not needed to verify, private halves above all.

    @raise ValueError: It is no key set.
    """
    members = [value for value in _members(data) if isinstance(value, dict)]
    return json.dumps({"keys": [dict(_public(value)) for value in members]}, sort_keys=True)


def _public(value: dict[str, Any]) -> Iterable[tuple[str, Any]]:
    kind = value.get("kty")
    names = _PUBLIC.get(kind, ()) if isinstance(kind, str) else ()
    return ((name, value[name]) for name in (*_SAID_OF_KEYS, *names) if name in value)


def _members(data: bytes) -> list[Any]:
    if len(data) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES >> 20} MiB")
    try:
        value = json_object(data)
    except ValueError:
        raise ValueError("no object of JSON") from None
    members = value.get("keys")
    if not isinstance(members, list):
        raise ValueError("it has no list of keys")
    if len(members) > MOST_KEYS:
        raise ValueError(f"more than {MOST_KEYS} keys")
    return members


def _key(value: dict[str, Any], secrets: bool) -> Key:
    """
    Make a key.

    @raise ValueError: It can't be used, for this reason.
    """
    kid, algorithm, kind = (_text(value, name) for name in ("kid", "alg", "kty"))
    if value.get("use", "sig") != "sig":
        raise ValueError("it is not for signatures")
    operations = value.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("it is not for verifying signatures")
    make = _KINDS.get(kind)
    if make is None:
        raise ValueError("its kty is not supported")
    if kind == "oct" and not secrets:
        raise ValueError("a secret in a key set that others can read")
    algorithms = make(value)
    if algorithm and algorithm not in algorithms:
        raise ValueError("its alg is none of its kind, or is not supported")
    return Key(kid, algorithm, *_imported(value, algorithms))


def _text(value: dict[str, Any], name: str) -> str:
    text = value.get(name, "")
    if not isinstance(text, str):
        raise ValueError(f"its {name} is no text")
    return text


def _member(value: dict[str, Any], name: str) -> bytes:
    text = value.get(name)
    if not isinstance(text, str):
        raise ValueError(f"it has no {name}")
    try:
        return base64url(text.encode("ascii", "replace"))
    except ValueError:
        raise ValueError(f"its {name} is not base64url") from None


def _rsa(value: dict[str, Any]) -> tuple[str, ...]:
    modulus, exponent = (int.from_bytes(_member(value, name), "big") for name in ("n", "e"))
    if not LEAST_RSA <= modulus.bit_length() <= _MOST_RSA:
        raise ValueError(f"it has {modulus.bit_length()} bits, which must be {LEAST_RSA} to {_MOST_RSA}")
    if exponent < 3 or exponent % 2 == 0 or exponent.bit_length() > 32:
        raise ValueError("its exponent is none")
    return _RSA


def _curve(value: dict[str, Any]) -> tuple[str, ...]:
    found = _CURVES.get(_text(value, "crv"))
    if found is None:
        raise ValueError("its curve is not supported")
    algorithm, size = found
    if any(len(_member(value, name)) > size for name in ("x", "y")):
        raise ValueError("it is no point of its curve")
    return (algorithm,)


def _edwards(value: dict[str, Any]) -> tuple[str, ...]:
    if _text(value, "crv") != "Ed25519":
        raise ValueError("its curve is not supported")
    _member(value, "x")
    return ("EdDSA",)


def _secret(value: dict[str, Any]) -> tuple[str, ...]:
    if len(_member(value, "k")) < _LEAST_SECRET:
        raise ValueError(f"it has less than {_LEAST_SECRET} bytes")
    return _SECRET


_KINDS: Final = {"RSA": _rsa, "EC": _curve, "OKP": _edwards, "oct": _secret}


def _imported(value: dict[str, Any], algorithms: Iterable[str]) -> tuple[Mapping[str, Algorithm], Any]:
    """
    Have joserfc make a key of its public half; what else a set says of it is of no use to verify with.

    @return: The algorithms, and the key.
    """
    # few gateways need it: what it takes to import it is left until one does
    from joserfc.jwk import JWKRegistry  # noqa: PLC0415
    from joserfc.jws import JWSRegistry  # noqa: PLC0415

    public: Any = {name: value[name] for name in ("kty", *_PUBLIC[value["kty"]])}
    try:
        return {name: JWSRegistry.algorithms[name] for name in algorithms}, JWKRegistry.import_key(public)
    except Exception:
        # whatever a set of others may hold, of OpenSSL or joserfc: no message, as it could show a secret
        raise ValueError("it is no key") from None
