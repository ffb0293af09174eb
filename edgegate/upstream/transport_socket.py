"""How connections to the endpoints of a cluster begin: in the clear or with TLS, and with whose address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from edgegate.model.addresses import is_ip_address
from edgegate.model.clusters import Cluster, Keepalive, ProxyHeader
from edgegate.model.hosts import normalise
from edgegate.model.tls import UpstreamTLS
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.proxy_protocol import header
from edgegate.tls.client_contexts import ClientContext, Handshakes

HTTP1 = (b"http/1.1",)
HTTP2 = (b"h2", b"http/1.1")
"""Protocols for ALPN, most wanted first."""


@dataclass(frozen=True, slots=True)
class TransportSocket:
    """
    How the endpoints of a cluster are to be met. Equal where connections that were made may still be used.

    @ivar cluster: The cluster's name.
    @ivar context: L{None}: in the clear.
    @ivar proxy_header: Whether backends are told of the client: then no two clients share a connection.
    """

    cluster: str
    context: ClientContext | None = None
    proxy_header: ProxyHeader | None = None
    keepalive: Keepalive | None = field(default=None, compare=False)

    @property
    def by_host(self) -> bool:
        """Whether it matters whom a request is for."""
        return self.context is not None and not self.context.tls.sni

    def for_request(self, downstream: ConnectionInfo, host: str, shares: bool = False) -> ConnectionOptions:
        """
        Return how a connection for a request begins.

        @param host: Whom the request is for, in normal form; it is asked for by SNI unless the files name another.
        @param shares: Whether it is to speak HTTP/2, if the endpoint does.
        """
        context = self.context
        name = "" if context is None else asked_name(self.cluster, context.tls, host)
        return self._options(downstream, name, HTTP2 if shares else HTTP1)

    def for_relay(self, downstream: ConnectionInfo) -> ConnectionOptions:
        """
        Return how a connection for a relay begins. Nothing in a stream of bytes says whom it is for: unless the files
        do, it is the service.
        """
        context = self.context
        name = "" if context is None else asked_name(self.cluster, context.tls, "")
        return self._options(downstream, name, ())

    def _options(self, downstream: ConnectionInfo, name: str, alpn: tuple[bytes, ...]) -> ConnectionOptions:
        context, version = self.context, self.proxy_header
        tls = None if context is None else Handshakes(context, name, alpn, self.cluster)
        if version is None:
            return ConnectionOptions((self, name) if tls is not None else None, b"", tls, self.keepalive)
        peer, local = downstream.peer, downstream.local
        return ConnectionOptions((self, name, peer, local), header(version, peer, local), tls, self.keepalive)


def transport_socket_of(cluster: Cluster, contexts: Mapping[UpstreamTLS, ClientContext]) -> TransportSocket | None:
    """Return how the endpoints of a cluster are met; L{None} where nothing comes before the first request."""
    keepalive = cluster.limits.keepalive
    if cluster.tls is None and cluster.proxy_header is None and keepalive is None:
        return None
    context = None if cluster.tls is None else contexts[cluster.tls]
    return TransportSocket(cluster.name, context, cluster.proxy_header, keepalive)


def asked_name(cluster: str, tls: UpstreamTLS, host: str) -> str:
    """
    Return the name that a backend is asked for by SNI; empty: none.

    @param cluster: The cluster's name. Its end is the service's host, which counts where nothing else says a name,
        unless it stands for many hosts.
    @param host: Whom a request is for, in normal form; empty: nobody knows.
    """
    service = cluster.rpartition("|")[2]
    otherwise = host or ("" if "*" in service else service)
    name = (tls.sni or otherwise).rstrip(".").removeprefix("[").removesuffix("]")
    if is_ip_address(name):
        return name
    try:
        return normalise(name) if name else ""
    except ValueError:
        # no certificate can be for it
        return ""
