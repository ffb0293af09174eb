"""Tests of L{edgegate.access.passwords.hashes}."""

from __future__ import annotations

import bcrypt
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.passwords.hashes import UnknownHash, password_hash

BCRYPT = bcrypt.hashpw(b"open sesame", bcrypt.gensalt(4))
SHA512 = (
    b"$6$rounds=1400$anotherlongsalts$"
    b"POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1"
)
SHA512_PASSWORD = b"a very much longer text to encrypt.  This one even stretches over morethan one line."


def argon2(password: bytes) -> bytes:
    """Return a hash that is quick to make."""
    kdf = Argon2id(salt=b"saltsalt", length=32, iterations=1, lanes=1, memory_cost=64)
    return kdf.derive_phc_encoded(password).encode()


class PasswordHashTests(SynchronousTestCase):
    """Passwords and their hashes."""

    def test_fit(self) -> None:
        """Of each kind the right password fits, and no other one."""
        for text, right in (
            (BCRYPT, b"open sesame"),
            (BCRYPT.replace(b"$2b$", b"$2y$"), b"open sesame"),
            (SHA512, SHA512_PASSWORD),
            (argon2(b"\xc3\xa4"), b"\xc3\xa4"),
        ):
            found = password_hash(text)
            self.assertTrue(found.fits(right), text)
            for wrong in (b"", right + b"x", right[:-1], right.upper()):
                if wrong != right:
                    self.assertFalse(found.fits(wrong), (text, wrong))

    def test_long(self) -> None:
        """What bcrypt did not look at when a hash was made it does not look at now: C{htpasswd} takes longer ones."""
        long = b"x" * 72
        found = password_hash(bcrypt.hashpw(long, bcrypt.gensalt(4)))
        self.assertTrue(found.fits(long + b"more"))
        self.assertFalse(found.fits(long[:-1]))

    def test_refused(self) -> None:
        """What is quick to guess, takes too long or is no hash is told, and none of it is repeated."""
        for text, message in (
            (b"secret", "no hash of a password"),
            (b"", "no hash of a password"),
            (b"rqXexS6ZhobKA", "no hash of a password"),
            (b"$apr1$zmqgvpo4$WG5cpWDmVVqIBHZpTcMNY.", "MD5 of Apache"),
            (b"$1$salt$qJH7.N4xYta3aEG/dfqo/0", "MD5"),
            (b"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "SHA-1"),
            (b"$5$salt$Gcm6FsVtF/Qa77ZKD.iwsJlCVPY0XSMgLJL0Hnww/c1", "SHA-256 crypt"),
            (b"$y$j9T$salt$hash", "yescrypt"),
            (b"$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "argon2i"),
            (BCRYPT[:-1], "cut off"),
            (BCRYPT + b"x", "cut off"),
            (BCRYPT.replace(b"$04$", b"$31$"), "cost 31"),
            (BCRYPT.replace(b"$04$", b"$03$"), "cost 3"),
            (SHA512[:-1], "cut off"),
            (SHA512.replace(b"1400", b"999999999"), "999999999 rounds"),
            (SHA512.replace(b"1400", b"10"), "10 rounds"),
            (argon2(b"x").replace(b"m=64", b"m=4194304"), "m=4194304"),
            (argon2(b"x").replace(b"t=1", b"t=100000"), "t=100000"),
            (argon2(b"x").replace(b"p=1", b"p=0"), "1 or more"),
            (b"$argon2id$v=19$m=64,t=1,p=1$c2E$aGFzaGhhc2hoYXNoaGFzaA", "salt of 8 bytes"),
            (b"$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA", "cut off"),
        ):
            error = self.assertRaises(UnknownHash, password_hash, text)
            self.assertIn(message, str(error))
            if text:
                self.assertNotIn(text.decode(), str(error))

    def test_doubt(self) -> None:
        """C{htpasswd -B} makes hashes that are quick to guess, unless it is told not to."""
        self.assertIn("cost 4", password_hash(BCRYPT).doubt)
        self.assertEqual(password_hash(BCRYPT.replace(b"$04$", b"$10$")).doubt, "")
        self.assertEqual(password_hash(SHA512).doubt, "")

    def test_shown(self) -> None:
        """No hash is shown where one is printed."""
        for text in (BCRYPT, SHA512, argon2(b"x")):
            self.assertNotIn(text[-20:].decode(), repr(password_hash(text)))
