"""Tests of L{edgegate.http.guards.oidc.oidc_filter}."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.oidc.oidc_filter import end_session_url
from edgegate.http.guards.oidc.provider import Provider
from edgegate.http.guards.oidc.state import OIDCState
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import OIDC, AllowedClaim
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, routed, to_web
from tests.http.guards.oidc.providing import KEY, NEW_KEY, NOW, SAYS, HeldProvider, guard, tokens
from tests.http.h1.test_downstream_connection import OK

HOST = b"web.localhost"


class Page:
    """A browser, the gateway and the provider."""

    def __init__(self, policy: OIDC, ready: bool = True) -> None:
        self.talk = Conversation()
        self.talk._downstream = routed(to_web(guards=(policy,)), name="web.localhost")
        self.client = HeldProvider()
        self.provider = Provider(SAYS, self.client, self.talk.clock)
        self.provider.fetch()
        if ready:
            self.client.tell()
        self.take(policy)
        self.cookies: dict[bytes, bytes] = {}

    def take(self, policy: OIDC) -> None:
        """Serve another policy from now on."""
        state = OIDCState(policy, self.provider, lambda: NOW + self.talk.clock.seconds())
        self.talk.environment.access.of(policy, lambda: state)

    def ask(self, target: bytes, *fields: bytes, method: bytes = b"GET", page: bool = True) -> FakeStream:
        """Ask for something."""
        own = [b"Accept: text/html"] if page else []
        if self.cookies:
            own.append(b"Cookie: " + b"; ".join(b"%b=%b" % each for each in self.cookies.items()))
        lines = [b"%b %b HTTP/1.1" % (method, target), b"Host: " + HOST, *own, *fields, b"", b""]
        return self.talk.ask(b"\r\n".join(lines))

    def keep(self, sent: bytes) -> None:
        """Keep the cookies of a response."""
        for line in sent.partition(b"\r\n\r\n")[0].split(b"\r\n"):
            name, _, text = line.partition(b": ")
            if name == b"set-cookie":
                cookie, _, value = text.partition(b";")[0].partition(b"=")
                if b"Max-Age=0" in text:
                    self.cookies.pop(cookie, None)
                else:
                    self.cookies[cookie] = value

    def go(self, target: bytes = b"/") -> dict[str, str]:
        """Go to a page, and return what is asked of the provider."""
        sent = self.ask(target).sent
        self.keep(sent)
        return {name: values[0] for name, values in parse_qs(urlsplit(location(sent)).query).items()}

    def log_in(self, **claims: Any) -> bytes:
        """Log in, and return what is answered to that."""
        asked = self.go()
        client = self.ask(b"/oauth2/callback?code=c&state=" + asked["state"].encode())
        self.client.answer(tokens(self.now, asked["nonce"], **claims))
        self.keep(client.sent)
        return client.sent

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return NOW + self.talk.clock.seconds()


def location(sent: bytes) -> str:
    """Return where a response leads to."""
    lines = sent.partition(b"\r\n\r\n")[0].split(b"\r\n")
    (found,) = [line for line in lines if line.startswith(b"location: ")]
    return found[10:].decode()


def status(client: FakeStream) -> int:
    """Return the status of a response."""
    return int(client.sent.split(b" ")[1])


class OIDCFilterTests(SynchronousTestCase):
    """Requests where an OIDCPolicy stands."""

    def page(self, ready: bool = True, **what: Any) -> Page:
        """Return a browser."""
        page = Page(guard(**what), ready)
        self.addCleanup(page.provider.stop)
        return page

    def test_logged_in(self) -> None:
        """A session passes, its claims go to backends, policies and the log, and its cookies to nobody."""
        page = self.page(claim_headers=(ClaimHeader(b"x-user", ("sub",)),), forward_token=True)
        self.assertIn(b"HTTP/1.1 302 ", page.log_in(scope="a b"))
        page.ask(b"/", b"Cookie: theme=dark", b"X_User: root")
        backend = page.talk.backend()
        self.assertIn(b"x-user: ali\r\n", backend.sent)
        self.assertIn(b"authorization: Bearer access 1000000\r\n", backend.sent)
        self.assertIn(b"cookie: theme=dark\r\n", backend.sent)
        for word in (b"__Host-", b"root"):
            self.assertNotIn(word, backend.sent)
        backend.deliver(OK)
        metadata = page.talk.ended[-1].metadata
        assert metadata is not None
        payload: Any = metadata["envoy.filters.http.jwt_authn"]["payload"]
        self.assertEqual((payload["sub"], payload["scope"]), ("ali", ["a", "b"]))
        self.assertNotIn("nonce", payload)
        self.assertEqual(page.talk.left["requests"], 0)

    def test_before_known(self) -> None:
        """A user who comes before the provider is known waits for a moment; one who comes while it is away does not."""
        page = self.page(ready=False)
        client = page.ask(b"/")
        self.assertEqual(client.sent, b"")
        page.client.tell()
        self.assertEqual(status(client), 302)
        page = self.page(ready=False)
        client = page.ask(b"/")
        page.client.fetches.pop()[1].errback(ConnectionError("refused"))
        self.assertEqual((status(client), status(page.ask(b"/"))), (503, 503))
        self.assertEqual(page.talk.ended[-1].details, "oidc_provider_unavailable")

    def test_token_endpoint_away(self) -> None:
        """A code that can't be exchanged is answered 503, and after its time even where nothing comes at all."""
        page = self.page()
        client = page.ask(b"/oauth2/callback?code=c&state=" + page.go()["state"].encode())
        page.client.answer(ConnectionError("refused"))
        self.assertEqual(status(client), 503)
        client = page.ask(b"/oauth2/callback?code=c&state=" + page.go()["state"].encode())
        page.talk.clock.advance(16)
        self.assertEqual(status(client), 503)

    def test_answered_again(self) -> None:
        """An answer counts once, also for who has kept the cookie of the login: the provider is not asked again."""
        page = self.page()
        target = b"/oauth2/callback?code=c&state=" + page.go()["state"].encode()
        first, second = page.ask(target), page.ask(target)
        self.assertEqual((first.sent, status(second), len(page.client.posts)), (b"", 400, 1))

    def test_new_key(self) -> None:
        """A provider that has just changed its keys is asked for them, once."""
        page = self.page()
        asked = page.go()
        client = page.ask(b"/oauth2/callback?code=c&state=" + asked["state"].encode())
        page.client.answer(tokens(page.now, asked["nonce"], NEW_KEY))
        self.assertEqual(client.sent, b"")
        page.client.tell(KEY, NEW_KEY)
        self.assertEqual(status(client), 302)
        page = self.page()
        asked = page.go()
        client = page.ask(b"/oauth2/callback?code=c&state=" + asked["state"].encode())
        page.client.answer(tokens(page.now, asked["nonce"], NEW_KEY))
        page.client.tell(KEY)
        self.assertEqual(status(client), 403)

    def test_too_large(self) -> None:
        """Claims that fit into no cookies are told, in place of half a session."""
        self.assertIn(b"HTTP/1.1 500 ", self.page().log_in(groups=["x" * 100] * 100))

    def test_refreshed(self) -> None:
        """Before its tokens end a session gets new ones, once for all its requests, and its cookie changes."""
        page = self.page(forward_token=True)
        page.log_in()
        old = dict(page.cookies)
        page.talk.clock.advance(280)
        first, second = page.ask(b"/1"), page.ask(b"/2", page=False)
        self.assertEqual((page.talk.connects, len(page.client.posts)), ([], 1))
        asked = page.client.answer(tokens(page.now, None))
        self.assertEqual(asked, {"grant_type": "refresh_token", "refresh_token": "refresh 1000000"})
        for connect, client in zip(page.talk.connects, (first, second), strict=True):
            backend = connect.accept()
            self.assertIn(b"authorization: Bearer access 1000280\r\n", backend.sent)
            backend.deliver(OK)
            self.assertIn(b"cache-control: no-store\r\n", client.sent)
            page.keep(client.sent)
        self.assertNotEqual(page.cookies, old)
        page.talk.clock.advance(10)
        page.cookies, new = old, page.cookies
        page.ask(b"/late").finish()
        self.assertEqual(page.client.posts, [])
        page.cookies = new
        page.talk.clock.advance(200)
        self.assertIn(
            b"Bearer access 1000280",
            page.talk.asked(
                b"GET / HTTP/1.1\r\nHost: %b\r\nCookie: %b\r\n\r\n"
                % (HOST, b"; ".join(b"%b=%b" % each for each in new.items()))
            ),
        )

    def test_short_tokens(self) -> None:
        """Tokens that end within a minute are refreshed each time, also with a refresh token that stays the same."""
        page = self.page(forward_token=True)
        page.log_in()
        old = dict(page.cookies)
        page.talk.clock.advance(290)
        backend = None
        for _ in range(3):
            client = page.ask(b"/")
            given = json.loads(tokens(page.now, None)[1])
            given.update(expires_in=20, refresh_token="refresh 1000000")
            page.client.answer((200, json.dumps(given).encode()))
            backend = backend or page.talk.backend()
            self.assertIn(b"Bearer access %d" % page.now, backend.sent)
            backend.deliver(OK)
            page.keep(client.sent)
            page.talk.clock.advance(21)
        # so are they for who still shows the first cookie
        page.cookies = old
        page.ask(b"/")
        self.assertEqual(len(page.client.posts), 1)

    def test_logout_meanwhile(self) -> None:
        """A session that is refreshed as its user logs out is over, and the client gets no cookie of it any more."""
        page = self.page()
        page.log_in()
        page.talk.clock.advance(280)
        script = page.ask(b"/", page=False)
        self.assertEqual(status(page.ask(b"/oauth2/logout")), 302)
        page.client.answer(tokens(page.now, None))
        self.assertEqual((status(script), page.talk.connects), (401, []))
        self.assertNotIn(b"set-cookie", script.sent)

    def test_refresh_refused(self) -> None:
        """A user whom the provider has logged out logs in again; so does a script learn of it."""
        page = self.page()
        page.log_in()
        page.talk.clock.advance(280)
        client, script = page.ask(b"/"), page.ask(b"/", page=False)
        page.client.answer((400, b'{"error": "invalid_grant"}'))
        self.assertEqual((status(client), status(script)), (302, 401))
        self.assertEqual((status(page.ask(b"/")), page.client.posts), (302, []))

    def test_refresh_away(self) -> None:
        """While the provider is away a session goes on to the end of its tokens, and no further."""
        page = self.page()
        page.log_in()
        page.talk.clock.advance(280)
        page.ask(b"/")
        page.client.answer(ConnectionError("refused"))
        self.assertEqual(len(page.talk.connects), 1)
        page.talk.clock.advance(30)
        client = page.ask(b"/")
        page.client.answer(ConnectionError("refused"))
        self.assertEqual((status(client), len(page.talk.connects)), (503, 1))

    def test_refreshed_as_another(self) -> None:
        """Tokens of another user are not taken for this one's."""
        page = self.page()
        page.log_in()
        page.talk.clock.advance(310)
        client = page.ask(b"/")
        page.client.answer(tokens(page.now, None, sub="eve"))
        self.assertEqual((status(client), page.talk.connects), (503, []))

    def test_ends(self) -> None:
        """A session ends when the policy says so, however fresh its tokens are."""
        page = self.page(lasts=60)
        page.log_in()
        page.talk.clock.advance(59)
        page.ask(b"/").finish()
        self.assertEqual(len(page.talk.connects), 1)
        page.talk.clock.advance(1)
        self.assertEqual(status(page.ask(b"/")), 302)

    def test_rotated(self) -> None:
        """A session under a key that was replaced goes on, under the new one; when the key is gone it ends."""
        page = self.page()
        page.log_in()
        for cookie_keys, passes in (((bytes(range(32)), bytes(32)), True), ((bytes(range(1, 33)),), False)):
            policy = guard(cookie_keys=cookie_keys)
            other = Page(policy)
            self.addCleanup(other.provider.stop)
            other.cookies = dict(page.cookies)
            client = other.ask(b"/")
            if passes:
                other.talk.backend().deliver(OK)
                other.keep(client.sent)
                self.assertNotEqual(other.cookies, page.cookies)
            else:
                self.assertEqual(status(client), 302)

    def test_claims_change(self) -> None:
        """Who may pass is asked with each request: a policy that changes ends what it allowed."""
        page = self.page()
        page.log_in()
        other = Page(guard(allowed=(AllowedClaim(("sub",), ("bob",)),)))
        self.addCleanup(other.provider.stop)
        other.cookies = page.cookies
        self.assertEqual(status(other.ask(b"/")), 403)
        self.assertEqual(other.talk.ended[-1].details, "oidc_claims_denied")

    def test_client_leaves(self) -> None:
        """Who leaves while the provider is asked leaves nothing behind."""
        page = self.page()
        client = page.ask(b"/oauth2/callback?code=c&state=" + page.go()["state"].encode())
        client.finish()
        page.client.answer((400, b'{"error": "invalid_grant"}'))
        page.provider.stop()
        self.assertEqual(page.talk.left, NOTHING_LEFT)

    def test_logs_out(self) -> None:
        """The provider is told where the user goes next."""
        page = self.page(after_logout="/bye")
        page.log_in()
        copied = dict(page.cookies)
        sent = page.ask(b"/oauth2/logout", method=b"POST").sent
        page.keep(sent)
        self.assertEqual(page.cookies, {})
        asked = page.client.answer((200, b""))
        self.assertEqual(asked, {"token": "refresh 1000000", "token_type_hint": "refresh_token"})
        page.cookies = copied
        self.assertEqual(status(page.ask(b"/", page=False)), 401)
        self.assertEqual(
            location(sent),
            "https://id.example/end?client_id=me&post_logout_redirect_uri=http%3A%2F%2Fweb.localhost%2Fbye",
        )
        self.assertEqual(end_session_url("https://a/?b", "c", ""), b"https://a/?b&client_id=c")
