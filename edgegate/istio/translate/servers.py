"""Gateways to servers: which of them are served, with what traffic, under which names, at which address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds import gateway as kinds
from edgegate.istio.kinds.gateway import Gateway, TLSMode
from edgegate.istio.resources import Resource
from edgegate.istio.translate.members import ip_literal, unix_path
from edgegate.model import servers as values
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.hosts import normalise
from edgegate.model.notes import Cause, LeftOut, Notes
from edgegate.model.servers import ServerHost, Traffic

HTTP_PROTOCOLS = frozenset({"HTTP", "HTTP2", "GRPC", "GRPC-WEB"})
TCP_PROTOCOLS = frozenset({"TCP", "MONGO", "REDIS", "MYSQL"})
_OPENED = frozenset({TLSMode.SIMPLE, TLSMode.MUTUAL, TLSMode.OPTIONAL_MUTUAL, TLSMode.PASSTHROUGH})


@dataclass(frozen=True, slots=True, eq=False)
class Server:
    """
    One entry of C{Gateway.servers} that is served.

    @ivar value: What it is in the model.
    @ivar namespaces: For each of its hosts: only VirtualServices of this namespace may attach; L{None}: any.
    """

    gateway: Resource[Gateway]
    path: Path
    spec: kinds.Server
    value: values.Server
    namespaces: tuple[str | None, ...]

    @property
    def traffic(self) -> Traffic:
        """What it does with a connection."""
        return self.value.traffic

    @property
    def hosts(self) -> tuple[ServerHost, ...]:
        """Its hosts."""
        return self.value.hosts

    def error(self, problems: Problems, path: Path, message: str, role: Role = Role.ITSELF, code: str = "") -> None:
        """Report an error in a part of it."""
        self.gateway.error(problems, self.path + path, message, role, code)


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
        hosts = tuple(_hosts(gateway, path, spec, problems))
        document = gateway.document
        value = values.Server(
            _name(gateway, spec, traffic),
            document.origin_of(path),
            traffic,
            tuple(host for host, _ in hosts),
            address,
            spec.port.number,
            document.origin_of((*path, "port")),
            document.origin_of((*path, "bind" if spec.bind else "port")),
            https=protocol == "HTTPS",
            redirects=traffic is Traffic.HTTP and spec.tls is not None and bool(spec.tls.https_redirect),
            grpc_web=protocol == "GRPC-WEB",
        )
        yield Server(gateway, path, spec, value, tuple(namespace for _, namespace in hosts))


def note_unserved(notes: Notes, gateways: Iterable[Resource[Gateway]], labels: Mapping[str, str] | None) -> None:
    """Note the servers of Gateways that are not served, and those that can't be opened."""
    for gateway in gateways:
        served = selected(gateway, labels)
        for index, spec in enumerate(gateway.spec.servers):
            if served and traffic_of(spec) is not None:
                continue
            path: Path = ("spec", "servers", index)
            hosts = tuple(host.pattern for host, _ in _hosts(gateway, path, spec, Problems()))
            cause, origin, number = Cause.SERVER, gateway.document.origin_of(path), spec.port.number
            why = f"protocol {show(spec.port.protocol)} with this tls is not opened by an edge"
            if not served:
                cause, origin = Cause.SELECTOR, gateway.document.origin_of(("spec", "selector"))
                wanted = ", ".join(f"{key}={value}" for key, value in gateway.spec.selector.items())
                why = f"{gateway.document.title} is for a gateway with the labels {wanted}, which this one has not"
            notes.leave_out(LeftOut(cause, origin, hosts, number, why))


def _name(gateway: Resource[Gateway], spec: kinds.Server, traffic: Traffic) -> str:
    """Return what Istio calls its routes: C{http.80}, or C{https.443.https-shop.shop-gateway.default}."""
    number = spec.port.number
    if traffic.plain:
        return f"{traffic.name.lower()}.{number}"
    kind = "https" if traffic is Traffic.HTTPS else "tls"
    return f"{kind}.{number}.{spec.port.name}.{gateway.name}.{gateway.namespace}"


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


def _hosts(
    gateway: Resource[Gateway], path: Path, spec: kinds.Server, problems: Problems
) -> Iterator[tuple[ServerHost, str | None]]:
    """Yield hosts, each with the namespace whose VirtualServices alone may attach."""
    for index, text in enumerate(spec.hosts):
        place = (*path, "hosts", index)
        scope, slash, host = text.rpartition("/")
        try:
            pattern = normalise(host)
        except ValueError as error:
            gateway.error(problems, place, str(error))
            continue
        namespace = gateway.namespace if scope == "." else scope
        host_only = ServerHost(pattern, gateway.document.origin_of(place))
        yield host_only, None if not slash or scope == "*" else namespace
