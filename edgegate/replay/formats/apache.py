"""Formats of Apache: C{LogFormat} (U{https://httpd.apache.org/docs/current/mod/mod_log_config.html})."""

from __future__ import annotations

import re
from typing import Final

from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.templates import Slot, Template

VHOST_COMBINED: Final = '%v:%p %h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i"'
"""C{vhost_combined} of Debian's package."""

_DIRECTIVE: Final = re.compile(r"%(?:%|[!0-9,]*[<>]?(?:\{([^}]*)\})?(\^?[a-zA-Z]{1,2}?))")
_COLUMNS: Final = {
    "r": columns.REQUEST,
    "m": columns.METHOD,
    "U": columns.PATH,
    "q": columns.QUERY,
    "H": columns.PROTOCOL,
    "v": columns.SERVER,
    "V": columns.SERVER,
    "p": columns.PORT,
    "s": columns.STATUS,
}


def is_apache(text: str) -> bool:
    """Whether a format has directives of Apache."""
    return any(found[0] != "%%" for found in _DIRECTIVE.finditer(text))


def apache_template(text: str, more: bool = False) -> Template:
    """
    Read the string of a C{LogFormat}, its quotes with backslashes before them or without.

    @param more: Whether lines may go on behind it.
    @raise ValueError: It is none that lines can be read by.
    """
    text = text.replace('\\"', '"').replace("\\t", "\t")
    parts: list[str | Slot] = []
    at = 0
    for found in _DIRECTIVE.finditer(text):
        _add(parts, text[at : found.start()])
        if found[0] == "%%":
            _add(parts, "%")
        elif found[2] == "t":
            # a time comes in brackets of its own, unless the format says how it looks
            parts += ["[", Slot(), "]"] if found[1] is None else [Slot()]
        else:
            parts.append(Slot(_column(found[2], found[1] or "")))
        at = found.end()
    _add(parts, text[at:])
    template = Template(tuple(parts), Escapes.BACKSLASH, more)
    template.check()
    return template


def _add(parts: list[str | Slot], text: str) -> None:
    """Add text, to text that is there already."""
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        text = parts.pop() + text  # type: ignore[operator]
    parts.append(text)


def _column(letter: str, argument: str) -> str:
    if letter == "i":
        return columns.AUTHORITY if argument.lower() == "host" else columns.header(argument)
    if letter == "x":
        return columns.SNI if argument == "SSL_TLS_SNI" else ""
    if letter == "p":
        return columns.PORT if argument in ("", "canonical", "local") else ""
    return "" if argument else _COLUMNS.get(letter, "")
