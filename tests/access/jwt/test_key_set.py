"""Key sets: which keys are taken, and what they may have signed."""

from __future__ import annotations

import hmac
import json
from typing import Any

from joserfc.jwk import RSAKey
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.key_set import MOST_BYTES, MOST_KEYS, MOST_TRIED, KeySet, parse_key_set, public_text
from edgegate.access.jwt.token import parse
from tests.access.jwt.tokens import claims, curve, edwards, good, key_set, part, public, rsa, secret, token


def keys(*values: Any, secrets: bool = True) -> KeySet:
    """Return a key set of members."""
    return parse_key_set(key_set(*values).encode(), secrets)


class ParseTests(SynchronousTestCase):
    """L{parse_key_set}."""

    def why(self, value: Any, secrets: bool = True) -> str:
        """Return why the only key of a set is left out."""
        found = keys(value, secrets=secrets)
        self.assertEqual(found.keys, ())
        ((_, why),) = found.left_out
        return why

    def test_kinds(self) -> None:
        """Each kind of key has the algorithms of its kind and no others."""
        made = keys(public(rsa()), *(public(curve(name)) for name in ("P-256", "P-384", "P-521")), public(edwards()))
        self.assertEqual(
            [sorted(key.algorithms) for key in made.keys],
            [["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"], ["ES256"], ["ES384"], ["ES512"], ["EdDSA"]],
        )
        self.assertEqual(sorted(keys(public(secret())).keys[0].algorithms), ["HS256", "HS384", "HS512"])

    def test_left_out(self) -> None:
        """What can't be used is left out, for a reason."""
        small = public(RSAKey.generate_key(1024))
        for value, why in (
            (5, "it is no object"),
            ({}, "its kty is not supported"),
            ({"kty": "AKP", "pub": "AA"}, "its kty is not supported"),
            ({"kty": ["RSA"]}, "its kty is no text"),
            (public(rsa(), kid=5), "its kid is no text"),
            (public(rsa(), use="enc"), "it is not for signatures"),
            (public(rsa(), key_ops=["encrypt"]), "it is not for verifying signatures"),
            (public(rsa(), alg="ES256"), "its alg is none of its kind, or is not supported"),
            (public(rsa(), alg="none"), "its alg is none of its kind, or is not supported"),
            (public(rsa(), n=None), "it has no n"),
            (public(rsa(), n="a b"), "its n is not base64url"),
            (public(rsa(), e="AQ"), "its exponent is none"),
            (small, "it has 1024 bits, which must be 2048 to 8192"),
            (public(curve(), crv="P-384"), "it is no key"),
            (public(curve(), crv="secp256k1"), "its curve is not supported"),
            (public(curve(), x=public(curve())["y"]), "it is no key"),
            (public(edwards(), crv="X25519"), "its curve is not supported"),
            (public(edwards(), x="AA"), "it is no key"),
            ({"kty": "oct", "k": "c2hvcnQ"}, "it has less than 16 bytes"),
        ):
            self.assertEqual(self.why(value), why, value)

    def test_fetched_secret(self) -> None:
        """A secret that others can read is none."""
        self.assertEqual(self.why(public(secret()), secrets=False), "a secret in a key set that others can read")

    def test_others_stay(self) -> None:
        """One key of no use does not take the others with it."""
        found = keys({"kty": "new"}, public(rsa()))
        self.assertEqual(
            ([key.kid for key in found.keys], found.left_out), (["rsa-0"], ((0, "its kty is not supported"),))
        )
        self.assertTrue(found.knows("rsa-0"))
        self.assertFalse(found.knows("rsa-1"))

    def test_none(self) -> None:
        """What is no key set is told."""
        for data, why in (
            (b"<html>", "no object of JSON"),
            (b"{}", "it has no list of keys"),
            (b'{"keys": {}}', "it has no list of keys"),
            (b'{"keys": [' + b",".join([b"1"] * (MOST_KEYS + 1)) + b"]}", "more than 256 keys"),
            (b" " * (MOST_BYTES + 1), "more than 1 MiB"),
        ):
            with self.assertRaises(ValueError) as raised:
                parse_key_set(data, secrets=True)
            self.assertEqual(str(raised.exception), why)

    def test_private(self) -> None:
        """A private half is told, is not needed, and goes no further."""
        whole = key_set(rsa().as_dict(private=True), public(curve()), edwards().as_dict(private=True))
        found = parse_key_set(whole.encode(), secrets=True)
        self.assertEqual(found.private, (0, 2))
        self.assertFalse(any(key.key.is_private for key in found.keys))
        text = public_text(whole.encode())
        self.assertEqual(
            {name for key in json.loads(text)["keys"] for name in key} & {"d", "p", "q", "dp", "dq", "qi"}, set()
        )
        self.assertEqual(len(parse_key_set(text.encode(), secrets=True).keys), 3)
        self.assertNotIn(public(secret())["k"], repr(keys(public(secret()))))


