"""Tests of L{edgegate.explain.tokens}."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.key_set import parse_key_set
from edgegate.explain.judgement import Verdict
from edgegate.explain.tokens import judge_tokens
from edgegate.http.exchange import Exchange
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys, JWTRule, RemoteKeys, TokenGuard
from tests.access.jwt.test_rule import ORIGIN
from tests.access.jwt.tokens import ISSUER, believed, good, rsa, token
from tests.http.conversation import Conversation, to_web

HEADERS = (ClaimHeader(b"x-user", ("sub",)),)


def guard(keys: InlineKeys | RemoteKeys) -> TokenGuard:
    """Return a guard with one rule."""
    rule = JWTRule("istio-system/idp", ORIGIN, ISSUER, keys, claim_headers=HEADERS)
    return TokenGuard("istio-system/a, istio-system/idp", ORIGIN, (rule,))


INLINE = guard(InlineKeys(believed()))
REMOTE = guard(RemoteKeys("https://idp.example/keys", False, 5.0))


def asked(*fields: bytes, method: bytes = b"GET") -> Exchange:
    """Return a request that was made."""
    talk = Conversation(to_web())
    head = b"".join(each + b"\r\n" for each in fields)
    client = talk.ask(method + b" / HTTP/1.1\r\nHost: web.example\r\n" + head + b"\r\n")
    client.finish()
    return talk.ended[0]


class TokenTests(SynchronousTestCase):
    """What is said of tokens offline."""

    def test_none(self) -> None:
        """Without a token a request passes, and says not who it is."""
        exchange = asked(b"X-User: root")
        found = judge_tokens(INLINE, exchange)
        self.assertEqual((found.verdict, exchange.head.fields), (Verdict.ALLOWED, []))
        self.assertIn("none is required here", found.words)

    def test_preflight(self) -> None:
        """A preflight needs none."""
        exchange = asked(b"Origin: a", b"Access-Control-Request-Method: PUT", b"X-User: root", method=b"OPTIONS")
        self.assertIn("preflight", judge_tokens(INLINE, exchange).words)
        self.assertNotIn(b"x-user", dict(exchange.head.fields))

    def test_good(self) -> None:
        """A good token is verified, and what follows knows its claims."""
        exchange = asked(b"Authorization: Bearer " + good(time.time()))
        found = judge_tokens(INLINE, exchange)
        self.assertEqual((found.verdict, found.guard.name), (Verdict.ALLOWED, "istio-system/idp"))
        self.assertEqual(found.words, "its token of alice@example.com is valid")
        self.assertEqual(exchange.head.fields, [(b"x-user", b"alice@example.com")])
        self.assertEqual(exchange.claims["sub"], "alice@example.com")

    def test_bad(self) -> None:
        """A bad one is refused as by the gateway."""
        for made in (good(time.time(), exp=1), token({"iss": ISSUER}, rsa(1), kid="rsa-0")):
            found = judge_tokens(INLINE, asked(b"Authorization: Bearer " + made))
            self.assertEqual(found.verdict, Verdict.DENIED)
            assert found.refusal is not None
            self.assertEqual((found.refusal.status, found.refusal.body.decode()), (401, found.words))

    def test_fetched(self) -> None:
        """Where keys are fetched it is not known whose a token is; that it is expired is."""
        exchange = asked(b"Authorization: Bearer " + good(time.time()))
        found = judge_tokens(REMOTE, exchange)
        self.assertIs(found.verdict, Verdict.UNKNOWN)
        self.assertIn("fetched from https://idp.example/keys", found.words)
        self.assertEqual(exchange.claims["sub"], "alice@example.com")
        self.assertEqual(exchange.head.fields, [(b"x-user", b"alice@example.com")])
        found = judge_tokens(REMOTE, asked(b"Authorization: Bearer " + good(time.time(), exp=1)))
        self.assertEqual((found.verdict, found.words), (Verdict.DENIED, "Jwt is expired"))
        keys = parse_key_set(believed().encode(), secrets=False)
        found = judge_tokens(REMOTE, asked(b"Authorization: Bearer " + good(time.time())), keys)
        self.assertIs(found.verdict, Verdict.ALLOWED)
        forged = token({"iss": ISSUER}, rsa(1), kid="rsa-0")
        self.assertIs(judge_tokens(REMOTE, asked(b"Authorization: Bearer " + forged), keys).verdict, Verdict.DENIED)
