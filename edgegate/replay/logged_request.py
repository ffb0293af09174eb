"""From the values of a line to a request, and to what is not known of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edgegate.errors import BAD_REQUEST, METHOD_UNKNOWN, Fault
from edgegate.http.fields import PASS, REQUEST_ROLES, Field
from edgegate.http.h1.head_parser import METHODS
from edgegate.http.request import HostMemory, RequestHead, RequestRefused, h1_head
from edgegate.http.target import PathNormalisation
from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import UNESCAPE, Escapes
from edgegate.replay.formats.reading import NO_REQUEST, Values
from edgegate.replay.possible_routes import AUTHORITY, QUERY, header_subject
from edgegate.routing.hosts import host_of


@dataclass(frozen=True, slots=True)
class Answer:
    """
    How a request was answered, as far as its line says.

    @ivar status: 0: nothing was, or it is not said.
    @ivar cluster: Where it was sent; empty: nowhere; L{None}: it is not said.
    """

    status: int = 0
    flags: str = ""
    details: str = ""
    cluster: str | None = None
    route: str = ""


@dataclass(slots=True)
class LoggedRequest:
    """
    A request as a line shows it.

    @ivar target: As it was asked for.
    @ivar authority: Empty: there was none.
    @ivar port: That it came to, by the files; L{None}: it is not said.
    @ivar tls: Whether it came by TLS; L{None}: it is not said.
    @ivar server_name: The SNI name in normal form; empty: none was sent; L{None}: it is not said.
    @ivar local: The address that it came to, or empty.
    @ivar fields: The headers that are known.
    @ivar known: What is known of what routes may ask about.
    @ivar made: Its head, once somebody has asked, for C{paths}.
    @ivar variants: Of what is known in part: what the headers may have been.
    """

    method: bytes
    target: bytes
    version: str
    authority: bytes
    port: int | None
    tls: bool | None
    server_name: str | None
    local: str = ""
    fields: list[Field] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    variants: dict[str, tuple[tuple[bytes, ...], ...]] = field(default_factory=dict)
    answer: Answer = Answer()
    paths: PathNormalisation | None = None
    made: RequestHead | Fault | None = None

    def head(self, memory: HostMemory, paths: PathNormalisation) -> RequestHead | Fault:
        """Return the head of the request, or with what it is refused; made once for each form of paths."""
        if self.paths is not paths:
            self.paths, self.made = paths, self._head(memory, paths)
        assert self.made is not None
        return self.made

    def _head(self, memory: HostMemory, paths: PathNormalisation) -> RequestHead | Fault:
        if self.method not in METHODS:
            return METHOD_UNKNOWN
        if self.method != b"CONNECT" and _TARGET.fullmatch(self.target) is None:
            return BAD_REQUEST
        received = [(b"Host", self.authority)] if self.authority else []
        try:
            return h1_head(self.method, self.target, self.version, True, received, memory, paths)
        except RequestRefused as refused:
            return refused.fault

    def shown(self) -> str:
        """Return it as people write it."""
        scheme = b"https" if self.tls else b"http"
        if b"://" in self.target:
            url = self.target
        else:
            # OPTIONS * asks a host, not for a path
            between = b"" if self.target.startswith(b"/") else b" "
            url = b"%b://%b%b%b" % (scheme, self.authority, between, self.target)
        return printable(b"%b %b" % (self.method, url))


_TARGET: Final = re.compile(rb"(?:[/*]|[A-Za-z]+://)[!-~]*")
"""What the parser of HTTP/1 takes, whatever is made of it then."""

_DASH: Final = b"-"


@dataclass(frozen=True, slots=True)
class Defaults:
    """
    What a user says of requests where their lines don't.

    @ivar ports: The numbers of the files, by those that were bound.
    """

    authority: bytes = b""
    port: int | None = None
    ports: Mapping[int, int] = field(default_factory=dict)


class RequestReader:
    """Makes requests of the values of lines."""

    def __init__(self, names: Sequence[str], said: Sequence[str], escapes: Escapes, defaults: Defaults) -> None:
        """
        @param names: The columns of the values.
        @param said: All columns of the format, those that nobody wants included.
        """
        self._names = tuple(names)
        self._unescape = UNESCAPE[escapes]
        self._defaults = defaults
        self._headers = [(name, at) for at, each in enumerate(names) if (name := columns.header_of(each))]
        self._query_known = columns.QUERY in said
        # of who has asked it a gateway tells its backend, and a log of Envoy's form what it was told
        self._gateway = columns.FLAGS in said

    def request(self, values: Values) -> LoggedRequest | str:
        """Return the request of a line's values, or why there is none."""
        unescape = self._unescape
        said = {
            name: None if value is None else unescape(value) for name, value in zip(self._names, values, strict=True)
        }
        method, path = said.get(columns.METHOD), said.get(columns.PATH)
        if method in (None, _DASH) or path in (None, _DASH):
            return NO_REQUEST
        assert method is not None and path is not None
        server_name = _server_name(said)
        request = LoggedRequest(
            method,
            path + (said.get(columns.QUERY) or b""),
            "1.0" if said.get(columns.PROTOCOL) == b"HTTP/1.0" else "1.1",
            b"",
            self._port(said),
            _tls(said.get(columns.SCHEME), server_name),
            server_name,
            answer=_answer(said),
        )
        self._take_host(request, said)
        self._take_headers(request, values)
        return request

    def _take_host(self, request: LoggedRequest, said: Mapping[str, bytes | None]) -> None:
        known = {QUERY} if self._query_known else set()
        host = self._defaults.authority or _present(said.get(columns.AUTHORITY))
        if host or columns.AUTHORITY in said:
            known.add(AUTHORITY)
        else:
            host = _present(said.get(columns.HOST)) or _present(said.get(columns.SERVER))
            if request.port is not None:
                request.variants[AUTHORITY] = ((host,), (b"%b:%d" % (host, request.port),))
        if not host and _present(said.get(columns.PROTOCOL)) == b"":
            # nothing says that there had to be one
            request.version = "1.0"
        request.authority = host
        request.known = frozenset(known)

    def _take_headers(self, request: LoggedRequest, values: Values) -> None:
        known: set[str] = set()
        for name, at in self._headers:
            raw = values[at]
            spelt = name.encode("latin-1")
            if not self._tells(spelt, raw):
                continue
            if raw is None:
                known.add(header_subject(name))
            elif raw in (b"", _DASH):
                # what was not there, what was empty, and a dash look alike
                request.variants[header_subject(name)] = ((), (b"",), (_DASH,)) if raw else ((), (b"",))
            else:
                known.add(header_subject(name))
                request.fields.append((spelt, self._unescape(raw)))
        request.known |= known

    def _tells(self, name: bytes, raw: bytes | None) -> bool:
        """Whether a header is in a log what it was to the routes: the gateway sets some anew."""
        if name == b"x-forwarded-for":
            return self._gateway and raw is not None and b"," not in raw
        return REQUEST_ROLES.of(name)[1] == PASS and name != b"x-envoy-external-address"

    def _port(self, said: Mapping[str, bytes | None]) -> int | None:
        text = said.get(columns.PORT) or (said.get(columns.LOCAL) or b"").rpartition(b":")[2]
        if not text.isdigit() or len(text) > _DIGITS:
            return self._defaults.port
        number = int(text)
        return self._defaults.ports.get(number, number)


