"""Kubernetes' C{Secret}: certificates and keys inside the files."""

from __future__ import annotations

from edgegate.istio.kinds.base import Base64
from edgegate.istio.kinds.meta import Object


class Secret(Object, frozen=True, kw_only=True):
    """A Secret. Its contents are never shown."""

    type: str | None = None
    data: dict[str, Base64] = {}
    string_data: dict[str, str] = {}
    immutable: bool | None = None

    @property
    def contents(self) -> dict[str, bytes]:
        """All entries as bytes; C{stringData} wins, as in Kubernetes."""
        return {**self.data, **{key: text.encode() for key, text in self.string_data.items()}}

    def first(self, *keys: str) -> bytes | None:
        """Return the first of these entries that is there: C{first("tls.crt", "cert")}."""
        contents = self.contents
        return next((contents[key] for key in keys if key in contents), None)

    def __repr__(self) -> str:
        return f"Secret(type={self.type!r}, keys={sorted({*self.data, *self.string_data})!r})"
