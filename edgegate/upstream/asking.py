"""
How an endpoint is asked for its health: by HTTP, by gRPC, or whether it takes connections at all.

As the kubelet does it: a status of 200 to 399 is well, redirects are not
followed, certificates are not looked at, and what an answer says is not read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from OpenSSL import SSL
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator, IStreamClientEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.web.client import Agent
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IResponse
from zope.interface import implementer

from edgegate.net.endpoints import StreamClientEndpoint
from edgegate.net.wheel import TimerWheel
from edgegate.routing.clusters import Probe
from edgegate.routing.snapshot import Address, TCPAddress
from edgegate.upstream.grpc_health import check_health

USER_AGENT = "edgegate-probe"


class Unwell(Exception):
    """An endpoint answers, and badly."""


class Asking:
    """Asks endpoints, each time on a connection of its own."""

    def __init__(self, reactor: object, wheel: TimerWheel) -> None:
        """
        @param reactor: With all that connecting needs, once anybody is asked.
        """
        self._reactor: Any = reactor
        self._wheel = wheel

    def __call__(self, address: Address, probe: Probe) -> Deferred[None]:
        """Ask once (L{edgegate.upstream.probing.Ask})."""
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
        if isinstance(address, TCPAddress):
            return HostnameEndpoint(self._reactor, address.host, address.port, probe.timeout)
        return StreamClientEndpoint(self._reactor, self._wheel, address, probe.timeout)

    def _get(self, endpoint: IStreamClientEndpoint, address: Address, probe: Probe) -> Deferred[None]:
        scheme = probe.http_scheme.lower()
        if scheme == "https":
            endpoint = wrapClientTLS(_Unverified(), endpoint)
        # without a pool, and with a cookie jar of its own: nothing of one probe is known to the next
        client = HTTPClient(Agent.usingEndpointFactory(self._reactor, _Ready(endpoint)))
        host = str(address) if isinstance(address, TCPAddress) else "localhost"
        answer = client.request(
            "GET",
            f"{scheme}://{host}/{(probe.http_path or '').removeprefix('/')}",
            headers=probe_headers(probe.http_headers),
            allow_redirects=False,
            unbuffered=True,
            reactor=self._reactor,
        )
        return answer.addCallback(_look)


def probe_headers(given: Iterable[tuple[str, str]]) -> Headers:
    """Return the fields of a probe's request: the files' own, and who asks where they do not say."""
    found = Headers()
    for name, value in given:
        found.addRawHeader(name, value)
    if not found.hasHeader("user-agent"):
        found.addRawHeader("user-agent", USER_AGENT)
    return found


def _look(response: IResponse) -> None:
    response.deliverBody(_Unread())
    if not 200 <= response.code < 400:
        raise Unwell(f"it answers {response.code}")


class _Greeting(Protocol):
    """A connection that is made and ended."""

    def connectionMade(self) -> None:
        """That it could be made says all."""
        assert self.transport is not None
        self.transport.loseConnection()


class _Unread(Protocol):
    """A body that nobody reads, however long it is."""

    def connectionMade(self) -> None:
        """End its connection."""
        assert self.transport is not None
        self.transport.loseConnection()


@implementer(IAgentEndpointFactory)
class _Ready:
    """Leads where an endpoint leads, whatever the URL says."""

    def __init__(self, endpoint: IStreamClientEndpoint) -> None:
        self._endpoint = endpoint

    def endpointForURI(self, uri: object) -> IStreamClientEndpoint:
        return self._endpoint


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """TLS with whoever is there: a probe asks whether a backend is well, and tells it nothing."""

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
