"""C{www-authenticate}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.challenge import challenge
from edgegate.access.jwt.refusals import EXPIRED, MISSING


class ChallengeTests(SynchronousTestCase):
    """L{challenge}."""

    def test_realm(self) -> None:
        """It names the URL, and that a token is bad unless there was none."""
        self.assertEqual(challenge(MISSING, b"https", b"a.example", b"/b?c"), b'Bearer realm="https://a.example/b?c"')
        found = challenge(EXPIRED, b"http", b"a.example:80", b"/")
        self.assertEqual(found, b'Bearer realm="http://a.example:80/", error="invalid_token"')

    def test_quotes(self) -> None:
        """Nothing in a URL ends the text."""
        found = challenge(MISSING, b"https", b"a", b'/?", error="none')
        self.assertEqual(found, b'Bearer realm="https://a/?%22, error=%22none"')
        self.assertEqual(challenge(MISSING, b"https", b"a", b"/\\"), b'Bearer realm="https://a/%5C"')

    def test_long(self) -> None:
        """There is so much of it."""
        self.assertEqual(len(challenge(MISSING, b"https", b"a", b"/" + b"x" * 9000)), len(b'Bearer realm=""') + 256)
