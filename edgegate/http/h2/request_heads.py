# Hot path: every new head of HTTP/2 passes here.
"""
What the fields of a request say (RFC 9113 section 8.3.1), checked: fields in, the head of a request of any version out.

What HTTP/1 would have refused is refused here as well, as a backend may speak
it; its fault is answered. What breaks HTTP/2 itself is L{Malformed}: the stream
ends without an answer, as every client knows it.
"""

from __future__ import annotations

from typing import Any, Final, cast

from edgegate.errors import (
    BAD_HOST,
    BAD_PATH,
    BAD_REQUEST,
    EXPECTATION_FAILED,
    METHOD_REFUSED,
    METHOD_UNKNOWN,
    NO_ROUTE,
)
from edgegate.http.fields import (
    CONTENT_LENGTH,
    DROP,
    EXPECT,
    EXPLAIN,
    FORWARDED_FOR,
    FORWARDED_PROTO,
    HOST,
    REJECT,
    REQUEST_ID,
    REQUEST_ROLES,
    TE,
    UNKNOWN_LENGTH,
    Field,
    Role,
    Roles,
    content_length,
)
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.fields import COLON, CONNECTION_SPECIFIC, trailers_of
from edgegate.http.h2.head_cache import FieldsCache
from edgegate.http.request import HostMemory, RequestHead, RequestRefused, refused_head
from edgegate.http.target import PathNormalisation, normal_path
from edgegate.http.upgrade import offered

VERSION: Final = "2"

_TARGET: Final = bytes(range(33, 127))
"""What may stand in a request line, which a target may come into."""

_SLASH: Final = 47
_NUMBER_SIGN: Final = 35
_QUESTION_MARK: Final = 63


class _Control:
    """
    What directs a request: its pseudo fields (RFC 9113 section 8.3.1, RFC 8441 section 4), each at most once, and what
    stands in C{Host} and C{TE}.
    """

    __slots__ = ("authority", "host", "method", "path", "protocol", "scheme", "trailers")

    def __init__(self) -> None:
        self.method: bytes | None = None
        self.scheme: bytes | None = None
        self.authority: bytes | None = None
        self.path: bytes | None = None
        self.protocol: bytes | None = None
        self.host: bytes | None = None
        self.trailers = False

    def take(self, name: bytes, value: bytes) -> None:
        """A pseudo field came."""
        if name == b":method" and self.method is None:
            self.method = value
        elif name == b":path" and self.path is None:
            self.path = value
        elif name == b":scheme" and self.scheme is None:
            self.scheme = value
        elif name == b":authority" and self.authority is None:
            self.authority = value
        elif name == b":protocol" and self.protocol is None:
            self.protocol = value
        else:
            raise Malformed

    def take_field(self, role: Role, value: bytes) -> None:
        """C{Host} or C{TE} came."""
        if role == HOST:
            if self.host is not None:
                raise RequestRefused(BAD_HOST)
            self.host = value
        elif value == b"trailers":
            self.trailers = True
        else:
            raise Malformed


