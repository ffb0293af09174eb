# Hot path: every connection that ends with a response ends here.
"""
A connection of HTTP/1 after its last response, until it is closed.

Where more of the client's bytes may be on their way, closing at once would
make its kernel throw the response away: the sending side is closed first, and
what still comes is read and thrown away for a while (RFC 9112 section 9.6).
"""

from __future__ import annotations

from math import inf
from typing import Final

from twisted.internet.interfaces import IProtocol, ITransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.h1.timeouts import Timeouts, Wait
from edgegate.http.interfaces import Served
from edgegate.http.overdue import Overdue
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.overload.idle import UNASKED

_MOMENT: Final = 0.5
"""Seconds for which a client may learn that its kept connection has ended."""


class HTTP1LingeringClose:
    """
    Takes the place of a connection that has let go of its stream, in the gateway's set too.

    It owns the stream, on which all responses are written and which has no
    producer. Call one of L{close}, L{linger} and L{leave}, once.

    @ivar downstream: The connection.
    """

    __slots__ = ("_environment", "_kept", "_left", "_since", "_stream", "_timeouts", "downstream")

    def __init__(self, connection: Served, environment: HTTPEnvironment, stream: Stream) -> None:
        self.downstream: ConnectionInfo = connection.downstream
        self._environment = environment
        self._stream = stream
        self._kept = False  # nothing was left to be answered
        self._left = environment.limits.linger_bytes
        self._since = environment.wheel.now
        self._timeouts = Timeouts(environment.wheel, environment.limits, self._expired)
        stream.switch(self)
        environment.connection_replaced(connection, self)

    def close(self) -> None:
        """Close when the client has taken everything: no more is to come from it."""
        self._stream.loseConnection()
        if self._stream.buffered:
            self._timeouts.reader(self._stream)

    def linger(self) -> None:
        """Close when the client does, or has sent too much or for too long."""
        self._stream.loseWriteConnection()
        self._stream.resumeProducing()
        self._timeouts.start(self._environment.limits.linger_seconds)

    def leave(self) -> None:
        """
        Close our direction at once, where nothing is asked and nothing was sent that has not been answered. It is
        closed altogether when the client does, or a moment later: its next request may be on its way, and to close now
        could reset the connection, which hides that it ended in good order.
        """
        self._kept = True
        self._stream.loseWriteConnection()
        self._stream.resumeProducing()
        self._timeouts.start(_MOMENT)
        # not with the next turn: what comes until then would have been answered
        self._stream.doWrite()

    # The transport, as a protocol -------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """Never called: the stream was made for the connection."""

    def connectionMade(self) -> None:
        """Never called."""

    def dataReceived(self, data: bytes) -> None:
        """Throw it away."""
        self._left -= len(data)
        if self._left < 0:
            self._stream.abortConnection()

    @contained
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is no more."""
        self._environment.connection_ended(self)
        self._timeouts.end()

    def broke(self) -> None:
        """An error of ours was raised: end now."""
        self._stream.abortConnection()
        if self._stream.disconnected:
            self._environment.connection_ended(self)

    @contained
    def _expired(self) -> None:
        if self._kept:
            self._stream.loseConnection()
        elif self._timeouts.wait is not Wait.READER or not self._timeouts.reads(self._stream):
            self._stream.abortConnection()

    # As the gateway's -------------------------------------------------------------------------------------------------

    def move(self, downstream: ConnectionInfo) -> None:
        """No request comes that would be routed."""
        self.downstream = downstream

    def retire(self) -> None:
        """It ends already."""

    def drain(self) -> None:
        """It ends already."""

    def idle_since(self) -> float:
        """See L{edgegate.overload.idle.Idle}: the response is sent, and the client may still be reading it."""
        return inf if self._stream.buffered else self._since + UNASKED

    def give_way(self) -> bool:
        """Close; what the kernel has of the response is still sent."""
        self._stream.loseConnection()
        return True

    def abort(self) -> None:
        """Reset the connection."""
        self._stream.abortConnection()

    def end_overdue(self, overdue: Overdue) -> None:
        """Its requests are over."""


classImplements(HTTP1LingeringClose, IProtocol)
