# Hot path: one is made for each new connection.
"""What is known of a client's connection once it has been told apart: the address that protocol factories are given."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from time import monotonic

from OpenSSL import SSL
from twisted.internet.interfaces import IAddress
from zope.interface import classImplements

from edgegate.model.addresses import Address
from edgegate.net.client_counts import NOBODY, ClientCounts
from edgegate.observe.metrics.meters import ListenerMeter
from edgegate.routing.snapshot import FilterChain, Listener


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """
    A client's connection, after the choice of its filter chain and the end of its handshake.

    @ivar peer: The client's address.
    @ivar local: The address that it connected to.
    @ivar server_name: The SNI name in normal form; empty where there was none.
    @ivar tls: Whether TLS ended here.
    @ivar alpn: The protocol that ALPN agreed on, or empty.
    @ivar client_certificate: The value of C{x-forwarded-client-cert} for a verified client certificate, or empty.
    @ivar ssl_request: Whether the client asked for TLS as PostgreSQL does, before its ClientHello, and was granted it.
    @ivar secured: OpenSSL's side of it, where TLS ended here.
    @ivar entry: What took it: tells the connections of one open port from those of another.
    @ivar counts: Of its client.
    @ivar meter: Counts for its port; L{None}: nothing does.
    @ivar introducer: Who has connected, where a PROXY header says that it does so for the peer.
    @ivar since: When it was told apart, in seconds of L{monotonic}.
    """

    listener: Listener
    chain: FilterChain
    peer: Address
    local: Address
    server_name: str = ""
    tls: bool = False
    alpn: bytes = b""
    client_certificate: bytes = b""
    ssl_request: bool = False
    secured: SSL.Connection | None = field(default=None, repr=False, compare=False)
    entry: Hashable = field(default=None, repr=False, compare=False)
    counts: ClientCounts = field(default=NOBODY, repr=False, compare=False)
    meter: ListenerMeter | None = field(default=None, repr=False, compare=False)
    introducer: Address | None = None
    since: float = field(default_factory=monotonic, repr=False, compare=False)


classImplements(ConnectionInfo, IAddress)
