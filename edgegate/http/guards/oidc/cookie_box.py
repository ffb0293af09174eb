"""The cookies of one login policy: which are its own, and what they hold."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from edgegate.access.oidc.cookies import cookie_name
from edgegate.access.oidc.sealing import Sealer
from edgegate.access.oidc.session import Session, unpacked
from edgegate.model.guards.oidc import OIDC

MOST_OPENED = 512
"""Sessions that are remembered as they were opened."""


class CookieBox:
    """
    Seals and opens them.

    @ivar name: Of sessions; those of their pieces and of logins begin so.
    """

    def __init__(self, guard: OIDC, random: Callable[[int], bytes]) -> None:
        self.name = cookie_name(guard.cookie)
        self.sealer = Sealer(guard.cookie_keys, random)
        whose = "\0".join((guard.name, guard.provider.issuer, guard.provider.client)).encode()
        self.session_purpose = b"session\0" + whose
        self.login_purpose = b"login\0" + whose
        self._opened: dict[bytes, tuple[Session, bool]] = {}

    def opened(self, text: bytes) -> tuple[Session, bool] | None:
        """Return the session of a cookie, and whether it is sealed with the key that seals now; L{None}: it is none."""
        known = blake2b(text, digest_size=32).digest()
        found = self._opened.get(known)
        if found is None:
            opened = self.sealer.opened(self.session_purpose, text)
            session = None if opened is None else unpacked(opened[0])
            if opened is None or session is None:
                return None
            if len(self._opened) >= MOST_OPENED:
                del self._opened[next(iter(self._opened))]
            found = self._opened[known] = session, opened[1]
        return found

    def sealed(self, session: Session) -> bytes:
        """Return the cookie of a session."""
        return self.sealer.seal(self.session_purpose, session.packed())
