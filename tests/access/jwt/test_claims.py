"""Claims, as they are checked and told."""

from __future__ import annotations

from base64 import b64decode

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.claims import CLOCK_SKEW, audience, check_claims, field_value, split_claims
from edgegate.access.jwt.token import parse
from tests.access.jwt.tokens import ISSUER, NOW, good


class ClaimTests(SynchronousTestCase):
    """What claims must be."""

    def test_times(self) -> None:
        """A minute is forgiven on both sides, and nothing more."""
        for exp, nbf, passes in (
            (NOW - CLOCK_SKEW, 0, True),
            (NOW - CLOCK_SKEW - 1, 0, False),
            (NOW + 1, NOW + CLOCK_SKEW, True),
            (NOW + 1, NOW + CLOCK_SKEW + 1, False),
        ):
            self.assertEqual(check_claims(parse(good(exp=exp, nbf=nbf)), ISSUER, (), NOW) is None, passes, (exp, nbf))
        self.assertIsNone(check_claims(parse(good(exp=None)), ISSUER, (), NOW * 1000))

    def test_audience(self) -> None:
        """One scheme and one slash count for nothing."""
        for text, expected in (
            ("https://a/", "a"),
            ("http://a", "a"),
            ("a//", "a/"),
            ("http://https://a", "https://a"),
            ("HTTPS://a", "HTTPS://a"),
            ("", ""),
        ):
            self.assertEqual(audience(text), expected)

    def test_order(self) -> None:
        """The issuer is looked at first, then times, then audiences."""
        wrong = parse(good(iss="x", exp=1, nbf=NOW * 2, aud="x"))
        for issuer, expected in ((ISSUER, "Jwt issuer is not configured"), ("x", "Jwt not yet valid")):
            found = check_claims(wrong, issuer, ("shop",), NOW)
            assert found is not None
            self.assertEqual(found.text, expected)


class ValueTests(SynchronousTestCase):
    """What is made of them."""

    def test_split(self) -> None:
        """Texts are split at blanks; what is no text stays."""
        claims = {"scope": "a  b ", "roles": ["a b"], "n": 5, "other": "a b"}
        self.assertEqual(split_claims(claims, ("scope", "roles", "n", "x")), {**claims, "scope": ["a", "b"]})
        self.assertEqual(claims["scope"], "a  b ")

    def test_fields(self) -> None:
        """Scalars are told as they are, the rest as JSON in base64; what could be two fields is not told."""
        for claim, expected in (
            ("é", "é".encode()),
            ("", None),
            ("a\nb", None),
            ("a\x00", None),
            ("a\x7f", None),
            (" a", None),
            (5, b"5"),
            (-5, b"-5"),
            (5.0, b"5"),
            (1e30, b"1000000000000000019884624838656.000000"),
            (2.5, b"2.500000"),
            (True, b"true"),
            (False, b"false"),
            (None, None),
        ):
            self.assertEqual(field_value(claim), expected, claim)
        for claim in ([1, "é"], {"a": {"b": None}}):
            value = field_value(claim)
            assert value is not None
            self.assertEqual(b64decode(value).decode(), '[1,"é"]' if isinstance(claim, list) else '{"a":{"b":null}}')
