"""What a client is told whose token is refused: C{www-authenticate} (RFC 6750 section 3, Envoy's C{jwt_authn})."""

from __future__ import annotations

from typing import Final

from edgegate.access.jwt.refusals import MISSING, Refusal

_LONGEST_REALM: Final = 256


def challenge(refusal: Refusal, scheme: bytes, authority: bytes, target: bytes) -> bytes:
    """
    Return the value of C{www-authenticate}.

    @param target: The path with its query, in which no token should stand that others may read.
    """
    realm = b"%b://%b%b" % (scheme, authority, target)
    value = b'Bearer realm="%b"' % realm[:_LONGEST_REALM].replace(b"\\", b"%5C").replace(b'"', b"%22")
    return value if refusal is MISSING else value + b', error="invalid_token"'
