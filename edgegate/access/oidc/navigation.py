"""
Who is sent to log in: a user who goes to a page. Scripts, calls and everything else are told 401: they could neither
follow nor show a page of the provider, and would take it for an answer.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

Field = tuple[bytes, bytes]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def goes_to_page(method: bytes, fields: Collection[Field], upgrades: bool) -> bool:
    """
    Whether a request is a user's, who goes to a page (Fetch Metadata; without it, by what is accepted).

    @param upgrades: Whether it asks for another protocol.
    """
    if method not in (b"GET", b"HEAD") or upgrades:
        return False
    said = dict(fields)
    if said.get(b"x-requested-with", b"").lower() == b"xmlhttprequest":
        return False
    mode = said.get(b"sec-fetch-mode")
    if mode is not None:
        return mode == b"navigate"
    return b"text/html" in said.get(b"accept", b"")


def keeps_cookies(scheme: bytes, authority: bytes) -> bool:
    """Whether browsers keep cookies for TLS there: over TLS, and on the machine itself."""
    if scheme == b"https":
        return True
    try:
        host = urlsplit(f"//{authority.decode('ascii')}").hostname or ""
    except ValueError:
        return False
    return host in _LOOPBACK or host.endswith(".localhost")


def own_url(scheme: bytes, authority: bytes, target: bytes) -> bytes:
    """
    Return the URL of a target on the host that was asked.

    Never the target alone: C{//example.com/} would be another host's.
    """
    return b"%b://%b%b" % (scheme, authority, target)
