"""Whether a user and a password belong together: slow on purpose, and as slow for users that there are not."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from edgegate.access.passwords.hashes import LONGEST_PASSWORD, password_hash


class PasswordChecker:
    """Checks the passwords of a file's users. Any thread may ask it."""

    __slots__ = ("_all", "_seed", "_users")

    def __init__(self, users: Iterable[tuple[bytes, bytes]]) -> None:
        """
        @param users: Names and hashes, which were read once without a mistake; at least one.
        """
        # read when they are needed, as there may be thousands
        self._users = dict(users)
        self._all = tuple(self._users.values())
        # what only the file's owner knows, so that it is the same in each worker and after each start
        self._seed = sha256(b"\n".join(self._all)).digest()

    def fits(self, user: bytes, password: bytes) -> bool:
        """
        Whether it is this user's password.

        A name that no user has is given the hash of one of them, always the same one: it takes as long.
        """
        known = self._users.get(user)
        right = password_hash(known or self._somebody(user)).fits(password)
        return right and known is not None

    def _somebody(self, name: bytes) -> bytes:
        number = int.from_bytes(sha256(self._seed + name).digest()[:8], "big")
        return self._all[number % len(self._all)]


def may_be_password(password: bytes) -> bool:
    """Whether it is worth a look: neither too long nor with a NUL, where some hashes would end."""
    return len(password) <= LONGEST_PASSWORD and b"\0" not in password
