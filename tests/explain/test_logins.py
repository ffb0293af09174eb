"""Tests of L{edgegate.explain.logins}."""

from __future__ import annotations

from dataclasses import replace
from os import urandom
from time import time

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.session import Session
from edgegate.explain.judgement import Verdict
from edgegate.explain.logins import judge_oidc
from edgegate.http.exchange import Exchange
from edgegate.http.guards.oidc.cookie_box import CookieBox
from edgegate.model.guards import jwt
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import AllowedClaim
from tests.http.conversation import Conversation, routed, to_web
from tests.http.guards.oidc.providing import guard

GUARD = guard(allowed=(AllowedClaim(("groups",), ("staff",)),), claim_headers=(ClaimHeader(b"x-user", ("sub",)),))
BOX = CookieBox(GUARD, urandom)
PAGE = b"Accept: text/html"


def asked(*fields: bytes, target: bytes = b"/", host: bytes = b"web.localhost") -> Exchange:
    """Return a request that was made."""
    talk = Conversation()
    client = talk.client(routed(to_web(), name=host.decode()))
    client.deliver(b"\r\n".join([b"GET %b HTTP/1.1" % target, b"Host: " + host, *fields, b"", b""]))
    client.finish()
    return talk.ended[0]


def session(fresh: int = 300, refresh: str = "", **claims: object) -> bytes:
    """Return the field of a browser with a session."""
    now = int(time())
    found = Session("id", {"sub": "ali", "groups": ["staff"], **claims}, now, now, now + fresh, "", refresh)
    return b"Cookie: %b=1.%b" % (BOX.name, BOX.sealed(found))


class LoginTests(SynchronousTestCase):
    """What is said of logins offline."""

    def test_judged(self) -> None:
        """Sessions are opened, and nobody asks the provider."""
        for exchange, verdict, words, status in (
            (asked(), Verdict.DENIED, "shows no session", 401),
            (asked(PAGE), Verdict.DENIED, "is sent to https://id.example", 302),
            (asked(PAGE, b"Cookie: %b=1.forged" % BOX.name), Verdict.DENIED, "shows no session", 302),
            (asked(PAGE, session(-1)), Verdict.DENIED, "its session is over", 302),
            (asked(PAGE, session(groups=["other"])), Verdict.DENIED, "none of those who may pass", 403),
            (asked(PAGE, host=b"web.example"), Verdict.DENIED, "no session in the clear", 403),
            (asked(PAGE, session()), Verdict.ALLOWED, "ali has logged in", None),
            (asked(PAGE, session(-1, "token")), Verdict.UNKNOWN, "asked for new tokens", None),
            (asked(PAGE, target=GUARD.callback), Verdict.UNKNOWN, "own path", None),
            (asked(PAGE, target=GUARD.logout), Verdict.UNKNOWN, "own path", None),
        ):
            found = judge_oidc(GUARD, exchange)
            self.assertEqual(found.verdict, verdict, words)
            self.assertIn(words, found.words)
            self.assertEqual(None if found.refusal is None else found.refusal.status, status)
        for groups, verdict in ((["staff"], Verdict.ALLOWED), (["other"], Verdict.DENIED)):
            exchange = asked()
            exchange.note(jwt.METADATA, {jwt.PAYLOAD: {"sub": "app", "groups": groups}})
            found = judge_oidc(replace(GUARD, accept_tokens=True), exchange)
            self.assertEqual(found.verdict, verdict)
            self.assertIn("app has a token", found.words)
            self.assertEqual(judge_oidc(GUARD, exchange).verdict, Verdict.DENIED)
        exchange = asked(session())
        judge_oidc(GUARD, exchange)
        self.assertIn((b"x-user", b"ali"), exchange.head.fields)
