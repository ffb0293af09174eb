# Hot path: made for each request that rules look at.
"""What rules look at of a request, or of a connection that carries none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from edgegate.access.identities import identities
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.guards.jwt import METADATA, PAYLOAD
from edgegate.routing.hosts import host_of
from edgegate.routing.matching import JOINED

Metadata = Mapping[str, Mapping[str, object]]


class Listener(Protocol):
    """What took a connection."""

    @property
    def port(self) -> int:
        """The number that the files name."""

    @property
    def bind(self) -> Address: ...


class Connection(Protocol):
    """What a connection shows to the conditions."""

    @property
    def listener(self) -> Listener: ...
    @property
    def peer(self) -> Address: ...
    @property
    def introducer(self) -> Address | None:
        """Who has connected in place of the peer, by a PROXY header; L{None}: the peer itself."""

    @property
    def local(self) -> Address: ...
    @property
    def server_name(self) -> str: ...
    @property
    def client_certificate(self) -> bytes:
        """What C{x-forwarded-client-cert} says of the client's verified certificate; empty: there is none."""


class Request(Protocol):
    """What a request shows to them."""

    @property
    def method(self) -> bytes: ...
    @property
    def path(self) -> bytes:
        """The target without its query."""

    @property
    def query(self) -> bytes: ...
    @property
    def scheme(self) -> bytes: ...
    @property
    def authority(self) -> bytes: ...
    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """In the order of arrival, names in lower case."""

    @property
    def client_address(self) -> bytes:
        """The client's address, by the trusted hops where there are any."""

    @property
    def metadata(self) -> Metadata | None:
        """Dynamic metadata, by the names of Envoy's filters."""


class Facts:
    """
    What conditions look at, each found when one first asks for it.

    @ivar connection: That of the request.
    @ivar request: L{None}: there is none.
    """

    __slots__ = ("_fields", "_host", "_method", "_name", "_names", "_path", "_values", "connection", "request")

    def __init__(self, connection: Connection, request: Request | None = None) -> None:
        self.connection = connection
        self.request = request
        self._path: bytes | None = None
        self._method: bytes | None = None
        self._host: bytes | None = None
        self._names: tuple[bytes, ...] | None = None
        self._name = b""
        self._fields: dict[bytes, list[bytes]] | None = None
        self._values: list[bytes] = []

    @property
    def path(self) -> bytes:
        """In its normal form, without the query; empty where there is none."""
        path = self._path
        if path is None:
            path = self._path = b"" if self.request is None else self.request.path
        return path

    @property
    def spelt_path(self) -> bytes:
        """The same with escapes in capitals, which mean the same (RFC 3986 section 6.2.2.1); mostly the same object."""
        path = self.path
        return path if path.find(b"%") < 0 else spelt(path)

    @property
    def method(self) -> bytes:
        """As it was sent."""
        method = self._method
        if method is None:
            method = self._method = b"" if self.request is None else self.request.method
        return method

    @property
    def host(self) -> bytes:
        """With its port, if it has one, in lower case."""
        host = self._host
        if host is None:
            host = self._host = b"" if self.request is None else self.request.authority.lower()
        return host

    @property
    def normal_host(self) -> bytes:
        """The same in the form in which it is routed: without the final dot of its name; mostly the same object."""
        host = self.host
        if host[-1:] != b"." and host[:1] != b"[" and host.find(b".:") < 0:
            return host
        try:
            name = host_of(host).encode("ascii")
        except ValueError:
            return host
        _, colon, port = (host.rpartition(b"]")[2] if host[:1] == b"[" else host).partition(b":")
        return b"%b:%b" % (name, port) if colon else name

    @property
    def names(self) -> tuple[bytes, ...]:
        """Those of the client's certificate."""
        names = self._names
        if names is None:
            certificate = self.connection.client_certificate
            names = self._names = identities(certificate) if certificate else ()
        return names

    @property
    def ports(self) -> tuple[int, int]:
        """The number that the files name, and that which is bound."""
        listener = self.connection.listener
        bind = listener.bind
        return listener.port, bind.port if isinstance(bind, TCPAddress) else listener.port

    @property
    def server_name(self) -> bytes:
        """What the client asked for by SNI; empty: nothing."""
        return self.connection.server_name.encode()

    @property
    def peer(self) -> str:
        """The address at the other end of the connection; empty where it is a UNIX socket's."""
        introducer = self.connection.introducer
        return _host_of(self.connection.peer if introducer is None else introducer)

    @property
    def local(self) -> str:
        """The address that the client has connected to."""
        return _host_of(self.connection.local)

    @property
    def client(self) -> str:
        """The address that trusted proxies say, or else the peer's."""
        request = self.request
        return _host_of(self.connection.peer) if request is None else request.client_address.decode("ascii", "replace")

    def header(self, name: bytes) -> list[bytes]:
        """Return the values of a name's fields, in their order; parts of the request line have names with colons."""
        request = self.request
        if request is None:
            return []
        if name[:1] != b":":
            # rules mostly ask for the same ones, one after the other
            if name != self._name:
                self._values = self._values_of(request, name)
                self._name = name
            return self._values
        if name == b":path":
            query = request.query
            return [b"%b?%b" % (request.path, query) if query else request.path]
        if name == b":authority":
            return [request.authority] if request.authority else []
        if name == b":method":
            return [request.method]
        return [request.scheme] if name == b":scheme" else []

    def _values_of(self, request: Request, name: bytes) -> list[bytes]:
        """Look for a name among all fields; for a second one make a table of them, as a third may follow."""
        if not self._name:
            return [value.rstrip(b" \t") for key, value in request.headers if key == name]
        found = self._fields
        if found is None:
            found = self._fields = {}
            for key, value in request.headers:
                found.setdefault(key, []).append(value.rstrip(b" \t"))
        return found.get(name, [])

    @property
    def claims(self) -> Mapping[str, object] | None:
        """Those of a verified token; L{None}: there is none."""
        found = self.metadata(METADATA, PAYLOAD)
        return found if isinstance(found, Mapping) else None

    def metadata(self, namespace: str, key: str) -> object:
        """Return a value of dynamic metadata; L{None} where there is none."""
        request = self.request
        metadata = None if request is None else request.metadata
        found = None if metadata is None else metadata.get(namespace)
        return None if found is None else found.get(key)


def spelt(path: bytes) -> bytes:
    """Return a path with its escapes in capitals; the same object where they are."""
    return _ESCAPE.sub(_in_capitals, path) if _ESCAPE.search(path) is not None else path


_ESCAPE: Final = re.compile(rb"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])")


def _in_capitals(found: re.Match[bytes]) -> bytes:
    return found[0].upper()


def joint(name: bytes) -> bytes | None:
    """Return what stands between the fields of a name that are one value; L{None}: each is one."""
    return JOINED.get(name)


def _host_of(address: Address) -> str:
    return address.host if isinstance(address, TCPAddress) else ""
