"""Tests of L{edgegate.access.oidc.login}."""

from __future__ import annotations

from dataclasses import replace
from os import urandom
from urllib.parse import parse_qs, urlsplit

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.login import (
    LASTS,
    LONGEST_ANSWER,
    LONGEST_RETURN,
    Answer,
    BadAnswer,
    Login,
    authorization_url,
    belongs,
    parse_answer,
    unpacked_login,
)

ISSUER = "https://id.example"


class LoginTests(SynchronousTestCase):
    """The way to the provider."""

    def test_url(self) -> None:
        """All that OpenID Connect and PKCE ask for is there; a query that the endpoint has stays."""
        login = Login.new(b"/a?b=c", 1000.5, urandom)
        url = authorization_url("https://id.example/login?x=y", "me", ("openid", "email"), "https://a/cb?", login)
        parts = urlsplit(url.decode())
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.assertEqual((parts.netloc, parts.path, query["x"]), ("id.example", "/login", "y"))
        self.assertEqual(
            (query["response_type"], query["client_id"], query["redirect_uri"], query["scope"]),
            ("code", "me", "https://a/cb?", "openid email"),
        )
        self.assertEqual((query["state"], query["nonce"]), (login.state, login.nonce))
        self.assertEqual(query["code_challenge_method"], "S256")
        self.assertEqual(query["code_challenge"], login.challenge)

    def test_challenge(self) -> None:
        """The example of RFC 7636 appendix B."""
        login = replace(Login.new(b"/", 0, urandom), verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        self.assertEqual(login.challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")

    def test_again(self) -> None:
        """It comes back as it was kept; no two are alike."""
        login = Login.new(b"/a?b=%c3%a4", 1000, urandom)
        self.assertEqual(unpacked_login(login.packed()), login)
        other = Login.new(b"/a", 1000, urandom)
        for name in ("state", "nonce", "verifier"):
            self.assertNotEqual(getattr(login, name), getattr(other, name))
            self.assertNotIn(login.verifier, repr(login))
        for content in (b"", b"[]", b"[1,2,3]", b'["a","b","c","/","x"]'):
            self.assertIsNone(unpacked_login(content))

    def test_return(self) -> None:
        """A target that is too long to keep, or no path, is not come back to."""
        for target in (b"*", b"/" + b"x" * LONGEST_RETURN, b"http://evil.example/"):
            self.assertEqual(Login.new(target, 0, urandom).target, "/")


class AnswerTests(SynchronousTestCase):
    """The way back."""

    def test_parsed(self) -> None:
        """A code or an error, and what else a provider says is passed over."""
        self.assertEqual(parse_answer(b"state=a%2b&code=b&session_state=c&iss="), Answer("a+", "b", "", ""))
        self.assertEqual(
            parse_answer(b"error=access_denied&state=a&error_description=no"), Answer("a", "", "access_denied", "")
        )

    def test_refused(self) -> None:
        """Nothing, a parameter twice, both or neither of code and error, too much."""
        for query in (
            b"",
            b"state=a",
            b"code=a",
            b"state=&code=a",
            b"state=a&code=b&code=c",
            b"state=a&state=b&code=c",
            b"state=a&code=b&error=c",
            b"state=a&code=b&iss=c&iss=c",
            b"state=a&code=\xff",
            b"state=a&code=%ff",
            b"state=a&code=" + b"x" * LONGEST_ANSWER,
            b"state=a&code=b" + b"&x=y" * 40,
            b"state",
        ):
            self.assertRaises(BadAnswer, parse_answer, query)

    def test_belongs(self) -> None:
        """
        An answer is to a login of this client's: of this state, in time, and from the provider that was asked.
        """
        login = Login.new(b"/", 1000, urandom)
        answer = Answer(login.state, "code", "", "")
        self.assertTrue(belongs(answer, login, ISSUER, False, 1000 + LASTS))
        self.assertTrue(belongs(replace(answer, issuer=ISSUER), login, ISSUER, True, 1000))
        for wrong, its, says, now in (
            (answer, None, False, 1000),
            (answer, Login.new(b"/", 1000, urandom), False, 1000),
            (answer, login, False, 1001 + LASTS),
            (answer, login, False, 999 - LASTS),
            (answer, login, True, 1000),
            (replace(answer, issuer="https://evil.example"), login, False, 1000),
            (replace(answer, issuer=ISSUER + "/"), login, True, 1000),
            (replace(answer, state="ä"), login, False, 1000),
        ):
            self.assertFalse(belongs(wrong, its, ISSUER, says, now), (wrong, its))
