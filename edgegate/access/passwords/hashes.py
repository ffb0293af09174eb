"""
Hashes of passwords as C{htpasswd}, C{mkpasswd} and C{argon2} write them, and whether a password fits one.

Each says by itself how long it takes to look at it; bounds keep a file from asking for more than a gateway has.
"""

from __future__ import annotations

import base64
import binascii
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Final

import bcrypt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from edgegate.access.passwords.sha512_crypt import DEFAULT_ROUNDS, FEWEST_ROUNDS, LONGEST_SALT, sha512_crypt

LONGEST_PASSWORD: Final = 255
"""Bytes, as Apache's C{htpasswd} has it."""

MOST_COST: Final = 14
"""Of bcrypt: about a second."""
FEW_COST: Final = 8
"""Below it a stolen file's passwords are guessed by the million; C{htpasswd -B} has 5 where nothing is said."""
MOST_ROUNDS: Final = 1_000_000
MOST_MEMORY: Final = 256 * 1024
"""KiB that argon2 may take, 256 MiB."""
MOST_ITERATIONS: Final = 64
MOST_LANES: Final = 16

_BCRYPT_BYTES: Final = 72
"""What bcrypt looks at of a password."""

_BCRYPT = re.compile(rb"\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}")
_SHA512 = re.compile(rb"\$6\$(?:rounds=(\d{1,10})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{86})")
_ARGON2 = re.compile(
    rb"\$argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,5})\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})"
)
_TAKEN = "edgegate takes bcrypt ($2y$), SHA-512 crypt ($6$) and argon2id"
_OTHERS = (
    (b"$apr1$", "MD5 of Apache"),
    (b"$1$", "MD5"),
    (b"$5$", "SHA-256 crypt"),
    (b"$y$", "yescrypt"),
    (b"$7$", "scrypt"),
    (b"{SHA}", "SHA-1"),
    (b"{SSHA}", "SHA-1"),
    (b"$argon2i$", "argon2i"),
    (b"$argon2d$", "argon2d"),
)


class UnknownHash(ValueError):
    """A hash is not taken. The message never repeats any of it: it may be the password itself."""


class PasswordHash(ABC):
    """The hash of one password."""

    __slots__ = ()

    @abstractmethod
    def fits(self, password: bytes) -> bool:
        """Whether it is this password's: takes as long for any other. For a thread."""

    @property
    @abstractmethod
    def doubt(self) -> str:
        """What is weak about it; empty: nothing."""


@dataclass(frozen=True, slots=True)
class Bcrypt(PasswordHash):
    """
    C{$2y$COST$...}.

    @ivar text: All of it.
    """

    text: bytes = field(repr=False)
    cost: int

    def fits(self, password: bytes) -> bool:
        """See L{PasswordHash.fits}; what stands behind 72 bytes does not count, as where the hash was made."""
        return bcrypt.checkpw(password[:_BCRYPT_BYTES], self.text)

    @property
    def doubt(self) -> str:
        """See L{PasswordHash.doubt}."""
        if self.cost >= FEW_COST:
            return ""
        return f"bcrypt of cost {self.cost} is quick to guess: make it with htpasswd -B -C 10"


@dataclass(frozen=True, slots=True)
class SHA512Crypt(PasswordHash):
    """C{$6$rounds=ROUNDS$SALT$...}."""

    salt: bytes = field(repr=False)
    rounds: int
    digest: bytes = field(repr=False)

    def fits(self, password: bytes) -> bool:
        """See L{PasswordHash.fits}."""
        return compare_digest(sha512_crypt(password, self.salt, self.rounds), self.digest)

    @property
    def doubt(self) -> str:
        """See L{PasswordHash.doubt}."""
        return ""


