"""
SHA-512 crypt, the C{$6$} of C{/etc/shadow} (U{https://www.akkadia.org/drepper/SHA-crypt.txt}).

Written out here, as Python's C{crypt} is gone from 3.13 on and the C library's is not on every system.
"""

from __future__ import annotations

from hashlib import sha512
from time import sleep
from typing import Final

DEFAULT_ROUNDS: Final = 5000
FEWEST_ROUNDS: Final = 1000
LONGEST_SALT: Final = 16

_ALPHABET: Final = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_AT_ONCE: Final = 100
"""Rounds between two moments at which other threads may go on: about a tenth of a millisecond."""
_MOMENT: Final = 1e-5


def sha512_crypt(password: bytes, salt: bytes, rounds: int) -> bytes:
    """
    Return the 86 characters that stand for a password behind the salt.

    It takes milliseconds, in which other threads of the process may run: it is made for threads.
    """
    digest = _first(password, salt)
    long_password = _stretched(sha512(password * len(password)).digest(), len(password))
    long_salt = _stretched(sha512(salt * (16 + digest[0])).digest(), len(salt))
    for number in range(rounds):
        odd = number & 1
        made = sha512(long_password if odd else digest)
        if number % 3:
            made.update(long_salt)
        if number % 7:
            made.update(long_password)
        made.update(digest if odd else long_password)
        digest = made.digest()
        if number % _AT_ONCE == 0:
            sleep(_MOMENT)
    return _encoded(digest)


def _first(password: bytes, salt: bytes) -> bytes:
    """Return the digest that the rounds begin with (steps 1 to 12)."""
    other = sha512(password + salt + password).digest()
    made = sha512(password + salt + _stretched(other, len(password)))
    length = len(password)
    while length:
        made.update(other if length & 1 else password)
        length >>= 1
    return made.digest()


def _stretched(digest: bytes, length: int) -> bytes:
    """Return a digest again and again, up to a length."""
    return (digest * (length // 64 + 1))[:length]


def _encoded(digest: bytes) -> bytes:
    """Return a digest in the order and alphabet of crypt: three bytes are four characters, the lowest bits first."""
    found = bytearray()
    for number in range(21):
        a, b, c = number, number + 21, number + 42
        for _ in range(number % 3):
            a, b, c = b, c, a
        _add(found, digest[a] << 16 | digest[b] << 8 | digest[c], 4)
    _add(found, digest[63], 2)
    return bytes(found)


def _add(found: bytearray, bits: int, characters: int) -> None:
    for _ in range(characters):
        found.append(_ALPHABET[bits & 63])
        bits >>= 6
