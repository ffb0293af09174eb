"""Gateways to servers: which of them are served, with what traffic, under which names, at which address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds import gateway as kinds
from edgegate.istio.kinds.gateway import Gateway, TLSMode
from edgegate.istio.resources import Resource
from edgegate.istio.translate.members import ip_literal, unix_path
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.hosts import normalise
from edgegate.model.origin import Origin

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
NOT_SPOKEN = HTTP_PROTOCOLS - {"HTTP"}
TCP_PROTOCOLS = frozenset({"TCP", "MONGO", "REDIS", "MYSQL"})
_OPENED = frozenset({TLSMode.SIMPLE, TLSMode.MUTUAL, TLSMode.OPTIONAL_MUTUAL, TLSMode.PASSTHROUGH})


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
    @ivar namespace: Only VirtualServices of this namespace may attach; L{None}: any.
    """

    pattern: str
    namespace: str | None
    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """
    One entry of C{Gateway.servers} that is served.

    @ivar address: Where it listens by the file, before C{--map-port}.
    """

    gateway: Resource[Gateway]
    path: Path
    spec: kinds.Server
    traffic: Traffic
    hosts: tuple[ServerHost, ...]
    address: Address

    @property
    def number(self) -> int:
        """The port as the file has it; 0 for a UNIX socket."""
        return self.spec.port.number

    @property
    def origin(self) -> Origin:
        """Where it is."""
        return self.gateway.document.origin_of(self.path)

    @property
    def redirects(self) -> bool:
        """Whether it sends every request to HTTPS; on an HTTPS server the field changes nothing."""
        return self.traffic is Traffic.HTTP and self.spec.tls is not None and bool(self.spec.tls.https_redirect)

    @property
    def chain_name(self) -> str:
        """What Istio calls its routes: C{http.80}, or C{https.443.https-shop.shop-gateway.default}."""
        if self.traffic.plain:
            return f"{self.traffic.name.lower()}.{self.number}"
        kind = "https" if self.traffic is Traffic.HTTPS else "tls"
        return f"{kind}.{self.number}.{self.spec.port.name}.{self.gateway.name}.{self.gateway.namespace}"

    def error(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF) -> None:
        """Report an error in a part of it."""
        self.gateway.error(problems, self.path + path, message, role)


def selected(gateway: Resource[Gateway], labels: Mapping[str, str] | None) -> bool:
    """Whether a Gateway's selector is satisfied by the labels that this gateway was given."""
    return labels is None or all(labels.get(key) == value for key, value in gateway.spec.selector.items())


def servers_of(gateway: Resource[Gateway], problems: Problems) -> Iterator[Server]:
    """Yield the servers of a Gateway that can be opened; hosts and addresses that are none are reported."""
    for index, spec in enumerate(gateway.spec.servers):
        path: Path = ("spec", "servers", index)
        traffic = traffic_of(spec)
        if traffic is None:
            continue
        address = bind_address(spec)
        if address is None:
            gateway.error(problems, (*path, "bind"), f"{show(spec.bind)} is neither an IP address nor unix:///path")
            continue
        protocol = spec.port.protocol.upper()
        if protocol in NOT_SPOKEN:
            message = f"{protocol} is not served yet: clients are answered by HTTP/1.1 alone"
            gateway.warning(problems, (*path, "port", "protocol"), message)
        hosts = tuple(_hosts(gateway, path, spec, problems))
        yield Server(gateway, path, spec, traffic, hosts, address)


def traffic_of(spec: kinds.Server) -> Traffic | None:
    """
    Return what a server does; L{None} where it is not opened: its mode needs a mesh, or it lacks what it must have.

    TLS without a mode is passed through (Istio's default of C{tls.mode}).
    """
    protocol = spec.port.protocol.upper()
    if protocol in HTTP_PROTOCOLS:
        return Traffic.HTTP
    if spec.tls is None:
        return Traffic.TCP if protocol in TCP_PROTOCOLS else None
    mode = spec.tls.mode or TLSMode.PASSTHROUGH
    if mode not in _OPENED or protocol not in TCP_PROTOCOLS | {"HTTPS", "TLS"}:
        return None
    if mode is TLSMode.PASSTHROUGH:
        return Traffic.PASSTHROUGH
    return Traffic.HTTPS if protocol == "HTTPS" else Traffic.TLS


def bind_address(spec: kinds.Server) -> Address | None:
    """Return where a server listens: C{[::]}, both kinds of IP, unless it says something else; L{None} for nonsense."""
    if not spec.bind:
        return TCPAddress("::", spec.port.number)
    path = unix_path(spec.bind)
    if path is not None:
        return UNIXAddress(path)
    literal = ip_literal(spec.bind)
    return TCPAddress(literal, spec.port.number) if literal is not None else None


def _hosts(gateway: Resource[Gateway], path: Path, spec: kinds.Server, problems: Problems) -> Iterator[ServerHost]:
    for index, text in enumerate(spec.hosts):
        place = (*path, "hosts", index)
        scope, slash, host = text.rpartition("/")
        try:
            pattern = normalise(host)
        except ValueError as error:
            gateway.error(problems, place, str(error))
            continue
        namespace = gateway.namespace if scope == "." else scope
        yield ServerHost(pattern, None if not slash or scope == "*" else namespace, place)