class VerifyTests(SynchronousTestCase):
    """L{KeySet.verify}."""

    def verdict(self, made: bytes, *values: Any) -> str:
        """Return why a token is refused; C{ok}: it is not."""
        refusal = keys(*values).verify(parse(made))
        return "ok" if refusal is None else refusal.text

    def test_each(self) -> None:
        """Each algorithm verifies with its key."""
        pairs = [(rsa(), name) for name in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")]
        pairs += [(curve("P-256"), "ES256"), (curve("P-384"), "ES384"), (curve("P-521"), "ES512")]
        pairs += [(edwards(), "EdDSA"), *((secret(), name) for name in ("HS256", "HS384", "HS512"))]
        for key, name in pairs:
            made = token(claims(), key, name)
            self.assertEqual(self.verdict(made, public(key)), "ok", name)
            self.assertEqual(self.verdict(made[:-6] + b"AAAAAA", public(key)), "Jwt verification fails", name)

    def test_choice(self) -> None:
        """A key is chosen by its kid where both have one, and by its alg; what is left is tried."""
        made, nameless = good(), token(claims(), kid=None)
        other, nobody = "Jwks doesn't have key to match kid or alg from Jwt", "Jwt verification fails"
        for sent, values, expected in (
            (made, [public(rsa(1))], other),
            (made, [public(rsa(1)), public(rsa())], "ok"),
            (made, [public(rsa(), kid=None)], "ok"),
            (made, [public(rsa(), alg="RS512")], other),
            (made, [public(rsa(), alg="RS256")], "ok"),
            (made, [public(rsa(1), kid="rsa-0"), public(rsa())], "ok"),
            (made, [public(curve(), kid="rsa-0")], nobody),
            (nameless, [public(rsa(1)), public(rsa())], "ok"),
            (nameless, [public(rsa(1))], nobody),
            (nameless, [], other),
        ):
            self.assertEqual(self.verdict(sent, *values), expected)

    def test_confusion(self) -> None:
        """A public key is no secret, even where its owner says so."""
        head = part({"alg": "HS256"}) + b"." + part(claims())
        made = head + b"." + part(hmac.digest(rsa().as_pem(), head, "sha256"))
        self.assertEqual(self.verdict(made, public(rsa())), "Jwt verification fails")
        self.assertEqual(
            self.verdict(made, public(rsa(), alg="HS256")), "Jwks doesn't have key to match kid or alg from Jwt"
        )

    def test_tries(self) -> None:
        """A token without a kid can't have all keys of a large set tried."""
        many = [public(rsa(1), kid=str(number)) for number in range(MOST_TRIED)]
        self.assertEqual(self.verdict(token(claims(), kid=None), *many, public(rsa())), "Jwt verification fails")
        self.assertEqual(self.verdict(good(), *many, public(rsa())), "ok")
