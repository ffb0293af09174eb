"""Tests of L{edgegate.access.oidc.sealing}."""

from __future__ import annotations

from base64 import b64encode
from os import urandom

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.sealing import LONGEST_TEXT, BadKeys, Sealer, parse_cookie_keys

ONE, TWO = (b64encode(bytes(range(first, first + 32))) for first in (0, 100))


class SealerTests(SynchronousTestCase):
    """What a client keeps for the gateway."""

    def setUp(self) -> None:
        self.keys = parse_cookie_keys(ONE + b"\n" + TWO)
        self.sealer = Sealer(self.keys, urandom)

    def test_opens(self) -> None:
        """What was sealed opens, and is never the same twice."""
        for content in (b"", b"x", b"session" * 500):
            text = self.sealer.seal(b"a", content)
            self.assertEqual(self.sealer.opened(b"a", text), (content, True))
            self.assertNotEqual(text, self.sealer.seal(b"a", content))
        self.assertNotIn(b64encode(b"session" * 3)[:-4], text)

    def test_purpose(self) -> None:
        """A cookie of one policy is none of another, and a login's is no session."""
        text = self.sealer.seal(b"a", b"x")
        self.assertIsNone(self.sealer.open(b"b", text))
        self.assertIsNone(self.sealer.open(b"", text))

    def test_forged(self) -> None:
        """A letter that is another one, cut off or added, the two halves swapped, or nothing at all."""
        text = self.sealer.seal(b"a", b"user=ali")
        for at in range(len(text)):
            other = b"A" if text[at : at + 1] != b"A" else b"Q"
            changed = text[:at] + other + text[at + 1 :]
            self.assertIsNone(self.sealer.open(b"a", changed), changed)
        half = len(text) // 2
        for forged in (b"", text[:-1], text[:-4], text[1:], text + b"A", text + text, text[half:] + text[:half]):
            self.assertIsNone(self.sealer.open(b"a", forged), forged)
        for forged in (text + b"=", b" " + text, text + b"\n", b"*" + text, b"A" * 40, b"A" * (LONGEST_TEXT + 1)):
            self.assertIsNone(self.sealer.open(b"a", forged), forged)

    def test_rotated(self) -> None:
        """A key that was replaced opens what it has sealed, until it goes; what it sealed is sealed anew then."""
        text = Sealer(self.keys[1:], urandom).seal(b"a", b"x")
        self.assertEqual(self.sealer.opened(b"a", text), (b"x", False))
        self.assertIsNone(Sealer(self.keys[:1], urandom).open(b"a", text))

    def test_keys(self) -> None:
        """Keys are one a line; comments and empty lines are none."""
        self.assertEqual(len(self.keys), 2)
        self.assertEqual({len(key) for key in self.keys}, {32})
        self.assertEqual(parse_cookie_keys(b"# now\n" + ONE + b"\r\n\n# before\n" + TWO + b"\n"), self.keys)

    def test_bad_keys(self) -> None:
        """What anybody could guess is told with its line, and not repeated."""
        for content, message in (
            (b"", "no key"),
            (b"# none\n", "no key"),
            (ONE + b"\nsecret", "line 2"),
            (b"x" * 64, "line 1"),
            (b"\n".join([ONE] * 9), "more than 8"),
        ):
            error = self.assertRaises(BadKeys, parse_cookie_keys, content)
            self.assertIn(message, str(error))
            self.assertNotIn("secret", str(error))
