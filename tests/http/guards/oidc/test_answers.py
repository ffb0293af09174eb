"""Tests of L{edgegate.http.guards.oidc.answers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.oidc.answers import (
    PROVIDER_AWAY,
    refused_by_provider,
    sent_to,
    unauthorized,
    with_cookies,
)
from tests.http.guards.oidc.providing import guard


class AnswerTests(SynchronousTestCase):
    """What users and programs get."""

    def test_refused(self) -> None:
        """Errors of OAuth are told; what is none of their words is not repeated, as anybody can write it into a URL."""
        self.assertEqual(refused_by_provider("access_denied").body[-13:], b"access_denied")
        self.assertIs(refused_by_provider("temporarily_unavailable"), PROVIDER_AWAY)
        for error in ("<script>", "call 0800-1234", "x" * 65, "ä", "_"):
            found = refused_by_provider(error)
            self.assertEqual((found.status, found.body[-13:]), (403, b"unknown error"), error)
            self.assertEqual(found.details, "oidc_refused{unknown_error}")

    def test_not_stored(self) -> None:
        """No cache keeps an answer that is one client's."""
        for found in (unauthorized(guard()), sent_to(b"/", "x", []), refused_by_provider("x"), PROVIDER_AWAY):
            self.assertIn((b"cache-control", b"no-store"), found.fields)

    def test_cookies(self) -> None:
        """Cookies come to what there is."""
        found = with_cookies(PROVIDER_AWAY, [(b"set-cookie", b"a=b")])
        self.assertEqual(found.fields, (*PROVIDER_AWAY.fields, (b"set-cookie", b"a=b")))
        self.assertEqual((found.status, found.details), (503, "oidc_provider_unavailable"))

    def test_challenge(self) -> None:
        """Who is told 401 is told whose token would do."""
        self.assertIn((b"www-authenticate", b'Bearer realm="https://id.example"'), unauthorized(guard()).fields)
