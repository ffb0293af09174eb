"""Formats of lines as templates: text with places in it, made into one regular expression."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.reading import NO_LINE, NO_REQUEST, NO_REQUEST_LINE, Values


@dataclass(frozen=True, slots=True)
class Slot:
    """
    A place of a template.

    @ivar column: What stands there; empty: nothing that matters here.
    @ivar listed: Whether there may be several values, with commas or colons and spaces between them.
    """

    column: str = ""
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """
    A line with places in it.

    @ivar more: Whether a line may go on behind it.
    """

    parts: tuple[str | Slot, ...]
    escapes: Escapes
    more: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """What its lines say, each once."""
        named = [part.column for part in self.parts if isinstance(part, Slot) and part.column]
        found = [each for name in named for each in columns.PARTS.get(name, (name,))]
        return tuple(dict.fromkeys(found))

    def check(self) -> None:
        """
        @raise ValueError: Its lines could not be read.
        """
        for first, second in pairwise(self.parts):
            pair = [part.column for part in (first, second) if isinstance(part, Slot)]
            if len(pair) > 1 and pair != [columns.PATH, columns.QUERY]:
                raise ValueError("two fields of it have nothing between them: where one ends can't be told")
        known = self.columns
        for needed, words in ((columns.METHOD, "the request's method"), (columns.PATH, "the request's path")):
            if needed not in known:
                raise ValueError(f"it does not say {words}: there is nothing to replay")


class TemplateReader:
    """
    Reads lines of a template.

    A query that nobody wants must be of characters that a URL may have: another one is no line, to be read with it.

    @ivar columns: What of each line is returned.
    """

    def __init__(self, template: Template, wanted: Collection[str]) -> None:
        expression = _Expression(template, wanted, strict=True)
        self.columns = tuple(expression.columns)
        self._match = re.compile(expression.text.encode()).match
        self._loosely = re.compile(_Expression(template, (), strict=False).text.encode()).match

    def read(self, line: bytes) -> Values | str:
        """Return the values of the columns as they are written, or why there are none."""
        found = self._match(line)
        return self._why(line) if found is None else found.groups()

    def _why(self, line: bytes) -> str:
        if self._loosely(line) is None:
            return NO_LINE
        return NO_REQUEST if b'"- - -"' in line else NO_REQUEST_LINE


class _Expression:
    """Makes the expression of a template."""

    def __init__(self, template: Template, wanted: Collection[str], strict: bool) -> None:
        """
        @param strict: Whether a request line must be one.
        """
        self.columns: list[str] = []
        self._wanted = wanted
        self._strict = strict
        self._escaped = template.escapes is not Escapes.NONE
        self.text = "".join(self._part(*each) for each in _with_next(template.parts))
        self.text += "" if template.more else r"\s*\Z"

    def _part(self, part: str | Slot, following: str) -> str:
        if isinstance(part, str):
            return re.escape(part)
        if part.column == columns.REQUEST and self._strict:
            method, path, query = (self._taken(name, " ?") for name in columns.PARTS[columns.REQUEST][:3])
            protocol = self._group(columns.PROTOCOL, r"HTTP/[0-9.]+")
            return f"{method} (?=[^ ]){path}{query}(?: {protocol})?"
        if part.column == columns.TARGET:
            names = columns.PARTS[columns.TARGET]
            return "".join(self._taken(name, f" ?{_LINE_END}") for name in names)
        if part.listed:
            return self._group(part.column, r"[^ \r\n]*(?:(?:,| :) [^ \r\n]+)*")
        return self._taken(part.column, following or _LINE_END)

    def _taken(self, column: str, ends: str) -> str:
        """Return what takes a value up to one of these; a query begins with a question mark, if it is there."""
        if column == columns.QUERY and self._strict and column not in self._wanted:
            return r"(?:\?[!$-\[\]-~]*)?"
        if column == columns.QUERY:
            return self._group(column, f"(?:\\?{self._run(ends.replace('?', ''))})?")
        return self._group(column, self._run(ends, "+" if column == columns.METHOD else "*"))

    def _run(self, ends: str, least: str = "*") -> str:
        """Return what takes characters up to one of these, or to a quote, which no value has unless it is escaped."""
        stops = re.escape("".join(dict.fromkeys(ends + '"')))
        if not self._escaped:
            return f"[^{stops}]{least}"
        return f"(?:[^{stops}\\\\]|\\\\.){least}" if least == "+" else f"[^{stops}\\\\]*(?:\\\\.[^{stops}\\\\]*)*"

    def _group(self, column: str, inner: str) -> str:
        if column not in self._wanted or column in self.columns:
            return f"(?:{inner})"
        self.columns.append(column)
        return f"({inner})"


def _with_next(parts: Sequence[str | Slot]) -> list[tuple[str | Slot, str]]:
    """Return each part with the character that follows it; empty: the line ends there."""
    found: list[tuple[str | Slot, str]] = []
    for part, following in zip(parts, (*parts[1:], ""), strict=True):
        found.append((part, following[:1] if isinstance(following, str) else _BEGIN.get(following.column, "")))
    return found


_BEGIN: Final = {columns.QUERY: "?"}
_LINE_END: Final = "\r\n"
"""What no value has in it: a log that was on Windows has both."""
