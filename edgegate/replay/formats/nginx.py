"""Formats of nginx: C{log_format} (U{https://nginx.org/en/docs/http/ngx_http_log_module.html})."""

from __future__ import annotations

import re
from typing import Final

from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.templates import Slot, Template

COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
"""C{combined}, which Apache has, too."""

COMMON: Final = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
"""The common log format, which C{combined} adds to."""

_COLUMNS: Final = {
    "request": columns.REQUEST,
    "request_method": columns.METHOD,
    "request_uri": columns.TARGET,
    "server_protocol": columns.PROTOCOL,
    "http_host": columns.AUTHORITY,
    "host": columns.HOST,
    "server_name": columns.SERVER,
    "server_port": columns.PORT,
    "scheme": columns.SCHEME,
    "ssl_server_name": columns.SNI,
    "status": columns.STATUS,
}
"""What its variables say. C{$uri} is not among them: it is decoded, and may be rewritten."""

_ESCAPES: Final = {"default": Escapes.BACKSLASH, "json": Escapes.JSON, "none": Escapes.NONE}
_VARIABLE: Final = re.compile(r"\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))")
_PARAMETER: Final = re.compile(r"\s*escape=(\w+)\s+")


def is_nginx(text: str) -> bool:
    """Whether a format has variables of nginx."""
    return _VARIABLE.search(text) is not None


def nginx_template(text: str, more: bool = False) -> Template:
    """
    Read the string of a C{log_format}, which may have its C{escape=} before it.

    @param more: Whether lines may go on behind it.
    @raise ValueError: It is none that lines can be read by.
    """
    parameter = _PARAMETER.match(text)
    escapes = Escapes.BACKSLASH
    if parameter is not None:
        if parameter[1] not in _ESCAPES:
            raise ValueError(f"escape={parameter[1]} is none of {', '.join(_ESCAPES)}")
        escapes, text = _ESCAPES[parameter[1]], text[parameter.end() :]
    parts: list[str | Slot] = []
    at = 0
    for found in _VARIABLE.finditer(text):
        if found.start() > at:
            parts.append(text[at : found.start()])
        parts.append(_slot(found[1] or found[2]))
        at = found.end()
    if at < len(text):
        parts.append(text[at:])
    template = Template(tuple(parts), escapes, more)
    template.check()
    return template


def variable(name: str) -> str:
    """Return what a variable says; empty: nothing that matters here."""
    if name in _COLUMNS:
        return _COLUMNS[name]
    if name.startswith("http_"):
        return columns.header(name.removeprefix("http_").replace("_", "-"))
    return ""


def _slot(name: str) -> Slot:
    return Slot(variable(name), listed=name.startswith("upstream_"))
