"""Basic authentication as a client sends it (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
from typing import Final

LONGEST_CREDENTIALS: Final = 1024
"""Bytes of the field's value."""


def basic_credentials(value: bytes) -> tuple[bytes, bytes] | None:
    """Return user and password of an C{authorization} field; L{None}: it holds none."""
    if len(value) > LONGEST_CREDENTIALS:
        return None
    scheme, _, token = value.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        text = base64.b64decode(token.strip(b" "), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = text.partition(b":")
    return (user, password) if colon else None


def challenge(scheme: bytes, realm: bytes) -> bytes:
    """Return a C{www-authenticate} field that asks for credentials of UTF-8 (RFC 7617 section 2.1)."""
    quoted = realm.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    charset = b', charset="UTF-8"' if scheme == b"Basic" else b""
    return b'%b realm="%b"%b' % (scheme, quoted, charset)
