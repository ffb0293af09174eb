"""Tests of L{edgegate.http.guards.oidc.logins}."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.login import Answer, Login
from edgegate.access.oidc.provider import BadProvider, Refused
from edgegate.http.exchange import Exchange
from edgegate.http.guards.oidc.answers import BAD_ANSWER, BAD_IDENTITY, NO_LOGIN, PROVIDER_AWAY
from edgegate.http.guards.oidc.logins import Logins
from edgegate.http.guards.oidc.provider import Provider, Unavailable
from edgegate.http.guards.oidc.state import OIDCState
from edgegate.http.guards.refusal import Refusal
from tests.http.conversation import Conversation, routed, to_web
from tests.http.guards.oidc.providing import ISSUER, NOW, SAYS, HeldProvider, guard


class LoginsTests(SynchronousTestCase):
    """The way to the provider and back."""

    def setUp(self) -> None:
        client = HeldProvider()
        provider = Provider(SAYS, client, Clock())
        provider.fetch()
        client.tell()
        self.addCleanup(provider.stop)
        self.state = OIDCState(guard(), provider, lambda: NOW)
        self.logins = Logins(self.state)

    def asked(self, target: str, cookies: dict[str, bytes], method: str = "GET") -> Exchange:
        """Return a request that was made."""
        talk = Conversation()
        client = talk.client(routed(to_web(), name="web.localhost"))
        kept = b"; ".join(b"%b=%b" % (name.encode(), value) for name, value in cookies.items())
        client.deliver(f"{method} {target} HTTP/1.1\r\nHost: web.localhost\r\nCookie: ".encode() + kept + b"\r\n\r\n")
        client.finish()
        return talk.ended[0]

    def begun(self) -> tuple[Login, dict[str, bytes]]:
        """Return a login, and the cookie that keeps it."""
        login = Login.new(b"/", NOW, self.state.random)
        text = self.state.cookies.sealer.seal(self.state.cookies.login_purpose, login.packed())
        return login, {f"__Host-edgegate.login.{login.state[:8]}": text}

    def test_answered(self) -> None:
        """A code comes back to the login that its cookie keeps."""
        login, cookies = self.begun()
        found = self.logins.answered(self.asked(f"/cb?code=c&state={login.state}", cookies))
        self.assertEqual(found, (Answer(login.state, "c", "", ""), login))

    def test_not_answered(self) -> None:
        """Another one's state, issuer or method, a cookie of a session, or one of another state, are no answer."""
        login, cookies = self.begun()
        (name,) = cookies
        good = f"/cb?code=c&state={login.state}"
        session = self.state.cookies.sealer.seal(self.state.cookies.session_purpose, login.packed())
        other, _ = self.begun()
        for target, kept, method, expected in (
            (good, {}, "GET", NO_LOGIN),
            (good, {name: session}, "GET", NO_LOGIN),
            (f"/cb?code=c&state={login.state[:-1]}", cookies, "GET", NO_LOGIN),
            (f"/cb?code=c&state={other.state}", cookies, "GET", NO_LOGIN),
            (good + "&iss=https%3A%2F%2Fevil.example", cookies, "GET", NO_LOGIN),
            (good, cookies, "POST", BAD_ANSWER),
            ("/cb", cookies, "GET", BAD_ANSWER),
        ):
            self.assertIs(self.logins.answered(self.asked(target, kept, method)), expected, (target, method))

    def test_mixed_up(self) -> None:
        """A provider that always says who it is is believed only where it does."""
        assert self.state.provider.metadata is not None
        self.state.provider.metadata = replace(self.state.provider.metadata, says_issuer=True)
        login, cookies = self.begun()
        good = f"/cb?code=c&state={login.state}"
        self.assertIs(self.logins.answered(self.asked(good, cookies)), NO_LOGIN)
        named = self.asked(f"{good}&iss={ISSUER}", cookies)
        self.assertNotIsInstance(self.logins.answered(named), Refusal)

    def test_failed(self) -> None:
        """Whose fault it is decides what is answered; what nobody has thought of lets nobody in."""
        for error, expected in (
            (Refused("invalid_grant"), NO_LOGIN),
            (Unavailable("refused"), PROVIDER_AWAY),
            (BadProvider("its id token is none"), BAD_IDENTITY),
            (ZeroDivisionError(), PROVIDER_AWAY),
        ):
            self.assertIs(self.logins.failed(Failure(error)), expected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
