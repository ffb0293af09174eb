"""
How an endpoint is asked for its health: by HTTP, by gRPC, or whether it takes connections at all.

As the kubelet does it: a status of 200 to 399 is well, redirects are not
followed, certificates are not looked at, and what a response says is not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from OpenSSL import SSL
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import wrapClientTLS
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from edgegate.model.addresses import Address, TCPAddress, is_ip_address
from edgegate.model.clusters import Probe
from edgegate.net.endpoints import StreamClientEndpoint
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.lookups import Lookups
from edgegate.upstream.dns.named_endpoint import NamedEndpoint, SharedLookups
from edgegate.upstream.health.grpc_health import check_health

USER_AGENT = "edgegate-probe"

MAX_ANSWER = 64 * 1024
"""Bytes of a response that are read: its head, and what of its body comes with it."""


class Unwell(Exception):
    """An endpoint answers, and badly."""


class HealthChecker:
    """Asks endpoints, each time on a connection of its own."""

    def __init__(self, reactor: object, wheel: TimerWheel, lookups: Lookups) -> None:
        """
        @param reactor: With all that connecting needs, once anybody is asked.
        @param lookups: Finds the hosts that probes name.
        """
        self._reactor: Any = reactor
        self._wheel = wheel
        self._lookups = SharedLookups(lookups, wheel)

    def __call__(self, address: Address, probe: Probe) -> Deferred[None]:
        """Ask once (L{edgegate.upstream.health.active.Ask})."""
        endpoint = self._endpoint(address, probe)
        if probe.tcp:
            factory = Factory.forProtocol(_Greeting)
            factory.noisy = False
            connecting: Deferred[Any] = endpoint.connect(factory)
            return connecting.addCallback(lambda _: None)
        if probe.grpc_service is not None:
            return check_health(endpoint, probe.grpc_service)
        return self._get(endpoint, address, probe)

    def _endpoint(self, address: Address, probe: Probe) -> IStreamClientEndpoint:
        if isinstance(address, TCPAddress) and not is_ip_address(address.host):
            port = address.port
            return NamedEndpoint(
                self._lookups, address.host, lambda host: self._endpoint(TCPAddress(host, port), probe)
            )
        return StreamClientEndpoint(self._reactor, self._wheel, address, probe.timeout)

    def _get(self, endpoint: IStreamClientEndpoint, address: Address, probe: Probe) -> Deferred[None]:
        scheme = probe.http_scheme.lower()
        if scheme == "https":
            endpoint = wrapClientTLS(_Unverified(), endpoint)
        # without a pool, and with a cookie jar of its own: nothing of one probe is known to the next
        once = _Once(endpoint)
        client = HTTPClient(Agent.usingEndpointFactory(self._reactor, once))
        host = str(address) if isinstance(address, TCPAddress) else "localhost"
        answer = client.request(
            "GET",
            f"{scheme}://{host}/{(probe.http_path or '').removeprefix('/')}",
            headers=probe_headers(probe.http_headers),
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        return answer.addCallback(_judge).addBoth(once.end)


def probe_headers(given: Iterable[tuple[str, str]]) -> Headers:
    """Return the fields of a probe's request: the files' own, and who asks where they do not say."""
    found = Headers()
    for name, value in given:
        found.addRawHeader(name, value)
    if not found.hasHeader("user-agent"):
        found.addRawHeader("user-agent", USER_AGENT)
    return found


def _judge(response: IResponse) -> None:
    if not 200 <= response.code < 400:
        raise Unwell(f"it answers {response.code}")


class _Greeting(Protocol):
    """A connection that is made and ended."""

    def connectionMade(self) -> None:
        """That it could be made says all."""
        assert self.transport is not None
        self.transport.loseConnection()


class _Limited(ProtocolWrapper):
    """A connection whose response is not let grow."""

    left = MAX_ANSWER

    def dataReceived(self, data: bytes) -> None:
        """Pass on what comes, as far as it is short."""
        self.left -= len(data)
        if self.left < 0:
            self.abortConnection()
        else:
            self.wrappedProtocol.dataReceived(data)

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Streams have it set, and this is what an HTTP client wants of everything that speaks TLS."""


@implementer(IAgentEndpointFactory, IStreamClientEndpoint)
class _Once:
    """Leads to one limited connection of an endpoint, whatever the URL says, and ends it."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint
        self._connection: _Limited | None = None

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:
        return self

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        wrapping = WrappingFactory(protocolFactory)
        wrapping.noisy = False
        wrapping.protocol = _Limited
        connecting: Deferred[Any] = self._endpoint.connect(wrapping)
        return connecting.addCallback(self._connected)

    def _connected(self, connection: _Limited) -> IProtocol:
        self._connection = connection
        return connection.wrappedProtocol

    def end(self, outcome: Failure | None) -> Failure | None:
        """The question is over: nobody waits for the body, nor for the other side to close."""
        connection = self._connection
        if connection is None:
            return outcome
        connection.abortConnection()
        return outcome if connection.left >= 0 else Failure(Unwell("its answer has no end"))


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """TLS with whoever is there: a probe asks whether a backend is well, and tells it nothing."""

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
