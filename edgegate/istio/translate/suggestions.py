"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.config.values import suggestion

MOST = 25
"""How many names are looked for in one run: each is compared with all candidates."""


class Suggestions:
    """Finds what a name that nothing bears was meant to be, until L{MOST} names have been looked for."""

    def __init__(self) -> None:
        self._left = MOST

    def like(self, name: str, candidates: Iterable[str]) -> str:
        """Return C{'; did you mean "NAME"?'}, or nothing where no candidate is near."""
        if self._left <= 0:
            return ""
        self._left -= 1
        return suggestion(name, candidates)
