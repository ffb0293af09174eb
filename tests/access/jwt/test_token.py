"""The form of tokens."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.refusals import RefusedToken
from edgegate.access.jwt.token import LONGEST, base64url, parse
from tests.access.jwt.tokens import ISSUER, claims, good, part, token


class TokenTests(SynchronousTestCase):
    """L{parse}. What must not pass is in L{tests.access.jwt.test_rule}."""

    def test_good(self) -> None:
        """A token is read: its key, its claims, and what was signed."""
        made = good()
        parsed = parse(made)
        self.assertEqual((parsed.algorithm, parsed.kid, parsed.issuer), ("RS256", "rsa-0", ISSUER))
        self.assertEqual(parsed.claims, claims())
        self.assertEqual(parsed.audiences, ["shop"])
        self.assertEqual(parsed.signed + b"." + part(parsed.signature), made)
        self.assertEqual(parsed.payload, made.split(b".")[1])

    def test_little(self) -> None:
        """A token need not say whose it is, for whom, or until when."""
        parsed = parse(token({}, kid=None))
        self.assertEqual((parsed.kid, parsed.issuer, parsed.audiences, parsed.claims), ("", "", [], {}))
        self.assertEqual(parse(token({"aud": "a"})).audiences, ["a"])

    def test_times(self) -> None:
        """Times may have fractions."""
        self.assertEqual(parse(token({"exp": 1.5, "nbf": 0, "iat": 2})).claims["exp"], 1.5)

    def test_b64(self) -> None:
        """Who says what holds anyway is believed."""
        self.assertEqual(parse(token({"a": 1}, b64=True)).claims, {"a": 1})

    def test_longest(self) -> None:
        """There is a longest token."""
        made = good(name="x" * 9000)
        self.assertLess(len(made), LONGEST)
        self.assertEqual(parse(made).claims["name"], "x" * 9000)
        for junk in (b".", b"a"):
            with self.assertRaises(RefusedToken) as raised:
                parse(junk * (LONGEST + 1))
            self.assertEqual(raised.exception.refusal.text, "Jwt is too long")

    def test_secret(self) -> None:
        """Nothing of a token is shown."""
        shown = repr(parse(good()))
        self.assertNotIn("alice", shown)
        self.assertNotIn(good().split(b".")[1].decode(), shown)


class Base64Tests(SynchronousTestCase):
    """L{base64url}."""

    def test_one_spelling(self) -> None:
        """Of all texts of two and three letters those are taken that something is spelt by, once each."""
        alphabet = b"AB-_zw9\n =+/"
        seen: dict[bytes, bytes] = {}
        for one in alphabet:
            for two in alphabet:
                for text in (bytes((one, two)), bytes((one, two, two))):
                    try:
                        decoded = base64url(text)
                    except ValueError:
                        continue
                    self.assertEqual(part(decoded), text)
                    self.assertNotIn(decoded, seen)
                    seen[decoded] = text
        self.assertGreater(len(seen), 5)

    def test_lengths(self) -> None:
        """Bytes of any number come back."""
        for length in range(1, 20):
            self.assertEqual(base64url(part(bytes(range(length)))), bytes(range(length)))
        for text in (b"", b"A", b"AAAAA", b"AA==", "é".encode()):
            self.assertRaises(ValueError, base64url, text)
