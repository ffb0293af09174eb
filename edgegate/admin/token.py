"""The token that the admin listener asks for (C{--admin-token-file}), as a bearer token (RFC 6750 section 2.1)."""

from __future__ import annotations

import os
from hmac import compare_digest
from pathlib import Path
from time import monotonic

from twisted.logger import Logger

from edgegate.observe.log_throttle import LogThrottle

log = Logger(namespace=__name__)

LEAST, MOST = 16, 4096
"""Characters that a token has."""

_Stamp = tuple[int, int, int, int]


class BadToken(ValueError):
    """A file has no token; says why, with its path."""


def read_token(path: str) -> bytes:
    """
    Return the token that a file has; spaces and line breaks around it are none of it.

    @raise BadToken: It can't be read, or what it has is no token.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(MOST + 3).strip()
    except OSError as error:
        raise BadToken(f"{path}: {error.strerror}") from None
    if not LEAST <= len(content) <= MOST:
        raise BadToken(f"{path}: a token has {LEAST} to {MOST} characters; try: openssl rand -hex 32")
    if not all(0x21 <= byte <= 0x7E for byte in content):
        raise BadToken(f"{path}: a token is one line of printable ASCII without spaces")
    return content


class TokenFile:
    """
    Lets in who has the token of a file, which is read again when it is another.

    While it has none, nobody is let in.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._token = b""
        self._stamp: _Stamp | None = None
        self._complaints = LogThrottle(60.0)

    def check(self) -> None:
        """
        Read it.

        @raise BadToken: See L{read_token}.
        """
        self._stamp = _stamp(self._path)
        self._token = b""
        self._token = read_token(self._path)

    def lets_in(self, authorization: bytes | None) -> bool:
        """
        Return whether somebody has the token. It takes the same time whatever of it is right.

        @param authorization: The header of that name.
        """
        self._look()
        scheme, _, given = (authorization or b"").partition(b" ")
        right = compare_digest(given.strip(), self._token)
        return right and bool(self._token) and scheme.lower() == b"bearer"

    def _look(self) -> None:
        stamp = _stamp(self._path)
        if stamp is not None and stamp == self._stamp:
            return
        try:
            self.check()
        except BadToken as error:
            if self._complaints.due(str(error), monotonic()) is not None:
                log.error("nobody is let in to the admin listener: {reason}", reason=str(error))


def _stamp(path: str) -> _Stamp | None:
    """Return what is another once a file is; L{None} where it can't be told."""
    try:
        found = os.stat(path)  # noqa: PTH116 (follows the links of Kubernetes' secrets, as it should)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino
