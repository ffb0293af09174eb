"""
What only this gateway can read and write, kept by somebody else: AES-256-GCM (NIST SP 800-38D).

Each text is sealed for a purpose, and opens for no other one. Of several keys the first seals and all open, so that a
key can be replaced while sessions go on.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from hmac import digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

MOST_KEYS: Final = 8
LEAST_KEY: Final = 32
"""Characters of a key as it is written: 32 random bytes have 44 in base64."""
LONGEST_TEXT: Final = 32 << 10

_NONCE: Final = 12
_TAG: Final = 16
_TEXT = re.compile(rb"[A-Za-z0-9_-]+")
_DERIVED: Final = b"edgegate oidc cookies 1"


class BadKeys(ValueError):
    """Keys are of no use. The message repeats none of them."""


def parse_cookie_keys(content: bytes) -> tuple[bytes, ...]:
    """
    Read keys, one a line: the first seals.

    @return: 32 bytes each, made of what is written (HKDF would add nothing: what is written is random).
    @raise BadKeys: There is none, or one is too short to be random.
    """
    lines = [line.strip() for line in content.split(b"\n")]
    written = [line for line in lines if line and not line.startswith(b"#")]
    if not written:
        raise BadKeys("no key stands in it: openssl rand -base64 32 makes one")
    if len(written) > MOST_KEYS:
        raise BadKeys(f"more than {MOST_KEYS} keys")
    for number, line in enumerate(lines, 1):
        if line in written and (len(line) < LEAST_KEY or len(set(line)) < 8):
            raise BadKeys(f"line {number}: a key has {LEAST_KEY} random characters or more: openssl rand -base64 32")
    return tuple(digest(_DERIVED, line, "sha256") for line in written)


class Sealer:
    """Seals and opens with some keys."""

    __slots__ = ("_keys", "_random")

    def __init__(self, keys: Sequence[bytes], random: Callable[[int], bytes]) -> None:
        """
        @param keys: 32 bytes each; the first seals.
        @param random: Returns so many bytes that nobody can guess.
        """
        self._keys = tuple(AESGCM(key) for key in keys)
        self._random = random

    def seal(self, purpose: bytes, content: bytes) -> bytes:
        """Return a text of letters, digits, C{-} and C{_}."""
        nonce = self._random(_NONCE)
        return urlsafe_b64encode(nonce + self._keys[0].encrypt(nonce, content, purpose)).rstrip(b"=")

    def open(self, purpose: bytes, text: bytes) -> bytes | None:
        """Return what was sealed for a purpose; L{None}: it was not, or not by us, or is not whole."""
        found = self.opened(purpose, text)
        return None if found is None else found[0]

    def opened(self, purpose: bytes, text: bytes) -> tuple[bytes, bool] | None:
        """Return what was sealed, and whether that was with the key that seals now."""
        if len(text) > LONGEST_TEXT or _TEXT.fullmatch(text) is None or len(text) % 4 == 1:
            return None
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
        if len(raw) < _NONCE + _TAG:
            return None
        nonce, sealed = raw[:_NONCE], raw[_NONCE:]
        for number, key in enumerate(self._keys):
            try:
                return key.decrypt(nonce, sealed, purpose), number == 0
            except InvalidTag:
                continue
        return None
