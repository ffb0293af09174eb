# Hot path: read once for each client certificate.
"""Who a client is by its certificate, as C{x-forwarded-client-cert} has it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_ELEMENT: Final = re.compile(rb'([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,"]*))(?:;|$)')
_ORDER: Final = (b"uri", b"dns", b"subject")


@lru_cache(maxsize=1024)  # a certificate says much, and its client has many requests
def identities(certificate: bytes) -> tuple[bytes, ...]:
    """
    Return the names that principals are compared with: URIs, DNS names and the subject, those that are not empty
    (Envoy's C{rbac/matchers.cc}, C{AuthenticatedMatcher}).

    @param certificate: The value of C{x-forwarded-client-cert} that the gateway has made of a certificate that it has
        verified; empty: there is none.
    """
    found: dict[bytes, list[bytes]] = {name: [] for name in _ORDER}
    for name, quoted, plain in _ELEMENT.findall(certificate):
        values = found.get(name.lower())
        if values is not None:
            # escapes stay: a name may have some of its own, and must not become another's
            values.append(quoted or plain)
    return tuple(value for name in _ORDER for value in found[name] if value)
