"""What a line of an access log may say of a request."""

from __future__ import annotations

from typing import Final

METHOD: Final = "method"
PATH: Final = "path"
"""The target without its query."""

QUERY: Final = "query"
"""What follows the path, with its question mark."""

PROTOCOL: Final = "protocol"
AUTHORITY: Final = "authority"
"""What C{Host} or C{:authority} said."""

HOST: Final = "host"
"""The same without its port, in whatever case (C{$host} of nginx)."""

SERVER: Final = "server"
"""The name of the server that answered, which stands for the host where nothing better is there."""

SNI: Final = "sni"
LOCAL: Final = "local"
"""The address that the client connected to, with its port."""

PORT: Final = "port"
SCHEME: Final = "scheme"
STATUS: Final = "status"
FLAGS: Final = "flags"
DETAILS: Final = "details"
CLUSTER: Final = "cluster"
ROUTE: Final = "route"

TARGET: Final = "target"
"""In a template: path and query."""

REQUEST: Final = "request"
"""In a template: the whole request line."""

PARTS: Final = {TARGET: (PATH, QUERY), REQUEST: (METHOD, PATH, QUERY, PROTOCOL)}

HOSTS: Final = (AUTHORITY, HOST, SERVER)
"""What tells the host, the best first."""

ANSWER: Final = (STATUS, FLAGS, DETAILS, CLUSTER, ROUTE)
"""What tells how the request was answered."""

_HEADER: Final = "header "


def header(name: str) -> str:
    """Return the column of a request's header."""
    return _HEADER + name.lower()


def header_of(column: str) -> str:
    """Return the name of the header that a column is of; empty: it is of none."""
    return column[len(_HEADER) :] if column.startswith(_HEADER) else ""
