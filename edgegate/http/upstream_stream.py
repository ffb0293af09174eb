# Hot path: carries each request and its response.
"""
One request on its way to an endpoint, on a connection of whatever HTTP version.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import abstractmethod

from OpenSSL import SSL

from edgegate.http.fields import Field
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.model.addresses import Address
from edgegate.net.stream import Stream
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pooled_stream import PooledStream


class UpstreamStream(PooledStream):
    """
    What carries one request at a time.

    It is its request's from L{send} until the callbacks hear of an end, or
    L{cancel} or L{discard}. A body goes in bare: how its pieces and its end are
    told is the HTTP version's.

    @ivar endpoint: Where it leads.
    @ivar local: Our address.
    """

    __slots__ = ("endpoint", "local")

    endpoint: EndpointState
    local: Address | None

    @property
    @abstractmethod
    def secured(self) -> SSL.Connection | None:
        """OpenSSL's side of the connection; L{None}: it is in the clear."""

    @abstractmethod
    def send(self, request: UpstreamCallbacks) -> None:
        """Begin a request. What is queued leaves with the next L{flush}."""

    @abstractmethod
    def body(self, data: bytes) -> None:
        """Queue a piece of the request's body, not empty."""

    @abstractmethod
    def end(self, trailers: list[Field]) -> None:
        """Nothing of the request is missing; only then may the connection be kept after the response."""

    @abstractmethod
    def flush(self) -> None:
        """Send what is queued."""

    @abstractmethod
    def run_sink(self) -> Stream | None:
        """Return where the rest of a sized body may go without being looked at; L{None}: nowhere."""

    @abstractmethod
    def pause(self) -> None:
        """Bring no more of the response: its client does not keep up."""

    @abstractmethod
    def resume(self) -> None:
        """Go on with the response."""

    @abstractmethod
    def cancel(self, request: UpstreamCallbacks) -> None:
        """
        Nobody wants the response, and the callbacks hear no more.

        Does nothing where another is asked for by now.
        """

    @abstractmethod
    def discard(self) -> None:
        """
        Nobody wants the rest of the response, and the callbacks hear no more.

        What is left of it may be awaited for a moment, where the connection can carry other requests then.
        """

    @abstractmethod
    def end_tunnel(self) -> None:
        """The connection is no more, which was handed over by L{UpstreamCallbacks.response_switched}."""
