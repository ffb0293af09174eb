# Hot path: made once for each request.
"""
The head of a request, checked: what every HTTP version's connection makes of what a client sent.

Where RFC 9112 leaves a choice, the stricter one is taken: what the gateway and
a backend could read differently is refused.
"""

from __future__ import annotations

import re
from typing import Final

from edgegate.errors import (
    BAD_HOST,
    BAD_PATH,
    BAD_REQUEST,
    BAD_WEBSOCKET,
    CODING_UNKNOWN,
    EXPECTATION_FAILED,
    METHOD_REFUSED,
    NO_ROUTE,
    Fault,
)
from edgegate.http.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    EXPLAIN,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    HOST,
    PASS,
    REJECT,
    REQUEST_ID,
    REQUEST_ROLES,
    TE,
    TRANSFER_ENCODING,
    UNKNOWN_LENGTH,
    UPGRADE,
    Field,
    Role,
    Roles,
    check_field,
    content_length,
    may_nominate,
    nominated,
)
from edgegate.http.target import PathNormalisation, normal_path
from edgegate.http.upgrade import Protocols, offered, sound
from edgegate.http.upstream_head import UpstreamHead
from edgegate.routing.hosts import host_of


class RequestRefused(Exception):
    """The request is answered by the gateway itself, and its connection ends."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


class RequestHead:
    """
    A request's head, ready to be routed. Shared by all requests whose heads are the same, on whatever connections:
    never changed, and nothing in it is of one client.

    @ivar target: What is sent on: origin form (path and query) or C{*}, the path in its normal form.
    @ivar path: The target without its query.
    @ivar authority: The host as the client wrote it, with its port; empty for an HTTP/1.0 request without C{Host}.
    @ivar host: The normal form of the authority's host; empty where there is none.
    @ivar fields: What passes to the backend, in the order of arrival, names in lower case.
    @ivar length: Bytes of the body; 0: none; L{UNKNOWN_LENGTH}.
    @ivar sized: Whether the client sent C{Content-Length}, which tells C{POST} with an empty body from one without.
    @ivar keep: Whether the client wants its connection kept.
    @ivar upgrade: The protocols that the client would rather speak, of those that a backend may be asked for.
    @ivar special: Whether the target is C{*} or an https URL, which not every connection may ask for.
    @ivar explains: Whether it asks for an explanation, where somebody may ask for that.
    @ivar lines: The lines of C{fields} as HTTP/1 sends them on, in pieces; L{None}: nobody has them at hand.
    @ivar sent: What backends get of it, once that was made.
    @ivar sent_by: The changes that are in that, which a route makes.
    """

    __slots__ = (
        "authority",
        "expects_continue",
        "explains",
        "fields",
        "forwarded_for",
        "forwarded_proto",
        "host",
        "keep",
        "length",
        "lines",
        "method",
        "path",
        "request_id",
        "sent",
        "sent_by",
        "sized",
        "special",
        "target",
        "upgrade",
        "version",
    )

    method: bytes
    target: bytes
    path: bytes
    authority: bytes
    host: str
    version: str
    fields: list[Field]
    length: int
    sized: bool
    special: bool
    keep: bool
    expects_continue: bool
    explains: bool
    forwarded_for: list[bytes]
    forwarded_proto: bytes
    request_id: bytes
    upgrade: Protocols
    lines: list[bytes] | None
    sent: UpstreamHead | None
    sent_by: object

    def changed(self, fields: list[Field], removed: frozenset[bytes] = frozenset()) -> RequestHead:
        """
        Return a head in which these fields replace all of their names, and others are gone.

        @param fields: Names in lower case.
        @raise ValueError: A name or a value is none, or a name is one that HTTP and the gateway set themselves.
        """
        for name, value in fields:
            check_field(name, value)
            if REQUEST_ROLES.of(name)[1] != PASS:
                raise ValueError(f"{name!r} is not a filter's to set")
        gone = removed.union(name for name, _ in fields)
        head = RequestHead()
        head.method, head.target, head.path = self.method, self.target, self.path
        head.authority, head.host, head.version = self.authority, self.host, self.version
        head.length, head.sized, head.special = self.length, self.sized, self.special
        head.keep, head.expects_continue, head.upgrade = self.keep, self.expects_continue, self.upgrade
        head.forwarded_for, head.forwarded_proto = self.forwarded_for, self.forwarded_proto
        head.request_id = self.request_id
        head.explains = self.explains
        head.fields = [*(field for field in self.fields if field[0] not in gone), *fields]
        head.lines = None
        head.sent = None
        head.sent_by = None
        return head

    def with_target(self, method: bytes, target: bytes, paths: PathNormalisation) -> RequestHead:
        """
        Return a head with all that this one says, that asks for something else.

        @param target: In origin form, as that of this one.
        @param paths: How the target's path is brought to its normal form.
        @raise RequestRefused: It is answered with this fault.
        """
        head = RequestHead()
        head.method = method
        head.authority, head.host, head.version = self.authority, self.host, self.version
        head.length, head.sized, head.special = self.length, self.sized, self.special
        head.keep, head.expects_continue, head.upgrade = self.keep, self.expects_continue, self.upgrade
        head.forwarded_for, head.forwarded_proto = self.forwarded_for, self.forwarded_proto
        head.request_id = self.request_id
        head.explains = self.explains
        head.fields, head.lines = self.fields, self.lines
        head.sent = None
        head.sent_by = None
        _take_target(head, target, paths)
        return head


_HOSTS_SIZE: Final = 2 << 20
"""Bytes that the hosts that are remembered may need."""

_EACH_HOST: Final = 160
"""Bytes that one needs beside its letters."""

_LONGEST_HOST: Final = 261
"""Bytes of an authority that is remembered: those of the longest name and its port."""

# Of one byte, bytes are asked by its number: looking for bytes they make an exception first, in C.
_NUMBER_SIGN: Final = 35
_QUESTION_MARK: Final = 63

_AUTHORITY: Final = re.compile(rb"[^/?#@]+:[0-9]{1,5}")
_ABSOLUTE: Final = re.compile(rb"(?i:https?)://([^/?#]*)([^#]*)")


def h1_head(
    method: bytes,
    target: bytes,
    version: str,
    keep: bool,
    received: list[Field],
    memory: HostMemory,
    paths: PathNormalisation = PathNormalisation.BASE,
    roles: Roles = REQUEST_ROLES,
) -> RequestHead:
    """
    Check the head of an HTTP/1 request that llhttp has parsed.

    @param received: Fields with their names as the client wrote them.
    @param memory: Of the authorities that were asked for.
    @param paths: How the target's path is brought to its normal form.
    @param roles: What becomes of the fields.
    @raise RequestRefused: It is answered with this fault.
    """
    fields: list[Field] = []
    authority: bytes | None = None
    special: list[tuple[Role, bytes]] = []
    known = roles.known
    for name, value in received:
        lower, role = known.get(name) or roles.of(name)
        if not role:
            fields.append((lower, value))
        elif role == HOST:
            if authority is not None:
                raise RequestRefused(BAD_HOST)
            authority = value
        else:
            special.append((role, value))
    return checked_head(method, target, version, keep, authority, fields, special, memory, paths)


def checked_head(
    method: bytes,
    target: bytes,
    version: str,
    keep: bool,
    authority: bytes | None,
    fields: list[Field],
    special: list[tuple[Role, bytes]],
    memory: HostMemory,
    paths: PathNormalisation,
) -> RequestHead:
    """
    Check the head of an HTTP/1 request whose fields are told apart.

    @param authority: The value of its C{Host}; L{None}: it has none.
    @param fields: Those that pass, names in lower case.
    @param special: All others.
    @param memory: Of the authorities that were asked for.
    @param paths: How the target's path is brought to its normal form.
    @raise RequestRefused: It is answered with this fault.
    """
    head = RequestHead()
    head.method = method
    head.version = version
    head.keep = keep
    head.length = 0
    head.sized = head.expects_continue = head.special = head.explains = False
    head.forwarded_for = []
    head.forwarded_proto = head.request_id = b""
    head.lines = None
    head.sent = None
    head.sent_by = None
    head.upgrade = ()
    head.fields = fields
    if special:
        _take_special(head, special)
    received_host = authority is not None
    if not received_host and version != "1.0":
        raise RequestRefused(BAD_HOST)
    head.authority = authority or b""
    _take_target(head, target, paths)
    if authority and head.authority is not authority:
        # the target's counts, but a Host that is none is refused all the same (RFC 9112 section 3.2)
        memory.host(authority)
    head.host = memory.host(head.authority) if received_host or head.authority else ""
    return head


def refused_head() -> RequestHead:
    """Return what stands for the head of a request that could not be read."""
    head = RequestHead()
    head.method = head.target = head.path = b"-"
    head.authority = head.forwarded_proto = head.request_id = b""
    head.host, head.version = "", "1.1"
    head.fields, head.forwarded_for = [], []
    head.lines = None
    head.sent = None
    head.sent_by = None
    head.upgrade = ()
    head.length = 0
    head.sized = head.keep = head.expects_continue = head.special = head.explains = False
    return head


class HostMemory:
    """The hosts of the authorities that were asked for lately: clients mostly ask for the same ones again."""

    __slots__ = ("_hosts", "_size")

    def __init__(self) -> None:
        self._hosts: dict[bytes, str] = {}
        self._size = 0

    def host(self, authority: bytes) -> str:
        """
        Return the normal form of an authority's host.

        @raise RequestRefused: It is no authority.
        """
        host = self._hosts.get(authority)
        if host is not None:
            return host
        try:
            host = host_of(authority)
        except ValueError as error:
            raise RequestRefused(BAD_HOST) from error
        if len(authority) <= _LONGEST_HOST:
            self._size += 2 * len(authority) + _EACH_HOST
            if self._size > _HOSTS_SIZE:
                self._hosts.clear()
                self._size = 0
            self._hosts[authority] = host
        return host


def _take_target(head: RequestHead, target: bytes, paths: PathNormalisation) -> None:
    method = head.method
    if method == b"CONNECT":
        # no route takes it, so nobody is told more than of any other request without a route
        raise RequestRefused(NO_ROUTE if _AUTHORITY.fullmatch(target) else BAD_REQUEST)
    if method == b"TRACE":
        raise RequestRefused(METHOD_REFUSED)
    if target[:1] != b"/":
        if target == b"*":
            if method != b"OPTIONS":
                raise RequestRefused(BAD_REQUEST)
            head.target = head.path = target
            head.special = True
            return
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None or not absolute[1]:
            raise RequestRefused(BAD_REQUEST)
        # RFC 9112 section 3.2.2: the authority of the target replaces the Host field.
        head.authority, target = absolute[1], absolute[2]
        head.special = absolute[0][4] in b"sS"
        if target[:1] != b"/":
            target = b"/" + target
    if _NUMBER_SIGN in target:
        raise RequestRefused(BAD_REQUEST)
    path = target if _QUESTION_MARK not in target else target[: target.index(b"?")]
    try:
        head.path = normal = normal_path(path, paths)
    except ValueError as error:
        raise RequestRefused(BAD_PATH) from error
    head.target = target if normal is path else normal + target[len(path) :]


def _take_special(head: RequestHead, special: list[tuple[Role, bytes]]) -> None:
    options: list[bytes] = []
    codings: list[bytes] = []
    upgrades: list[bytes] = []
    trailers = False
    for role, value in special:
        if role == CONNECTION:
            options.append(value)
        elif role == FORWARDED_FOR:
            head.forwarded_for.append(value)
        elif role == TRANSFER_ENCODING:
            codings.append(value)
        elif role == UPGRADE:
            upgrades.append(value)
        elif role == TE:
            trailers = trailers or b"trailers" in nominated([value])
        else:
            _take_one(head, role, value)
    if codings:
        _take_codings(head, codings)
    if options:
        own = nominated(options)
        if not may_nominate(own):
            raise RequestRefused(BAD_REQUEST)
        head.fields = [field for field in head.fields if field[0] not in own]
        if upgrades and b"upgrade" in own:
            _take_upgrade(head, upgrades)
    if trailers:
        # the gateway passes trailers on both ways, so this holds for the backend as well (RFC 9110 section 10.1.4)
        head.fields.append((b"te", b"trailers"))


def _take_one(head: RequestHead, role: Role, value: bytes) -> None:
    """Take a field that says all that it says by itself."""
    if role == CONTENT_LENGTH:
        _take_length(head, value)
    elif role == FORWARDED_PROTO:
        head.forwarded_proto = value
    elif role == REQUEST_ID:
        head.request_id = value
    elif role == EXPECT:
        _take_expectation(head, value)
    elif role == EXPLAIN:
        head.explains = True
    elif role == REJECT:
        raise RequestRefused(BAD_REQUEST)


def _take_expectation(head: RequestHead, value: bytes) -> None:
    """RFC 9110 section 10.1.1: of HTTP/1.0 it is passed over."""
    if head.version == "1.0":
        return
    if value.lower() != b"100-continue":
        raise RequestRefused(EXPECTATION_FAILED)
    head.expects_continue = True


def _take_upgrade(head: RequestHead, values: list[bytes]) -> None:
    """RFC 9110 section 7.8: never on HTTP/1.0; beside a body, which would have to come first, it is passed over too."""
    if head.version == "1.0" or head.length:
        return
    asked = offered(values)
    if not sound(asked, head.method, head.fields):
        raise RequestRefused(BAD_WEBSOCKET)
    head.upgrade = asked


def _take_length(head: RequestHead, value: bytes) -> None:
    if head.sized:
        raise RequestRefused(BAD_REQUEST)
    try:
        head.length = content_length(value)
    except ValueError as error:
        raise RequestRefused(BAD_REQUEST) from error
    head.sized = True


def _take_codings(head: RequestHead, codings: list[bytes]) -> None:
    """RFC 9112 section 6.1: beside a length or in HTTP/1.0 a coding is an attack or a mistake."""
    if head.sized or head.version == "1.0":
        raise RequestRefused(BAD_REQUEST)
    if len(codings) > 1 or codings[0].lower() != b"chunked":
        raise RequestRefused(CODING_UNKNOWN)
    head.length = UNKNOWN_LENGTH
