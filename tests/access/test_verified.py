"""Tests of L{edgegate.access.verified}."""

from __future__ import annotations

from os import urandom

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.verified import MOST_REFUSED, VerifiedCredentials


class VerifiedCredentialsTests(SynchronousTestCase):
    """What is known of credentials."""

    def test_known(self) -> None:
        """Credentials are known by all of them, and only once they were looked at."""
        known = VerifiedCredentials(urandom)
        right, wrong = known.digest(b"YWxpOng="), known.digest(b"YWxpOnk=")
        self.assertIsNone(known.owner(right))
        known.verify(right, b"ali")
        known.refuse(wrong)
        self.assertEqual(known.owner(right), b"ali")
        self.assertEqual(known.owner(wrong), b"")
        self.assertIsNone(known.owner(known.digest(b"")))

    def test_key(self) -> None:
        """Two processes know the same credentials by other digests."""
        self.assertNotEqual(VerifiedCredentials(urandom).digest(b"x"), VerifiedCredentials(urandom).digest(b"x"))
        fixed = VerifiedCredentials(bytes)
        self.assertEqual(fixed.digest(b"x"), VerifiedCredentials(bytes).digest(b"x"))
        self.assertNotEqual(fixed.digest(b"x"), fixed.digest(b"y"))

    def test_room(self) -> None:
        """Those go that were asked for the longest time ago."""
        known = VerifiedCredentials(bytes, 4)
        for name in (b"a", b"b", b"c", b"d"):
            known.verify(name, b"ali")
        self.assertEqual(known.owner(b"a"), b"ali")
        known.verify(b"e", b"ali")
        self.assertEqual([known.owner(each) for each in (b"a", b"b", b"c")], [b"ali", None, b"ali"])

    def test_again(self) -> None:
        """Many requests may have waited for one check: what is there already pushes out nothing."""
        known = VerifiedCredentials(bytes, 2)
        known.verify(b"a", b"ali")
        for _ in range(3):
            known.verify(b"b", b"bea")
        self.assertEqual([known.owner(each) for each in (b"a", b"b")], [b"ali", b"bea"])
        for number in range(MOST_REFUSED):
            known.refuse(b"%d" % number)
        known.refuse(b"1")
        self.assertEqual(known.owner(b"0"), b"")

    def test_guesses(self) -> None:
        """Who guesses pushes out none that fit, and no more is kept than there is room for."""
        known = VerifiedCredentials(bytes)
        known.verify(b"right", b"ali")
        for number in range(MOST_REFUSED + 10):
            known.refuse(b"%d" % number)
        self.assertEqual(known.owner(b"right"), b"ali")
        self.assertIsNone(known.owner(b"9"))
        self.assertEqual(known.owner(b"10"), b"")
