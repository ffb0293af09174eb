"""Tests of L{edgegate.access.basic}."""

from __future__ import annotations

import base64

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.basic import LONGEST_CREDENTIALS, basic_credentials, challenge


class BasicCredentialsTests(SynchronousTestCase):
    """What clients show."""

    def test_taken(self) -> None:
        """Any case of the scheme, a password with colons, none at all."""
        for text, found in (
            (b"ali:open sesame", (b"ali", b"open sesame")),
            (b"ali:a:b", (b"ali", b"a:b")),
            (b"ali:", (b"ali", b"")),
            (b":", (b"", b"")),
            (b"\xc3\xa4:\xff", (b"\xc3\xa4", b"\xff")),
        ):
            for scheme in (b"Basic ", b"basic ", b"BASIC  "):
                self.assertEqual(basic_credentials(scheme + base64.b64encode(text)), found)

    def test_not_taken(self) -> None:
        """Another scheme, no scheme, base64 that is none or not whole, no colon, too much."""
        for value in (
            b"",
            b"Basic",
            b"Basic ",
            b"Bearer YWxpOng=",
            b"YWxpOng=",
            b"Basic YWxpOng",
            b"Basic YWxp Ong=",
            b"Basic YWxpOng=, Basic YWxpOng=",
            b"Basic !!!!",
            b"Basic " + base64.b64encode(b"ali"),
            b"Basic " + base64.b64encode(b"ali:" + b"x" * LONGEST_CREDENTIALS),
        ):
            self.assertIsNone(basic_credentials(value), value)

    def test_challenge(self) -> None:
        """A realm can't end its quotes."""
        self.assertEqual(challenge(b"Basic", b"Staff"), b'Basic realm="Staff", charset="UTF-8"')
        self.assertEqual(challenge(b"ApiKey", b'a"\\b'), b'ApiKey realm="a\\"\\\\b"')
