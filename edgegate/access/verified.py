# Compiled: asked for each request that shows credentials.
"""
Which credentials were looked at already, and what came of it: so that a slow check is made once.

Nothing here is a password: what is kept are digests with a key that only this process knows, so that neither memory
nor the time of an answer tells what a client could use.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

MOST_VERIFIED: Final = 10_000
MOST_REFUSED: Final = 1_000
KEY_BYTES: Final = 32

_DIGEST_BYTES: Final = 32


class VerifiedCredentials:
    """
    The digests of credentials that fit, with whose they are, and of those that do not.

    Of more than there is room for the ones go that were asked for the longest time ago. Those that were refused have
    room of their own: who guesses pushes out nobody.
    """

    __slots__ = ("_key", "_refused", "_room", "_verified")

    def __init__(self, random: Callable[[int], bytes], verified: int = MOST_VERIFIED) -> None:
        """
        @param random: Returns so many bytes that nobody can guess (L{os.urandom}).
        @param verified: Room for those that fit.
        """
        self._key = random(KEY_BYTES)
        self._room = verified
        self._verified: dict[bytes, bytes] = {}
        self._refused: dict[bytes, None] = {}

    def digest(self, credentials: bytes) -> bytes:
        """Return by what credentials are known here."""
        return blake2b(credentials, key=self._key, digest_size=_DIGEST_BYTES).digest()

    def owner(self, digest: bytes) -> bytes | None:
        """Return whose credentials these are: empty: nobody's; L{None}: they were not looked at."""
        verified = self._verified
        owner = verified.get(digest)
        if owner is not None:
            if len(verified) > self._room >> 1:
                # the order matters only where there may be too many soon
                del verified[digest]
                verified[digest] = owner
            return owner
        return b"" if digest in self._refused else None

    def verify(self, digest: bytes, owner: bytes) -> None:
        """Take note that credentials fit."""
        if len(self._verified) >= self._room and digest not in self._verified:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = owner

    def refuse(self, digest: bytes) -> None:
        """Take note that credentials don't."""
        if len(self._refused) >= MOST_REFUSED and digest not in self._refused:
            del self._refused[next(iter(self._refused))]
        self._refused[digest] = None
