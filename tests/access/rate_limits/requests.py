"""Requests as limits see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgegate.model.claims import NO_CLAIMS
from edgegate.model.guards.jwt import METADATA, PAYLOAD


@dataclass
class Asked:
    """A request."""

    method: bytes = b"GET"
    path: bytes = b"/"
    query: bytes = b""
    scheme: bytes = b"http"
    authority: bytes = b"shop.example"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    port: int = 80
    client_address: bytes = b"192.0.2.1"
    metadata: Mapping[str, Mapping[str, object]] | None = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """Those of its token."""
        found = (self.metadata or {}).get(METADATA, {}).get(PAYLOAD)
        return found if isinstance(found, dict) else NO_CLAIMS


def with_claims(**claims: object) -> Asked:
    """Return a request whose token says something."""
    return Asked(metadata={METADATA: {PAYLOAD: claims}})
