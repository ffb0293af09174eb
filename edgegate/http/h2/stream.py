# Hot path: every request of HTTP/2 passes here.
"""One stream of HTTP/2, and how a message is sent on it."""

from __future__ import annotations

from abc import abstractmethod

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h2.flow import FlowStream, Piece, SendQueue
from edgegate.http.h2.frame_reader import FrameSink
from edgegate.http.request import RequestHead


class Sender(FrameSink):
    """
    The half of a connection that writes.

    @ivar queue: What is to be sent. Its C{out} is not empty: something is to be written.
    """

    __slots__ = ("queue",)

    def __init__(self) -> None:
        self.queue = SendQueue()

    @abstractmethod
    def sent_whole(self, stream: Stream) -> None:
        """Our message on a stream is whole."""

    def send_head(self, stream: Stream, block: bytes, ends: bool, length: int = -1) -> None:
        """
        Send the head of a message, or of an interim response.

        @param ends: Whether it is all there is.
        @param length: Bytes of the body that follow, and no trailers behind them; -1: the end will be told.
        """
        if stream.ended:
            return
        stream.unsent = length
        self.queue.write_head(stream.number, block, ends)
        if ends:
            stream.end_sent()

    def send_data(self, stream: Stream, data: Piece, ends: bool = False) -> bool:
        """
        Send a piece of a body; the one that completes its known length ends it.

        @param data: It stays as it is until it is written.
        @return: Whether more may come; else L{edgegate.http.h2.flow.FlowStream.send_room} will tell.
        """
        if stream.ended or stream.finishing:
            return True
        if stream.unsent >= 0:
            stream.unsent -= len(data)
            ends = ends or stream.unsent <= 0
        self.queue.send(stream, data, ends)
        return not stream.full

    def end(self, stream: Stream, trailers: bytes = b"") -> None:
        """
        End our message; nothing comes of it where it has ended already.

        @param trailers: Their block.
        """
        if not stream.ended and not stream.finishing:
            self.queue.finish(stream, trailers)


class Early:
    """
    What came of a request whose stream is told of it later.

    @ivar head: Its head; L{None}: there is only the fault that answers it.
    @ivar body: What came of it, in one piece: many small ones would take far more than they are counted for.
    @ivar size: Bytes of the block of its head.
    @ivar trailers: Those that ended it; L{None}: it goes on, or has no body.
    """

    __slots__ = ("body", "fault", "head", "size", "trailers")

    def __init__(self, head: RequestHead | None, fault: Fault | None, size: int) -> None:
        self.head = head
        self.fault = fault
        self.size = size
        self.body = bytearray()
        self.trailers: list[Field] | None = None


class Stream(FlowStream):
    """
    One message each way.

    @ivar begun: Whether the peer's message has begun: no body comes before its head.
    @ivar connection: What it is a stream of.
    @ivar early: What came while the stream is told nothing; L{None}: it is told of everything.
    @ivar whole: Whether the peer has ended its side.
    @ivar ended: Whether we have ended ours, also by a reset: nothing that is sent goes anywhere.
    @ivar gone: Whether the stream is over, and its end was told.
    @ivar tunnel: Whether each side ends by itself: then our end does not make the peer's needless.
    @ivar unread: Bytes of the peer's body that are still to come; -1: there is no telling.
    @ivar unsent: Bytes of our body that are still to be sent; -1: there is no telling.
    """

    __slots__ = ("begun", "connection", "early", "ended", "gone", "tunnel", "unread", "unsent", "whole")

    def __init__(self, connection: Sender, number: int) -> None:
        FlowStream.__init__(self, number, connection.queue.initial)
        self.connection = connection
        self.early: Early | None = None
        self.begun = True
        self.whole = self.ended = self.gone = self.tunnel = False
        self.unread = self.unsent = -1

    @abstractmethod
    def body_received(self, data: bytes) -> None:
        """
        A piece of the body came, never empty.

        L{edgegate.http.h2.connection.Connection.consumed} makes room for more.
        """

    @abstractmethod
    def message_ended(self, trailers: list[Field]) -> None:
        """The message is whole. Not told where its head says so already: then C{whole} is set by then."""

    @abstractmethod
    def stream_reset(self, code: int, processed: bool) -> None:
        """
        The stream ended before both messages were whole: by the peer, by its fault, or with the connection.

        @param processed: Whether the peer may have dealt with the request.
        """

    @abstractmethod
    def stream_closed(self) -> None:
        """Both messages are whole, or what is missing is of no use to anybody."""

    def end_sent(self) -> None:
        """Our message is whole."""
        self.ended = True
        self.connection.sent_whole(self)
