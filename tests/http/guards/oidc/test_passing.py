"""Tests of L{edgegate.http.guards.oidc.passing}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.session import Session
from edgegate.http.exchange import Exchange
from edgegate.http.guards.oidc.passing import METADATA, identify, keep_cookies, response_with_cookies, token_session
from edgegate.http.response import ResponseHead
from edgegate.model.guards import jwt
from edgegate.model.guards.jwt import ClaimHeader
from tests.http.conversation import Conversation
from tests.http.guards.oidc.providing import guard

SESSION = Session("id", {"sub": "ali"}, 0, 0, 300, "token")


def exchange(*fields: bytes) -> Exchange:
    """Return a request that was made."""
    talk = Conversation()
    talk.ask(b"\r\n".join([b"GET / HTTP/1.1", b"Host: web.example", *fields, b"", b""])).finish()
    return talk.ended[0]


class PassingTests(SynchronousTestCase):
    """Requests of users who have logged in."""

    def test_told(self) -> None:
        """A claim that the user has not is no reason to believe what a client says of it."""
        policy = guard(claim_headers=(ClaimHeader(b"x-user", ("sub",)), ClaimHeader(b"x-mail", ("email",))))
        asked = exchange(b"X-User: root", b"X-Mail: root", b"X_Mail: root", b"Authorization: Basic eA==")
        identify(policy, asked, SESSION, ())
        self.assertEqual(sorted(asked.head.fields), [(b"authorization", b"Basic eA=="), (b"x-user", b"ali")])

    def test_token(self) -> None:
        """The access token takes the place of what the client has sent."""
        asked = exchange(b"Authorization: Bearer forged")
        identify(guard(forward_token=True), asked, SESSION, ())
        self.assertEqual(asked.head.fields, [(b"authorization", b"Bearer token")])
        # nor does the client's pass where the session has none
        asked = exchange(b"Authorization: Bearer forged")
        identify(guard(forward_token=True), asked, replace(SESSION, access_token=""), ())
        self.assertEqual(asked.head.fields, [])
        # but for the token that stands for a session
        asked = exchange(b"Authorization: Bearer verified")
        identify(guard(forward_token=True), asked, replace(SESSION, identifier="", access_token=""), ())
        self.assertEqual(asked.head.fields, [(b"authorization", b"Bearer verified")])

    def test_verified_token(self) -> None:
        """Who shows a token as well is who that says."""
        asked = exchange()
        asked.note(jwt.METADATA, {jwt.PAYLOAD: {"sub": "bob"}})
        identify(guard(), asked, SESSION, ())
        assert asked.metadata is not None
        self.assertEqual(asked.metadata[jwt.METADATA][jwt.PAYLOAD], {"sub": "bob"})

    def test_token_session(self) -> None:
        """Only a token that was verified counts, and only where the policy says so."""
        asked = exchange(b"Authorization: Bearer forged")
        self.assertIsNone(token_session(guard(accept_tokens=True), asked))
        asked.note(METADATA, {"claims": {"sub": "ali"}})
        self.assertIsNone(token_session(guard(accept_tokens=True), asked))
        asked.note(jwt.METADATA, {jwt.PAYLOAD: {"sub": "bob"}})
        self.assertIsNone(token_session(guard(), asked))
        found = token_session(guard(accept_tokens=True), asked)
        assert found is not None
        self.assertEqual(found.claims, {"sub": "bob"})

    def test_session_of_another(self) -> None:
        """The session of one policy is no token for another one."""
        asked = exchange()
        identify(guard(), asked, SESSION, ())
        self.assertIsNone(token_session(guard(accept_tokens=True), asked))

    def test_cookies(self) -> None:
        """A response that sets a session is kept by nobody else; the session is not shown where metadata are."""
        asked = exchange()
        head = ResponseHead(200, b"OK", [(b"cache-control", b"public"), (b"a", b"b")])
        self.assertIs(response_with_cookies(guard(), asked, head), head)
        keep_cookies(guard(), asked, [(b"set-cookie", b"secret=1"), (b"set-cookie", b"secret=2")])
        self.assertEqual(
            response_with_cookies(guard(), asked, head).fields,
            [(b"a", b"b"), (b"cache-control", b"no-store"), (b"set-cookie", b"secret=1"), (b"set-cookie", b"secret=2")],
        )
        assert asked.metadata is not None
        self.assertNotIn("secret", str(asked.metadata[METADATA]))

    def test_cookies_of_two(self) -> None:
        """A request that has met two policies sets the cookies of both, each once."""
        asked = exchange()
        policies = guard(), replace(guard(), name="default/other")
        for number, policy in enumerate(policies):
            keep_cookies(policy, asked, [(b"set-cookie", b"c=%d" % number)])
        head = ResponseHead(200, b"OK", [])
        for policy in policies:
            head = response_with_cookies(policy, asked, head)
        self.assertEqual([value for name, value in head.fields if name == b"set-cookie"], [b"c=0", b"c=1"])
