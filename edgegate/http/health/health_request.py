# Compiled: inherits from a class that is.
"""
One question for the health of an endpoint, on a connection of whatever version of HTTP.

As the kubelet does it: over HTTP a status of 200 to 399 is well, redirects are not followed, and what a response says
is not read. Over gRPC it is read, and says C{SERVING}.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote

from edgegate.errors import INTERNAL, Fault
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.health.grpc_health import SERVING, STATUSES, BadMessage, response_of
from edgegate.http.response import ResponseHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_head import UpstreamHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.net.stream import Stream

MAX_MESSAGE: Final = 4096
"""Bytes that are read of a response of gRPC, its head and trailers not counted."""

USER_AGENT: Final = b"edgegate-probe"

_CHECK: Final = b"/grpc.health.v1.Health/Check"

_IN_A_PATH: Final = "/?:@!$&'()*+,;=-._~%[]"
"""What is not escaped, beside letters and digits."""

_CONNECTIONS_OWN: Final = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"http2-settings",
        b"keep-alive",
        b"proxy-connection",
        b"te",
        b"transfer-encoding",
        b"upgrade",
    )
)
"""Fields that the connection says itself, and the host, which stands by itself."""

_CONTROL: Final = re.compile(rb"[\0-\x08\n-\x1f\x7f]+")


class HealthRequest(UpstreamCallbacks):
    """
    Asks, and tells once what came of it. It has its stream until then, or until L{drop}.
    """

    __slots__ = ("_body", "_stream", "_tell")

    def __init__(self, head: UpstreamHead, body: bytes, tell: Callable[[str], None]) -> None:
        """
        @param tell: Called with what is wrong; with nothing where the endpoint is well.
        """
        self.head = head
        self.identity, self.request_id = FieldBlock(), b""
        self.expected = self.attempt = self.context = None
        self._body = body
        self._tell: Callable[[str], None] | None = tell
        self._stream: UpstreamStream | None = None

    def begin(self, stream: UpstreamStream) -> None:
        """Ask."""
        self._stream = stream
        stream.send(self)
        if self._body:
            stream.body(self._body)
        stream.end([])
        stream.flush()

    def drop(self) -> None:
        """Nobody wants to know any more: the stream ends, and nothing is told."""
        self._tell = None
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel(self)

    def broke(self) -> None:
        """An error of ours was raised, and was logged: it is not the endpoint's, and yet it could not be asked."""
        self._judge(INTERNAL.reason)

    # What a subclass looks at -----------------------------------------------------------------------------------------

    @abstractmethod
    def response_head(self, head: ResponseHead) -> None:
        """The final response begins."""

    # What is the same for all -----------------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """It says nothing of health."""

    def response_fits(self, head: ResponseHead) -> bool:
        """No upgrade is asked for."""
        return False

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """Never: see L{response_fits}."""

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """No response will come, or not all of it."""
        self._stream = None
        self._judge(fault.reason)

    def response_unprocessed(self, fault: Fault) -> None:
        """The endpoint does not want to be asked, on a connection that was made for it."""
        self._stream = None
        self._judge(fault.reason)

    def response_passed(self, count: int) -> None:
        """Never: there is no L{response_sink}."""

    def response_sink(self) -> Stream | None:
        """All is looked at."""
        return None

    def upload_blocked(self, blocked: bool) -> None:
        """What is asked is short: it waits with the stream."""

    def _judge(self, words: str) -> None:
        """It is known what came of it: of a response that goes on nothing more is wanted."""
        tell = self._tell
        self.drop()
        if tell is not None:
            tell(words)


class HTTPHealthRequest(HealthRequest):
    """Well is a status of 200 to 399. Of the body only what comes with the head is read."""

    __slots__ = ("_status",)

    def __init__(self, head: UpstreamHead, tell: Callable[[str], None]) -> None:
        HealthRequest.__init__(self, head, b"", tell)
        self._status = 0

    def response_head(self, head: ResponseHead) -> None:
        """All that counts is known."""
        self._status = head.status

    def response_body(self, data: bytes) -> None:
        """It says nothing of health."""

    def response_flush(self) -> None:
        """What came with the head is read, or nothing came but interim responses."""
        if self._status:
            self._answered()

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole, and its connection can end in order."""
        self._stream = None
        self._answered()

    def _answered(self) -> None:
        self._judge("" if 200 <= self._status < 400 else f"it answers {self._status}")


class GRPCHealthRequest(HealthRequest):
    """Well is C{SERVING}."""

    __slots__ = ("_message", "_status")

    def __init__(self, head: UpstreamHead, body: bytes, tell: Callable[[str], None]) -> None:
        HealthRequest.__init__(self, head, body, tell)
        self._message = self._status = b""

    def response_head(self, head: ResponseHead) -> None:
        """It may have the status of gRPC already, where there is no message."""
        self._status = head.grpc_status
        if head.status != 200:
            self._judge(f"it answers {head.status}")

    def response_body(self, data: bytes) -> None:
        """A piece of the message came."""
        self._message += data
        if len(self._message) > MAX_MESSAGE:
            self._judge("its answer is too long")

    def response_flush(self) -> None:
        """The rest is awaited."""

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self._stream = None
        for name, value in trailers:
            if name == b"grpc-status":
                self._status = value
        if self._status != b"0":
            status = self._status.decode("ascii", "replace")
            self._judge(f"it answers gRPC status {status or 'none'}")
            return
        try:
            serving = response_of(self._message)
        except BadMessage as error:
            self._judge(str(error))
        else:
            self._judge("" if serving == SERVING else f"it answers {STATUSES.get(serving, serving)}")


def http_head(authority: str, path: str, given: Iterable[tuple[str, str]]) -> UpstreamHead:
    """
    Return the head of a question over HTTP.

    @param authority: Whom it is for, unless the files' fields say another host.
    @param path: With a query, or without; what may not stand in it as it is is escaped.
    @param given: The files' fields. Those of the connection's own are passed over.
    """
    host = authority.encode()
    fields: list[Field] = []
    for name, value in given:
        field = name.lower().encode(), _CONTROL.sub(b" ", value.encode()).strip()
        if field[0] == b"host":
            host = field[1]
        elif field[0] not in _CONNECTIONS_OWN:
            fields.append(field)
    said = {name for name, _ in fields}
    for field in ((b"user-agent", USER_AGENT), (b"accept", b"*/*")):
        if field[0] not in said:
            fields.append(field)
    target = quote("/" + path.partition("#")[0].removeprefix("/"), _IN_A_PATH).encode()
    return UpstreamHead(b"GET", target, host, "", fields)


def grpc_head(authority: str, length: int, timeout: float) -> UpstreamHead:
    """
    Return the head of a question over gRPC.

    @param length: Bytes of the message.
    @param timeout: Seconds after which the answer is not waited for any more.
    """
    fields: list[Field] = [
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", USER_AGENT),
        (b"grpc-timeout", b"%dm" % min(max(1, int(timeout * 1000)), 99_999_999)),
    ]
    return UpstreamHead(b"POST", _CHECK, authority.encode(), "", fields, length)