@dataclass(frozen=True, slots=True)
class Argon2(PasswordHash):
    """
    C{$argon2id$v=19$m=MEMORY,t=ITERATIONS,p=LANES$...} (RFC 9106).

    @ivar memory: KiB.
    """

    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    memory: int
    iterations: int
    lanes: int

    def fits(self, password: bytes) -> bool:
        """See L{PasswordHash.fits}."""
        return compare_digest(self.derivation().derive(password), self.digest)

    def derivation(self) -> Argon2id:
        """
        Return what makes such hashes.

        @raise UnsupportedAlgorithm: OpenSSL is too old.
        """
        return Argon2id(
            salt=self.salt,
            length=len(self.digest),
            iterations=self.iterations,
            lanes=self.lanes,
            memory_cost=self.memory,
        )

    @property
    def doubt(self) -> str:
        """See L{PasswordHash.doubt}."""
        return ""


def password_hash(text: bytes) -> PasswordHash:
    """
    Read a hash.

    @raise UnknownHash: It is of another kind, broken, or takes too long to look at.
    """
    if text.startswith(b"$2"):
        return _bcrypt(text)
    if text.startswith(b"$6$"):
        return _sha512(text)
    if text.startswith(b"$argon2id$"):
        return _argon2(text)
    for prefix, what in _OTHERS:
        if text.startswith(prefix):
            raise UnknownHash(f"a hash of {what} is not taken: {_TAKEN}")
    raise UnknownHash(f"this is no hash of a password, or an old one of DES: {_TAKEN}")


def _bcrypt(text: bytes) -> Bcrypt:
    found = _BCRYPT.fullmatch(text)
    if found is None:
        raise UnknownHash("a bcrypt hash that is cut off or broken: it has 60 characters")
    cost = int(found[1])
    if not 4 <= cost <= MOST_COST:
        raise UnknownHash(f"bcrypt of cost {cost}: expected 4 to {MOST_COST}, as each check takes twice as long")
    return Bcrypt(text, cost)


def _sha512(text: bytes) -> SHA512Crypt:
    found = _SHA512.fullmatch(text)
    if found is None:
        raise UnknownHash(
            f"a SHA-512 hash that is cut off or broken: $6$, {LONGEST_SALT} characters of salt or less, $, 86 more"
        )
    rounds = DEFAULT_ROUNDS if found[1] is None else int(found[1])
    if not FEWEST_ROUNDS <= rounds <= MOST_ROUNDS:
        raise UnknownHash(f"SHA-512 crypt of {rounds} rounds: expected {FEWEST_ROUNDS} to {MOST_ROUNDS}")
    return SHA512Crypt(found[2], rounds, found[3])


def _argon2(text: bytes) -> Argon2:
    found = _ARGON2.fullmatch(text)
    if found is None:
        raise UnknownHash("an argon2id hash that is cut off or broken: $argon2id$v=19$m=..,t=..,p=..$SALT$HASH")
    memory, iterations, lanes = int(found[1]), int(found[2]), int(found[3])
    if memory > MOST_MEMORY or iterations > MOST_ITERATIONS or lanes > MOST_LANES:
        raise UnknownHash(
            f"argon2id with m={memory}, t={iterations}, p={lanes}: "
            f"at most m={MOST_MEMORY} (256 MiB), t={MOST_ITERATIONS}, p={MOST_LANES} are taken"
        )
    if lanes < 1 or iterations < 1 or memory < 8 * lanes:
        raise UnknownHash("argon2id needs t and p of 1 or more, and m of 8 times p or more")
    salt, digest = _base64(found[4]), _base64(found[5])
    if len(salt) < 8 or len(digest) < 16:
        raise UnknownHash("argon2id needs a salt of 8 bytes and a hash of 16 bytes or more")
    made = Argon2(salt, digest, memory, iterations, lanes)
    try:
        made.derivation()
    except UnsupportedAlgorithm:
        raise UnknownHash(
            "argon2id needs OpenSSL 3.2 or newer, which this installation of cryptography has not"
        ) from None
    return made


def _base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise UnknownHash("an argon2id hash whose base64 is broken") from None