class RequestHeads:
    """Make heads of fields, for all connections that have the same limits and roles."""

    __slots__ = ("_begun", "_hosts", "_methods", "_paths", "_roles", "_whole")

    def __init__(
        self,
        methods: frozenset[bytes],
        paths: PathNormalisation = PathNormalisation.BASE,
        roles: Roles = REQUEST_ROLES,
    ) -> None:
        """
        @param methods: Those that are served.
        @param paths: How a target's path is brought to its normal form.
        @param roles: What becomes of the fields.
        """
        self._methods = methods
        self._paths = paths
        self._roles = roles
        self._hosts = HostMemory()
        self._whole = FieldsCache()
        self._begun = FieldsCache()

    def head(self, fields: list[Field], ends: bool, extended_connect: bool) -> RequestHead:
        """
        Return what a request's fields say.

        @param fields: Their names and values were checked, one by one.
        @param ends: Whether there is nothing behind them.
        @param extended_connect: Whether clients may ask for extended CONNECT.
        @raise RequestRefused: It is answered with this fault.
        @raise Malformed: Its stream is reset.
        """
        memory = self._whole if ends else self._begun
        key = tuple(fields)
        mark = hash(key)
        head = memory.find(key, mark)
        if head is None:
            head = self._checked(fields, ends, extended_connect)
            if not head.upgrade:
                memory.came(key, mark, head)
        return head

    def trailers(self, fields: list[Field]) -> list[Field]:
        """
        Return those of a request's trailer fields that go on.

        @raise Malformed: There is one that may be in no trailers, or in no request.
        """
        return trailers_of(fields, self._roles)

    def _checked(self, fields: list[Field], ends: bool, extended_connect: bool) -> RequestHead:
        head = refused_head()
        head.version = VERSION
        head.keep = True
        passed: list[Field] = []
        head.fields = passed
        control = _Control()
        known = self._roles.known
        regular = False
        cookie = -1
        # compiled, what is known for a tuple is made anew when it is put into a list
        kept = cast("list[Any]", passed)
        for field in cast("list[Any]", fields):
            name: bytes = field[0]
            if name[0] == COLON:
                if regular:
                    raise Malformed
                control.take(name, field[1])
                continue
            regular = True
            role = (known.get(name) or self._roles.of(name))[1]
            if not role:
                if name == b"cookie":
                    if cookie >= 0:  # RFC 9113 section 8.2.3: the crumbs of one
                        passed[cookie] = (name, passed[cookie][1] + b"; " + field[1])
                        continue
                    cookie = len(passed)
                kept.append(field)
            else:
                _take_special(head, control, role, field)
        if control.trailers:
            # the gateway passes trailers on both ways, so this holds for the backend as well (RFC 9110 section 10.1.4)
            passed.append((b"te", b"trailers"))
        self._take_control(head, control, extended_connect)
        if not head.sized:
            head.length = 0 if ends or head.upgrade else UNKNOWN_LENGTH
        elif head.length and ends:
            raise Malformed
        return head

    def _take_control(self, head: RequestHead, control: _Control, extended_connect: bool) -> None:
        method, scheme, path = control.method, control.scheme, control.path
        if method == b"CONNECT":
            _take_connect(head, control, extended_connect)
            method = b"GET"  # as which routes know it (RFC 6455 section 4.1)
        elif control.protocol is not None:
            raise Malformed
        if not method or not scheme or not path:
            raise Malformed
        if method not in self._methods:
            raise RequestRefused(METHOD_UNKNOWN)
        if method == b"TRACE":
            raise RequestRefused(METHOD_REFUSED)
        if scheme not in (b"http", b"https"):
            raise RequestRefused(BAD_REQUEST)
        head.method = method
        head.special = scheme == b"https"
        authority, host = control.authority, control.host
        if authority is None:
            authority = host
        elif host is not None and host != authority and host.lower() != authority.lower():
            # RFC 9113 section 8.3.1: who is asked must not depend on who reads it
            raise RequestRefused(BAD_HOST)
        if authority is None:
            raise RequestRefused(BAD_HOST)
        head.authority = authority
        head.host = self._hosts.host(authority)
        self._take_path(head, path)

    def _take_path(self, head: RequestHead, target: bytes) -> None:
        if target[0] != _SLASH:
            if target != b"*" or head.method != b"OPTIONS":
                raise RequestRefused(BAD_REQUEST)
            head.target = head.path = target
            head.special = True
            return
        if _NUMBER_SIGN in target or target.translate(None, _TARGET):
            raise RequestRefused(BAD_REQUEST)
        path = target if _QUESTION_MARK not in target else target[: target.index(b"?")]
        try:
            head.path = normal = normal_path(path, self._paths)
        except ValueError as error:
            raise RequestRefused(BAD_PATH) from error
        head.target = target if normal is path else normal + target[len(path) :]


def _take_special(head: RequestHead, control: _Control, role: Role, field: Field) -> None:
    """Take a field that is the gateway's to deal with, or refuse one that may not be there."""
    name, value = field
    if role in (HOST, TE):
        control.take_field(role, value)
    elif role == DROP:
        if name in CONNECTION_SPECIFIC:
            raise Malformed
    elif role == CONTENT_LENGTH:
        _take_length(head, value)
    elif role == FORWARDED_FOR:
        head.forwarded_for.append(value)
    elif role == FORWARDED_PROTO:
        head.forwarded_proto = value
    elif role == REQUEST_ID:
        head.request_id = value
    elif role == EXPECT:
        if value.lower() != b"100-continue":
            raise RequestRefused(EXPECTATION_FAILED)
        head.expects_continue = True
    elif role == EXPLAIN:
        head.explains = True
    else:
        _refuse(role)


def _refuse(role: Role) -> None:
    """Nobody may send it, or nobody over HTTP/2: CONNECTION, TRANSFER_ENCODING, UPGRADE (RFC 9113 section 8.2.2)."""
    if role == REJECT:
        raise RequestRefused(BAD_REQUEST)
    raise Malformed


def _take_length(head: RequestHead, value: bytes) -> None:
    if head.sized:
        raise Malformed
    try:
        head.length = content_length(value)
    except ValueError as error:
        raise Malformed from error
    head.sized = True


def _take_connect(head: RequestHead, control: _Control, extended_connect: bool) -> None:
    """RFC 8441 section 4: the stream becomes what a connection becomes by C{Upgrade}; all other CONNECT is refused."""
    if control.protocol is None:
        if control.scheme is not None or control.path is not None or not control.authority:
            raise Malformed
        # no route takes it, so nobody is told more than of any other request without a route
        raise RequestRefused(NO_ROUTE)
    if not extended_connect or head.sized:
        raise Malformed
    head.upgrade = offered([control.protocol])
    if len(head.upgrade) != 1:
        raise RequestRefused(BAD_REQUEST)
