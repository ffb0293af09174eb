"""What operators in headers' values are asked about: a request, its response so far, and the message in hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.request import RequestHead
from edgegate.http.response import ResponseHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.addresses import Address
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo


class StreamInfo(Protocol):
    """See L{edgegate.http.exchange.Exchange}, which is one."""

    @property
    def head(self) -> RequestHead:
        """The request's head, as it came."""

    @property
    def scheme(self) -> bytes:
        """Of the connection, or what a trusted proxy says of its own."""

    @property
    def connection(self) -> ConnectionInfo:
        """The client's connection."""

    @property
    def port(self) -> int:
        """The port's number as the files name it."""

    @property
    def client_address(self) -> bytes:
        """The client's address, by the trusted hops where there are any."""

    def identity_fields(self) -> list[Field]:
        """Return what tells a backend who asks."""

    @property
    def request_whole(self) -> bool:
        """Whether the request's last byte was received."""

    @property
    def route(self) -> HTTPRoute | None:
        """The route that was taken."""

    @property
    def policy(self) -> Origin | None:
        """Where the policy is said that has refused the request."""

    @property
    def metadata(self) -> Mapping[str, Mapping[str, object]] | None:
        """What guards have found out, by the names of Envoy's filters."""

    @property
    def cluster(self) -> str:
        """The name of the cluster that was taken, or empty."""

    @property
    def upstream(self) -> Address | None:
        """The backend that was asked last."""

    @property
    def upstream_local(self) -> Address | None:
        """Our address towards it."""

    @property
    def upstream_time(self) -> int:
        """Milliseconds until its response began; -1 before that."""

    @property
    def attempts(self) -> int:
        """How many backends were asked."""

    @property
    def fault(self) -> Fault | None:
        """What went wrong, if anything did."""

    @property
    def flags(self) -> str:
        """Envoy's response flags of what is no fault of its own, with commas."""

    @property
    def details(self) -> str:
        """Which filter answered, or what it said of that; empty: none did."""

    @property
    def started(self) -> float:
        """When the head was whole, in seconds of C{time.monotonic}."""

    @property
    def uploaded(self) -> float:
        """When a body was whole, in the same seconds; 0 where there was none."""

    @property
    def received(self) -> int:
        """Bytes of the request's body."""

    @property
    def sent(self) -> int:
        """Bytes of the response's body."""


class Message(NamedTuple):
    """
    A request or a response whose headers are being changed.

    @ivar fields: As they are at present.
    @ivar answer: The response's head as it came; L{None} for a request.
    @ivar backend: What carried it; L{None}: it is no backend's.
    @ivar asked: The request as the backend got it, its line and host among the fields; L{None}: none was asked.
    """

    fields: Sequence[Field]
    answer: ResponseHead | None = None
    backend: UpstreamStream | None = None
    asked: Sequence[Field] | None = None


Meaning = Callable[[StreamInfo, Message, str], bytes]
"""What an operator stands for: gets the exchange, the message that is changed, and its argument or an empty text."""
