"""Servers: what is opened at an address, for which hosts, and what is done with a connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgegate.model.addresses import Address
from edgegate.model.origin import Origin


class Traffic(Enum):
    """What a server does with a connection."""

    HTTP = "HTTP"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"  # TLS ends here, and the bytes inside are relayed
    PASSTHROUGH = "TLS passthrough"

    @property
    def plain(self) -> bool:
        """Whether the server is found without SNI."""
        return self in (Traffic.HTTP, Traffic.TCP)

    @property
    def http(self) -> bool:
        """Whether requests are routed."""
        return self in (Traffic.HTTP, Traffic.HTTPS)


@dataclass(frozen=True, slots=True)
class ServerHost:
    """
    One of a server's hosts.

    @ivar pattern: In normal form.
    """

    pattern: str
    origin: Origin


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """
    What is opened at one address: an item of Istio's C{Gateway.servers}, or a listener of the Gateway API.

    Several may share a port. Each is itself and no other, however alike two are.

    @ivar name: What its filter chain is called.
    @ivar address: Where it listens by the files, before C{--map-port}.
    @ivar number: The port as the files have it; 0 for a UNIX socket.
    @ivar port_origin: Where its port is said; C{address_origin} likewise.
    @ivar https: Whether it is where a redirect to HTTPS may lead.
    @ivar redirects: Whether it sends every request to HTTPS.
    @ivar grpc_web: Whether it makes gRPC of the requests of gRPC-Web clients.
    """

    name: str
    origin: Origin
    traffic: Traffic
    hosts: tuple[ServerHost, ...]
    address: Address
    number: int
    port_origin: Origin
    address_origin: Origin
    https: bool = False
    redirects: bool = False
    grpc_web: bool = False

    @property
    def parent(self) -> str:
        """What declares it, as messages call it: C{Gateway default/edge}."""
        return self.origin.resource
