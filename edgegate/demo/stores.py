"""
The coolstore's HTTP backends.

They answer JSON that shows what reaches a backend behind the gateway: the
host, the path, and what the gateway says of the client.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import quoteStringArgument
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

CATALOG = [
    {"id": 1, "name": "Red fedora", "price": 34.99},
    {"id": 2, "name": "Forge laptop sticker", "price": 8.5},
]

PAGES: Mapping[str, Mapping[str, tuple[str, object]]] = {
    "apiserver": {"/api/products": ("products", CATALOG), "/api/catalog": ("catalog", CATALOG)},
    "catalog": {"/items": ("items", CATALOG)},
    "simple-sni-1": {"/": ("body", "Hello from simple-sni-1!")},
    "simple-sni-2": {"/": ("body", "Hello from simple-sni-2!")},
}
"""For each backend: path -> what its answer calls the content, and the content."""

SHOWN = ("x-forwarded-", "x-request-id", "x-envoy-")
"""How the names of those request headers begin that an answer repeats."""


class StoreResource(Resource):
    """
    One backend: answers every path, known ones with 200 and their content, others with 404.

    An upload is read whole and only counted: this is a demo, not a server to
    put before strangers.
    """

    isLeaf = True  # noqa: N815 (Twisted's name)

    def __init__(self, name: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.name = name
        self._pages = PAGES[name]

    def render(self, request: Request) -> bytes:
        """Answer with one JSON object, a line for each of its members."""
        path = request.path.decode("utf-8", "replace")
        answer: dict[str, object] = {
            "service": self.name,
            "request": f"{request.method.decode('ascii', 'replace')} {path}",
            "host": _text(request.getHeader(b"host")),
        }
        for key, values in request.requestHeaders.getAllRawHeaders():
            field = key.decode("latin-1").lower()
            if field.startswith(SHOWN):
                answer[field] = ", ".join(_text(value) for value in values)
        received = request.content.seek(0, 2) if request.content else 0
        if received:
            answer["received_bytes"] = received
        content = self._pages.get(path)
        if content is None:
            request.setResponseCode(404)
            answer["error"] = f"{self.name} has no such page"
        else:
            answer[content[0]] = content[1]
        request.setHeader(b"content-type", b"application/json")
        return as_json(answer)


def as_json(answer: Mapping[str, object]) -> bytes:
    """Return an object as JSON with one member a line, which is how a terminal shows it best."""
    members = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in answer.items())
    return f"{{\n{members}\n}}\n".encode()


class StoreSite(Site):
    """A C{Site} that keeps no access log: the gateway in front of it says what there is to say."""

    noisy = False

    def __init__(self, name: str) -> None:
        super().__init__(StoreResource(name))  # type: ignore[no-untyped-call]

    def log(self, request: HTTPRequest) -> None:
        """Say nothing."""


def tcp_description(port: int) -> str:
    """Return the description of a server endpoint on loopback, as Twisted's C{serverFromString} reads it."""
    return f"tcp:{port}:interface=127.0.0.1"


def tls_description(port: int, certs: Path, host: str) -> str:
    """Return the same with TLS, by the certificate and key of a host in a folder that C{edgegate certs --demo} made."""
    key, certificate = (quoteStringArgument(str(certs / f"{host}.{suffix}")) for suffix in ("key", "crt"))
    return f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={certificate}"


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else ""
