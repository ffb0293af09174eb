"""Who has logged in, as a sealed cookie keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edgegate.access.jwt.json_object import json_object

_VERSION: Final = 1
LEFT_OUT: Final = frozenset(("nonce", "at_hash", "c_hash", "s_hash", "jti", "rat"))
"""Claims that were of use once, when the client logged in."""


@dataclass(frozen=True, slots=True)
class Session:
    """
    Who has logged in. Times are in seconds since 1970.

    @ivar identifier: Tells it from all others.
    @ivar claims: Of the id token.
    @ivar began: When the user has logged in.
    @ivar given: When its tokens were given; C{fresh_until}: when they end.
    @ivar access_token: Empty: it is not needed.
    @ivar refresh_token: Empty: there is none.
    """

    identifier: str
    claims: Mapping[str, Any]
    began: int
    given: int
    fresh_until: int
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)

    def packed(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(
            [
                _VERSION,
                self.identifier,
                dict(self.claims),
                self.began,
                self.given,
                self.fresh_until,
                self.access_token,
                self.refresh_token,
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()


def unpacked(content: bytes) -> Session | None:
    """Return what was packed; L{None}: it was by another version."""
    try:
        version, *rest = json_object(b'{"session":%b}' % content)["session"]
        if version != _VERSION:
            return None
        session = Session(*rest)
    except (ValueError, TypeError):
        return None
    return session if isinstance(session.claims, dict) else None


def kept_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of an id token that a session keeps."""
    return {name: value for name, value in claims.items() if name not in LEFT_OUT}
