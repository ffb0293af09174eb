"""
Entries as they lie where others may read and write: encrypted, and bound to their names.

A sealed entry is C{edgegate1.}, 12 bytes that are never used twice, and what AES-256-GCM (NIST SP 800-38D) makes of the
content, with the entry's name as associated data: what was put under another name, changed or cut short does not open.
What was under the same name before does: who can write can put back something older.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HEADER = b"edgegate1."
"""What a sealed entry begins with; other versions begin with something else."""

_NONCE, _TAG = 12, 16

STAMP = len(HEADER) + _NONCE
"""So many bytes at the beginning tell what was sealed at one time from what was at another."""


SEALING = STAMP + _TAG
"""Bytes that a sealed entry has more than its content."""


class Unopened(OSError):
    """An entry does not open: C{str} says why, and what to do."""


class Seal:
    """Seals and opens entries."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        """
        @param keys: 32 bytes each; the first one seals, all of them open.
        """
        self._keys = [AESGCM(key) for key in keys]

    def seal(self, name: str, content: bytes) -> bytes:
        """Return a content as it is kept."""
        nonce = secrets.token_bytes(_NONCE)
        return HEADER + nonce + self._keys[0].encrypt(nonce, content, name.encode())

    def open(self, name: str, sealed: bytes) -> tuple[bytes, bool]:
        """
        Return a content, and whether it was sealed by the first of the keys.

        @raise Unopened: It was sealed by none of the keys, under this name.
        """
        if not sealed.startswith(HEADER):
            raise Unopened(f"{name} is not an entry of this version of edgegate, and is left as it is")
        if len(sealed) < SEALING:
            raise Unopened(f"{name} was cut short: delete it, to have it made anew")
        nonce, rest = sealed[len(HEADER) : STAMP], sealed[STAMP:]
        for number, key in enumerate(self._keys):
            try:
                return key.decrypt(nonce, rest, name.encode()), number == 0
            except InvalidTag:
                continue
        raise Unopened(
            f"{name} can't be decrypted, and is left as it is: encryptionKey is not the one that it was encrypted "
            "with, or somebody has changed it"
        )