_DIGITS: Final = 5
"""Of a port's number."""


def _present(value: bytes | None) -> bytes:
    return b"" if value is None or value == _DASH else value


def _server_name(said: Mapping[str, bytes | None]) -> str | None:
    if columns.SNI not in said:
        return None
    name = _present(said[columns.SNI])
    try:
        return host_of(name) if name else ""
    except ValueError:
        return None


def _tls(scheme: bytes | None, server_name: str | None) -> bool | None:
    if server_name:
        return True
    return {b"https": True, b"wss": True, b"http": False, b"ws": False}.get(scheme or b"")


def _answer(said: Mapping[str, bytes | None]) -> Answer:
    status, cluster = said.get(columns.STATUS) or b"", said.get(columns.CLUSTER)
    return Answer(
        int(status) if status.isdigit() and len(status) == len(b"200") else 0,
        _text(said.get(columns.FLAGS)),
        _text(said.get(columns.DETAILS)),
        _text(cluster) if columns.CLUSTER in said else None,
        _text(said.get(columns.ROUTE)),
    )


def _text(value: bytes | None) -> str:
    return printable(_present(value))


def printable(data: bytes) -> str:
    """Return what somebody wrote so that it does nothing to a terminal."""
    return data.decode("latin-1").translate(_UNPRINTED)


_UNPRINTED: Final = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0x100))}
