"""Tests of L{edgegate.access.passwords.sha512_crypt}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.passwords.sha512_crypt import sha512_crypt

SPECIFIED = (
    (
        b"Hello world!",
        b"saltstring",
        5000,
        b"svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ),
    (
        b"Hello world!",
        b"saltstringsaltst",
        10000,
        b"OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.",
    ),
    (
        b"This is just a test",
        b"toolongsaltstrin",
        5000,
        b"lQ8jolhgVRVhY4b5pZKaysCLi0QBxGoNeKQzQ3glMhwllF7oGDZxUhx1yxdYcz/e1JSbq3y6JMxxl8audkUEm0",
    ),
    (
        b"we have a short salt string but not a short password",
        b"short",
        77777,
        b"WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0",
    ),
    (
        b"a very much longer text to encrypt.  This one even stretches over morethan one line.",
        b"anotherlongsalts",
        1400,
        b"POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1",
    ),
)
"""From the specification: password, salt, rounds."""


class SHA512CryptTests(SynchronousTestCase):
    """What the C library's crypt gives."""

    def test_specified(self) -> None:
        """The specification's own examples come out, with passwords that are shorter and longer than a digest."""
        for password, salt, rounds, expected in SPECIFIED:
            self.assertEqual(sha512_crypt(password, salt, rounds), expected)

    def test_nothing(self) -> None:
        """Neither a password nor a salt has to be there: as crypt has it for C{$6$rounds=1000$$}."""
        self.assertEqual(len(sha512_crypt(b"", b"", 1000)), 86)
