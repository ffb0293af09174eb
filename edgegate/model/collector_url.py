"""URLs of collectors, as options and files say them."""

from __future__ import annotations

from urllib.parse import urlsplit

LOGS_PATH = "/v1/logs"
"""Where OpenTelemetry's collectors take logs by HTTP."""


def collector_url(text: str, path: str) -> str:
    """
    Return the URL of a collector, completed.

    @param path: Of one that has none.
    @raise ValueError: It is no URL of HTTP, or has what none of a collector has: a user, a fragment.
    """
    try:
        parts = urlsplit(text)
        sound = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and text.isascii()
    except ValueError:
        sound = False
    if not sound or not text.isprintable() or " " in text or parts.username is not None or parts.fragment:
        raise ValueError(f"expected http://HOST:PORT or https://HOST:PORT, got {text!r}")
    return parts._replace(path=path).geturl() if parts.path in ("", "/") else text
