"""Servers to ports: which of them share one, and which can't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from edgegate.model import codes
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.diagnostics import Diagnostic, Report, Severity
from edgegate.model.notes import Cause, LeftOut
from edgegate.model.origin import Origin
from edgegate.model.servers import Server, ServerHost


@dataclass(slots=True, eq=False)
class Port:
    """
    A port that is to be opened.

    @ivar address: By the files; of several that C{--map-port} makes one, the first.
    @ivar bind: What is bound, after C{--map-port}.
    @ivar number: Of the address.
    @ivar plain: Servers found without SNI; all of one kind of traffic.
    @ivar secure: Servers by SNI pattern, each with the host that says it.
    """

    address: Address
    bind: Address
    number: int
    servers: list[Server] = field(default_factory=list)
    plain: list[Server] = field(default_factory=list)
    secure: dict[str, tuple[Server, ServerHost]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The address by the files."""
        return str(self.address)


def ports_of(servers: Iterable[Server], port_map: Mapping[int, int], report: Report) -> list[Port]:
    """
    Group servers by the address that is bound for them, in their order, and report those that can't share one.

    So two ports of the files that C{--map-port} makes one are one, as two ports
    of a Service are that have one C{targetPort}.
    """
    ports: dict[tuple[Address, Address | None], Port] = {}
    for server in servers:
        bind = _mapped(server.address, port_map)
        any_port = isinstance(bind, TCPAddress) and bind.port == 0
        key = bind, server.address if any_port else None
        port = ports.get(key)
        if port is None:
            port = Port(server.address, bind, server.number)
            if not _free(port, server, ports.values(), report):
                continue
            ports[key] = port
        _join(port, server, report)
    return list(ports.values())


def _join(port: Port, server: Server, report: Report) -> None:
    """
    Add a server to a port, unless another one there makes that impossible, which is reported.

    As in Istio (C{MergeGateways}), the earlier server stays, the later is left out whole, and the rest is served.
    """
    if server.traffic.plain:
        first = port.plain[0] if port.plain else server
        if first.traffic is not server.traffic:
            what = f"port {server.number} can't carry {server.traffic.value} beside the {first.traffic.value}"
            _leave_out(server, server.port_origin, f"{what} of", first.origin, "", report)
            return
        port.plain.append(server)
    else:
        taken = [(host, port.secure[host.pattern]) for host in server.hosts if host.pattern in port.secure]
        for host, (_, first_host) in taken:
            what = f'"{host.pattern}" on port {server.number} already belongs to the server of'
            _leave_out(server, host.origin, what, first_host.origin, ": SNI can't tell them apart", report)
        if taken:
            return
        port.secure.update((host.pattern, (server, host)) for host in server.hosts)
    port.servers.append(server)


def _leave_out(server: Server, origin: Origin, what: str, first: Origin, why: str, report: Report) -> None:
    reason = f"{what} {first.resource} at {first}{why}"
    hosts = tuple(host.pattern for host in server.hosts)
    left = LeftOut(Cause.SERVER, origin, hosts, server.number, reason, by=first)
    message = f"{reason}; that one is served, and this server is left out"
    report(Diagnostic(Severity.WARNING, origin, message, code=codes.SERVER_LEFT_OUT, left_out=(left,)))


def _free(port: Port, server: Server, others: Iterable[Port], report: Report) -> bool:
    """Whether what a new port binds is free of all the others; report it where it is not."""
    for other in others:
        if not _collide(port.bind, other.bind):
            continue
        first = other.servers[0] if other.servers else server
        names = f"{port.name} and {other.name}"
        mapped = port.bind != port.address or other.bind != other.address
        why = f", which --map-port makes {port.bind} and {other.bind}," if mapped else ""
        message = f"{names}{why} can't both be bound: see {first.origin.resource} at {first.origin}"
        report(Diagnostic(Severity.ERROR, server.address_origin, message, code=codes.PORTS_COLLIDE))
        return False
    return True


def _mapped(address: Address, port_map: Mapping[int, int]) -> Address:
    if isinstance(address, TCPAddress):
        return TCPAddress(address.host, port_map.get(address.port, address.port))
    return address


def _collide(one: Address, other: Address) -> bool:
    """Whether two addresses can't be bound at once: equal, or one is a wildcard that holds the other. Port 0 is any."""
    if not isinstance(one, TCPAddress) or not isinstance(other, TCPAddress):
        return one == other
    if one.port != other.port or one.port == 0:
        return False
    hosts = {one.host, other.host}
    if len(hosts) == 1 or "::" in hosts:
        return True
    return "0.0.0.0" in hosts and all(isinstance(ip_address(host), IPv4Address) for host in hosts)
