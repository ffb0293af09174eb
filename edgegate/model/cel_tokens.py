"""The tokens of an expression of CEL, one after the other, and where they are."""

from __future__ import annotations

import re
from typing import Final

_NOTHING: Final = re.compile(r"[ \t\r\n\f]*(?://[^\n]*(?:\n[ \t\r\n\f]*|\Z))*")
"""White space and comments; there is one way to read them, so that none takes long."""

_STRING: Final = "|".join(
    (
        r'[rR]"""[\s\S]*?"""',
        r"[rR]'''[\s\S]*?'''",
        r'"""(?:[^\\]|\\[\s\S])*?"""',
        r"'''(?:[^\\]|\\[\s\S])*?'''",
        r'[rR]"[^"\n\r]*"',
        r"[rR]'[^'\n\r]*'",
        r'"(?:[^"\\\n\r]|\\[^\n\r])*"',
        r"'(?:[^'\\\n\r]|\\[^\n\r])*'",
    )
)
_TOKEN: Final = re.compile(
    r"(?P<number>0x[0-9a-fA-F]+[uU]?|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?)"
    rf"|(?P<string>{_STRING})|(?P<bytes>[bB][rR]?[\"'])|(?P<open>[rR]?[\"'])"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>&&|\|\||[=!<>]=|[-+<>!?:.,()\[\]])|(?P<end>\Z)"
)


class BadExpression(ValueError):
    """
    An expression is none.

    @ivar word: What is not known of it, or empty.
    @ivar known: What would be, in its place.
    """

    def __init__(self, message: str, word: str = "", known: tuple[str, ...] = ()) -> None:
        self.word = word
        self.known = known
        super().__init__(message)


class Tokens:
    """
    Those of a text, up to the one that is next.

    @ivar kind: Of that: C{number}, C{string}, C{name}, C{sign} or C{end}.
    @ivar token: It.
    @ivar at: Which character of the text it begins with; the first is 1.
    """

    def __init__(self, text: str) -> None:
        """
        @raise BadExpression: Its first token is none.
        """
        self._text = text
        self._end = 0
        self.kind = self.token = ""
        self.at = 1
        self.next()

    def next(self) -> None:
        """
        Go on to the next one.

        @raise BadExpression: It is none.
        """
        skipped = _NOTHING.match(self._text, self._end)
        begin = self._end if skipped is None else skipped.end()
        self.at = begin + 1
        found = _TOKEN.match(self._text, begin)
        if found is None:
            raise BadExpression(
                f"{self._text[begin : begin + 10]!r} at character {self.at} is nothing that is known here"
            )
        self.kind = found.lastgroup or ""
        self.token = found[0]
        self._end = found.end()
        if self.kind == "open":
            raise BadExpression(f"the string at character {self.at} has no end")
        if self.kind == "bytes":
            raise BadExpression(f"bytes, as at character {self.at}, are not known here")

    @property
    def shown(self) -> str:
        """What is next, as it is told."""
        return "the end" if self.kind == "end" else repr(self.token)

    def take(self, *tokens: str) -> str:
        """Take one of some signs or words, if it is next; return it, or nothing."""
        if self.kind in ("sign", "name") and self.token in tokens:
            token = self.token
            self.next()
            return token
        return ""

    def expect(self, token: str) -> None:
        """
        Take a sign.

        @raise BadExpression: It is not next.
        """
        if not self.take(token):
            raise self.missing(repr(token))

    def name(self) -> str:
        """
        Take a name, and return it.

        @raise BadExpression: None is next.
        """
        if self.kind != "name":
            raise self.missing("a name")
        name = self.token
        self.next()
        return name

    def missing(self, what: str) -> BadExpression:
        """Return what says that something else is next."""
        return BadExpression(f"{what} is expected at character {self.at}, not {self.shown}")
