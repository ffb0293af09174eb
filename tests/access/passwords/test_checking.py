"""Tests of L{edgegate.access.passwords.checking}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.passwords.checking import PasswordChecker, may_be_password
from tests.access.passwords.test_hashes import BCRYPT, SHA512, SHA512_PASSWORD


class PasswordCheckerTests(SynchronousTestCase):
    """Users and their passwords."""

    def test_fits(self) -> None:
        """A password is one user's, and nobody else's."""
        checker = PasswordChecker([(b"ali", BCRYPT), (b"bob", SHA512)])
        self.assertTrue(checker.fits(b"ali", b"open sesame"))
        self.assertTrue(checker.fits(b"bob", SHA512_PASSWORD))
        for user, password in (
            (b"bob", b"open sesame"),
            (b"Ali", b"open sesame"),
            (b"", b"open sesame"),
            (b"ali", b""),
        ):
            self.assertFalse(checker.fits(user, password))

    def test_unknown(self) -> None:
        """
        Who has no account is looked at like one who has: with a hash of the file, always with the same one, and even
        its password lets nobody in.
        """
        checker = PasswordChecker([(b"ali", BCRYPT), (b"bob", SHA512)])
        again = PasswordChecker([(b"ali", BCRYPT), (b"bob", SHA512)])
        used = set()
        for number in range(32):
            name = b"guess%d" % number
            used.add(checker._somebody(name))
            self.assertEqual(checker._somebody(name), again._somebody(name))
            self.assertFalse(checker.fits(name, b"open sesame"))
        self.assertEqual(len(used), 2)

    def test_may_be(self) -> None:
        """What is too long costs nothing, nor what some hashes would end at."""
        self.assertTrue(may_be_password(b"x" * 255))
        self.assertTrue(may_be_password(b""))
        self.assertFalse(may_be_password(b"x" * 256))
        self.assertFalse(may_be_password(b"x\0y"))
