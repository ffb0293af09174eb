"""Where an issuer's keys are, by its OpenID configuration (OpenID Connect Discovery 1.0 section 4)."""

from __future__ import annotations

from urllib.parse import urlsplit

from edgegate.access.jwt.json_object import json_object


def keys_url(data: bytes, asked: str) -> str:
    """
    Return the URL of the key set that a configuration names.

    @param asked: Where the configuration was fetched: over https no other than https is believed.
    @raise ValueError: It names none.
    """
    try:
        url = json_object(data).get("jwks_uri")
    except ValueError:
        raise ValueError("the OpenID configuration is no object of JSON") from None
    if not isinstance(url, str) or not url.lower().startswith(("https://", "http://")) or not url.isascii():
        raise ValueError("the OpenID configuration has no jwks_uri that is a URL")
    if asked.lower().startswith("https:") and not url.lower().startswith("https:"):
        raise ValueError("the OpenID configuration names keys without https")
    return url


def same_origin(url: str, other: str) -> bool:
    """Whether two URLs have the same scheme, host and port: between others no redirect is followed."""
    return _origin(url) == _origin(other)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
