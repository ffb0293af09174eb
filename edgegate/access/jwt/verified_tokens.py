# Hot path: looked up for each request with a token.
"""Tokens that were verified, until they end: to verify one costs as much as to serve a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgegate.access.jwt.locations import Field

MOST_TOKENS: Final = 8192
MOST_BYTES: Final = 8 << 20
"""Of tokens and claims that are remembered for a rule, about."""

_TIMES: Final = 6
"""How many times the bytes of a token it takes to remember it."""


class VerifiedToken:
    """
    A token that passes.

    @ivar until: When it ends, in seconds since 1970, the clocks' difference included.
    @ivar claims: What it says, with lists in place of texts with blanks between; not to be changed.
    @ivar fields: What the backend gets of it.
    """

    __slots__ = ("claims", "fields", "until")

    def __init__(self, until: float, claims: Mapping[str, Any], fields: tuple[Field, ...]) -> None:
        self.until = until
        self.claims = claims
        self.fields = fields


class VerifiedTokens:
    """
    Remembers tokens by their bytes, the ones that were asked for lately.

    There are two halves: what is asked for is in the new one, and when that is full it becomes the old one, whose
    tokens are forgotten unless they are asked for again.
    """

    __slots__ = ("_bytes", "_new", "_old")

    def __init__(self) -> None:
        self._new: dict[bytes, VerifiedToken] = {}
        self._old: dict[bytes, VerifiedToken] = {}
        self._bytes = 0

    def get(self, token: bytes, now: float) -> VerifiedToken | None:
        """Return what was made of a token that is still valid."""
        found = self._new.get(token)
        if found is None:
            found = self._old.pop(token, None)
            if found is None:
                return None
            self._add(token, found)
        if now > found.until:
            self._new.pop(token, None)
            return None
        return found

    def put(self, token: bytes, verified: VerifiedToken) -> None:
        """Remember a token."""
        self._add(token, verified)

    def clear(self) -> None:
        """Forget all: the keys have changed."""
        self._new, self._old = {}, {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._new) + len(self._old)

    def _add(self, token: bytes, verified: VerifiedToken) -> None:
        self._bytes += _TIMES * len(token)
        if len(self._new) >= MOST_TOKENS // 2 or self._bytes > MOST_BYTES // 2:
            self._old, self._new = self._new, {}
            self._bytes = _TIMES * len(token)
        self._new[token] = verified


class KnownIssuers:
    """Whose the tokens are that were verified by any of some rules, so that the others need not read them."""

    __slots__ = ("_bytes", "_issuers")

    def __init__(self) -> None:
        self._issuers: dict[bytes, str] = {}
        self._bytes = 0

    def add(self, token: bytes, issuer: str) -> None:
        """A token was verified."""
        self._bytes += len(token)
        if len(self._issuers) >= MOST_TOKENS or self._bytes > MOST_BYTES:
            self._issuers.clear()
            self._bytes = len(token)
        self._issuers[token] = issuer

    def of_another(self, token: bytes, issuer: str) -> bool:
        """Whether a token is known to be another issuer's."""
        known = self._issuers.get(token)
        return known is not None and known != issuer
