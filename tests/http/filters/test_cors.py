"""Tests for L{edgegate.http.filters.cors}: the cases of Envoy's own filter."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.http.filters.cors import is_preflight, origin_of, preflight_response, response_fields
from edgegate.http.request import RequestHead, refused_head
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import CORSPolicy

SHOP = StringMatch(Kind.EXACT, "https://shop.example")
POLICY = CORSPolicy(
    (SHOP, StringMatch(Kind.PREFIX, "https://test."), StringMatch(Kind.REGEX, r"https://[a-z]+\.trusted\.example")),
    methods=b"GET,PUT",
    headers=b"x-a,x-b",
    expose=b"x-c",
    max_age=b"600",
    credentials=True,
)
ANY = StringMatch(Kind.EXACT, "*")


def request(method: bytes, *fields: Field) -> RequestHead:
    """Make the head of a request."""
    head = refused_head()
    head.method = method
    head.fields = list(fields)
    return head


class RequestTests(SynchronousTestCase):
    """What browsers ask."""

    def test_preflight(self) -> None:
        """OPTIONS with a method that is asked for; not OPTIONS alone, nor another method."""
        asked = (b"access-control-request-method", b"PUT")
        self.assertTrue(is_preflight(request(b"OPTIONS", asked)))
        self.assertFalse(is_preflight(request(b"OPTIONS")))
        self.assertFalse(is_preflight(request(b"GET", asked)))
        self.assertFalse(is_preflight(request(b"OPTIONS", (b"access-control-request-method", b""))))

    def test_origin(self) -> None:
        """Empty where there is none."""
        self.assertEqual(origin_of(request(b"GET", (b"a", b"b"), (b"origin", b"https://a"))), b"https://a")
        self.assertEqual(origin_of(request(b"GET")), b"")

    def test_two_origins(self) -> None:
        """Two origins are not the one or the other."""
        both = origin_of(request(b"GET", (b"origin", b"https://shop.example"), (b"origin", b"https://evil")))
        self.assertEqual(response_fields(POLICY, both), [])


def preflight(policy: CORSPolicy, origin: bytes, *fields: Field) -> list[Field] | None:
    """Return the answer to a preflight request."""
    asked = (b"access-control-request-method", b"PUT")
    return preflight_response(policy, request(b"OPTIONS", (b"origin", origin), asked, *fields))


class PreflightTests(SynchronousTestCase):
    """What may be asked."""

    def test_allowed(self) -> None:
        """An origin that is allowed is told all of the policy."""
        self.assertEqual(
            preflight(POLICY, b"https://shop.example"),
            [
                (b"access-control-allow-origin", b"https://shop.example"),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-allow-methods", b"GET,PUT"),
                (b"access-control-allow-headers", b"x-a,x-b"),
                (b"access-control-max-age", b"600"),
                (b"access-control-expose-headers", b"x-c"),
            ],
        )

    def test_little_said(self) -> None:
        """What the policy does not say is not told."""
        self.assertEqual(
            preflight(CORSPolicy((SHOP,)), b"https://shop.example"),
            [(b"access-control-allow-origin", b"https://shop.example")],
        )

    def test_stars(self) -> None:
        """A star is answered with what was asked for: with credentials browsers take it for a name."""
        policy = CORSPolicy((SHOP,), methods=b"*", headers=b"*")
        asked = (b"access-control-request-headers", b"x-d, x-e")
        self.assertEqual(
            preflight(policy, b"https://shop.example", asked),
            [
                (b"access-control-allow-origin", b"https://shop.example"),
                (b"access-control-allow-methods", b"PUT"),
                (b"access-control-allow-headers", b"x-d, x-e"),
            ],
        )
        self.assertNotIn(b"access-control-allow-headers", dict(preflight(policy, b"https://shop.example") or []))

    def test_not_allowed(self) -> None:
        """Another origin's is for the backend, or is answered without a word of the origin, as the policy says."""
        self.assertIsNone(preflight(POLICY, b"https://evil.example"))
        ignoring = CORSPolicy((SHOP,), methods=b"GET", expose=b"x-c", forward_unmatched=False)
        self.assertEqual(preflight(ignoring, b"https://evil.example"), [(b"access-control-allow-methods", b"GET")])


class AnswerTests(SynchronousTestCase):
    """Who may read."""

    def test_origins(self) -> None:
        """Exact, by prefix, or by an expression for the whole origin."""
        for origin, allowed in (
            (b"https://shop.example", True),
            (b"https://shop.example.evil", False),
            (b"https://test.anything", True),
            (b"https://a.trusted.example", True),
            (b"https://a.trusted.example.evil", False),
            (b"null", False),
        ):
            self.assertEqual(bool(response_fields(POLICY, origin)), allowed, origin)

    def test_told(self) -> None:
        """The origin itself, credentials, and the headers that are exposed."""
        self.assertEqual(
            response_fields(POLICY, b"https://shop.example"),
            [
                (b"access-control-allow-origin", b"https://shop.example"),
                (b"access-control-allow-credentials", b"true"),
                (b"access-control-expose-headers", b"x-c"),
            ],
        )

    def test_anybody(self) -> None:
        """Where everybody may read, everybody may bring credentials, if anybody may (Envoy)."""
        for anyone in (ANY, StringMatch(Kind.REGEX, ".*")):
            for credentials in (True, False):
                fields = response_fields(CORSPolicy((anyone,), credentials=credentials), b"https://evil")
                self.assertEqual(fields[0], (b"access-control-allow-origin", b"https://evil"))
                self.assertEqual((b"access-control-allow-credentials", b"true") in fields, credentials)

    def test_nobody(self) -> None:
        """A policy without origins allows none."""
        self.assertEqual(response_fields(CORSPolicy(()), b"https://shop.example"), [])
