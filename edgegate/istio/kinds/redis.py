"""A Redis, as edgegate's own kinds name one."""

from __future__ import annotations

from edgegate.istio.kinds.base import Spec, UInt32


class RedisTLSSettings(Spec, frozen=True, kw_only=True):
    """How Redis is spoken to over TLS. Files are read for each connection."""

    server_name: str | None = None
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


class Redis(Spec, frozen=True, kw_only=True):
    """A Redis: C{HOST:PORT}, or C{unix:///PATH}. C{passwordFile} is read for each connection."""

    address: str
    db: UInt32 | None = None
    username: str | None = None
    password_file: str | None = None
    tls: RedisTLSSettings | None = None
