"""
The streams as Twisted endpoints, for whoever wants to use them with protocols of their own.

    endpoint = StreamServerEndpoint(reactor, TimerWheel(reactor), TCPAddress("127.0.0.1", 8007))
    endpoint.listen(factory)
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import CannotListenError, ConnectError, ConnectionRefusedError, TimeoutError
from twisted.internet.interfaces import (
    IListeningPort,
    IProtocol,
    IProtocolFactory,
    IReactorFDSet,
    IStreamClientEndpoint,
    IStreamServerEndpoint,
)
from zope.interface import implementer

from edgegate.errors import CONNECT_REFUSED, CONNECT_TIMEOUT, Fault
from edgegate.model.addresses import Address
from edgegate.net.connecting import connect
from edgegate.net.listening import listen
from edgegate.net.sockaddr import twisted_address
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel


@implementer(IStreamServerEndpoint)
class StreamServerEndpoint:
    """Listen on an address with streams as transports."""

    def __init__(self, reactor: IReactorFDSet, wheel: TimerWheel, address: Address) -> None:
        self._reactor = reactor
        self._wheel = wheel
        self._address = address

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """
        Listen; each connection gets a protocol of the factory.

        @return: Fires with the port, or fails with L{CannotListenError}.
        """

        def accepted(sock: socket.socket, peer: Address, local: Address) -> None:
            protocol = protocolFactory.buildProtocol(twisted_address(peer))
            if protocol is None:
                sock.close()
            else:
                Stream(self._reactor, sock, local, peer).start(protocol)

        try:
            port = listen(self._reactor, self._wheel, self._address, accepted)
        except CannotListenError:
            return fail()
        protocolFactory.doStart()
        return succeed(port)


@implementer(IStreamClientEndpoint)
class StreamClientEndpoint:
    """Connect to an address, whose host is an IP literal, with a stream as transport."""

    def __init__(self, reactor: IReactorFDSet, wheel: TimerWheel, address: Address, timeout: float = 30.0) -> None:
        """
        @param timeout: In seconds.
        """
        self._reactor = reactor
        self._wheel = wheel
        self._address = address
        self._timeout = timeout

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect.

        @return: Fires with the factory's protocol once it is connected, or fails with a L{ConnectError}; may be
            cancelled.
        """

        def connected(stream: Stream) -> None:
            protocol = protocolFactory.buildProtocol(twisted_address(self._address))
            if protocol is None:
                stream.detach().close()
                result.errback(ConnectError(string="the factory made no protocol"))
            else:
                stream.start(protocol)
                result.callback(protocol)

        def failed(fault: Fault) -> None:
            errors: dict[Fault, Callable[..., ConnectError]] = {
                CONNECT_REFUSED: ConnectionRefusedError,
                CONNECT_TIMEOUT: TimeoutError,
            }
            result.errback(errors.get(fault, ConnectError)(string=fault.reason))

        def cancel(deferred: Deferred[IProtocol]) -> None:
            attempt.cancel()
            deferred.errback(CancelledError())

        result: Deferred[IProtocol] = Deferred(cancel)
        attempt = connect(self._reactor, self._wheel, self._address, self._timeout, connected, failed)
        return result
