"""
How an endpoint is asked for its health: by HTTP, by gRPC, or whether it takes connections at all.

It is asked on a connection of the checker's own, as Envoy does, and on a new one each time, as the kubelet and Istio's
agent do. A stream of the shared pool would tell less, that a connection lives which was made long ago, and cost
more: it would count among the cluster's requests and wait at its limits, so that a cluster at its limits would take
its endpoints for unhealthy. The connection is what requests have, with its limits.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

from edgegate.errors import Fault
from edgegate.http.health.grpc_health import question
from edgegate.http.health.health_request import (
    GRPCHealthRequest,
    HealthRequest,
    HTTPHealthRequest,
    grpc_head,
    http_head,
)
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.addresses import Address, TCPAddress, is_ip_address
from edgegate.model.clusters import Probe
from edgegate.model.tls import UpstreamTLS
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.tls.client_contexts import ClientContext, Handshakes
from edgegate.upstream.dns.lookups import Lookups
from edgegate.upstream.dns.shared_lookups import SharedLookups
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pending_stream import Connector
from edgegate.upstream.pool import Pool
from edgegate.upstream.shared_pool import SharedConnection
from edgegate.upstream.transport_socket import HTTP1, HTTP2


class Unwell(Exception):
    """An endpoint answers badly, or not at all."""


class Unreachable(Unwell):
    """An endpoint cannot be connected to."""


class HealthChecker:
    """Asks endpoints, each time on a connection of its own."""

    def __init__(self, connector: Connector, wheel: TimerWheel, lookups: Lookups) -> None:
        """
        @param connector: Makes the connections.
        @param lookups: Finds the hosts that probes name.
        """
        self._connector = connector
        self._wheel = wheel
        self._lookups = SharedLookups(lookups, wheel)
        self._context: ClientContext | None = None

    def __call__(self, address: Address, probe: Probe) -> Deferred[None]:
        """Ask once (L{edgegate.upstream.health.active.Ask}); fails with L{Unwell}, or as no address is found."""
        return Deferred.fromCoroutine(self._ask(address, probe))

    async def _ask(self, address: Address, probe: Probe) -> None:
        connection = await self._connect(address, probe)
        if probe.tcp:
            # that it could be made says all
            connection.detach().close()
            return
        endpoint = EndpointState(connection.peer, Pool(self._wheel, 0))
        shared: SharedConnection | None = None
        try:
            if probe.http2 or probe.grpc_service is not None:
                shared = self._connector.share(connection, endpoint, None)
            stream = self._connector.stream(connection, endpoint, None) if shared is None else shared.open()
        except Exception:
            connection.abortConnection()
            raise
        assert isinstance(stream, UpstreamStream)
        try:
            authority = str(address) if isinstance(address, TCPAddress) else "localhost"
            await _answer(stream, authority, probe)
        finally:
            if shared is not None:
                shared.close()

    async def _connect(self, address: Address, probe: Probe) -> Stream:
        """
        Connect to the first address of a host that takes the connection.

        @raise Unreachable: None does.
        @raise DNSLookupError: There is none.
        """
        options = self._options(address, probe)
        if not isinstance(address, TCPAddress) or is_ip_address(address.host):
            return await self._dial(address, probe, options)
        answer = await self._lookups.find(address.host)
        failed: Exception = DNSLookupError(f"no address of {address.host} is found")
        for host in answer.addresses:
            try:
                return await self._dial(TCPAddress(host, address.port), probe, options)
            except Unreachable as error:
                failed = error
        raise failed

    def _dial(self, address: Address, probe: Probe, options: ConnectionOptions | None) -> Deferred[Stream]:
        def failed(fault: Fault) -> None:
            dialled.errback(Unreachable(fault.reason))

        dialled: Deferred[Stream] = Deferred(lambda _: connecting.cancel())
        connecting = self._connector.connect(address, probe.timeout, dialled.callback, failed, options)
        return dialled

    def _options(self, address: Address, probe: Probe) -> ConnectionOptions | None:
        """Return TLS with whoever is there: a probe asks whether a backend is well, and tells it nothing."""
        if not probe.tls:
            return None
        if self._context is None:
            self._context = ClientContext(UpstreamTLS(verified=False))
        name = address.host if isinstance(address, TCPAddress) and not is_ip_address(address.host) else ""
        alpn = (b"h2",) if probe.grpc_service is not None else HTTP2 if probe.http2 else HTTP1
        return ConnectionOptions(tls=Handshakes(self._context, name, alpn, "a health check"))


def _answer(stream: UpstreamStream, authority: str, probe: Probe) -> Deferred[None]:
    """Ask on a stream: fires when the endpoint is well, and else fails with L{Unwell}; may be cancelled."""

    def tell(words: str) -> None:
        if words:
            answered.errback(Unwell(words))
        else:
            answered.callback(None)

    request: HealthRequest
    service = probe.grpc_service
    if service is None:
        request = HTTPHealthRequest(http_head(authority, probe.http_path or "", probe.http_headers), tell)
    else:
        message = question(service)
        request = GRPCHealthRequest(grpc_head(authority, len(message), probe.timeout), message, tell)
    answered: Deferred[None] = Deferred(lambda _: request.drop())
    request.begin(stream)
    return answered
