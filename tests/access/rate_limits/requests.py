"""Requests as limits see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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


def with_claims(**claims: object) -> Asked:
    """Return a request whose token says something."""
    return Asked(metadata={"envoy.filters.http.jwt_authn": {"payload": claims}})
