"""Where a cluster would take servers otherwise, of those that share a port or are mapped; see L{portable}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.resources import Resource
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.servers import selected, servers_of
from edgegate.model.addresses import UNIXAddress
from edgegate.model.servers import Server, Traffic
from edgegate.routing.compile.ports import Port, ports_of
from edgegate.routing.compile.redirects import HTTPS_PORT, RedirectPorts

_ANY = ("0.0.0.0", "::")

Found = Iterator[tuple[Resource[Gateway], Path, str]]
"""Places in Gateways, each with what a cluster would do."""

Parts = Iterator[tuple[Server, str, str]]
"""Parts of servers, each with what a cluster would do."""


def gateway_differences(gateways: Iterable[Resource[Gateway]], options: CompileOptions) -> Found:
    """Yield every place in the Gateways that are served where a cluster would do otherwise."""
    chosen = [gateway for gateway in gateways if selected(gateway, options.selector)]
    if options.selector is None:
        yield from _selectors(chosen)
    elsewhere = Problems()  # what is wrong is told by whoever serves them
    declared = {server.value: server for gateway in chosen for server in servers_of(gateway, elsewhere)}
    ports = ports_of(declared, options.port_map, lambda diagnostic: None)
    redirects = RedirectPorts(server for port in ports for server in port.servers)
    for port in ports:
        for value, part, message in (*_port(port), *_servers(port, redirects)):
            server = declared[value]
            yield server.gateway, (*server.path, part), message


def _selectors(gateways: list[Resource[Gateway]]) -> Found:
    first = gateways[0].spec.selector if gateways else {}
    for gateway in gateways:
        if gateway.spec.selector != first:
            message = (
                "other Pods serve this Gateway than the first one: here all are served together, but for --selector"
            )
            yield gateway, ("spec", "selector"), message


def _port(port: Port) -> Parts:
    """Yield what can't share a port there."""
    secure = [server for server in port.servers if not server.traffic.plain]
    for server in secure if port.plain else ():
        yield server, "port", f"port {server.number} has servers in the clear or of TLS, not both: one is left out"
    for server in port.plain[1:]:
        if server.traffic is Traffic.TCP:
            yield server, "port", f"port {server.number} has one server of TCP: this one is left out"
    ending = [server for server in secure if server.traffic is not Traffic.PASSTHROUGH]
    if len(secure) == 1 and ending and all(host.pattern != "*" for host in ending[0].hosts):
        message = "a client that sends no SNI is refused: here this server, the only one, answers it"
        yield ending[0], "hosts", message
    https = [server for server in ending if server.traffic is Traffic.HTTPS]
    for server in https[1:]:
        message = "a connection that began with the SNI of another server gets 404 for these hosts: here it is served,"
        yield server, "hosts", f"{message} or answered 421 where the servers ask other things of clients"


def _servers(port: Port, redirects: RedirectPorts) -> Parts:
    for server in port.servers:
        yield from _server(server, port, redirects)


def _server(server: Server, port: Port, redirects: RedirectPorts) -> Parts:
    address = server.address
    if port.bind != address:
        message = f"the gateway's Service says which port of the Pod {server.number} is: --map-port does here"
        yield server, "port", message
    if isinstance(address, UNIXAddress):
        yield server, "bind", "this is a socket in the gateway's Pod"
    elif server.address_origin.path != server.port_origin.path and address.host not in _ANY:
        yield server, "bind", "this is an address of the gateway's Pod, and not of this machine"
    others = {redirects.of(host.pattern) for host in server.hosts} - {HTTPS_PORT} if server.redirects else set()
    if others:
        found = ", ".join(map(str, sorted(others)))
        message = (
            f"httpsRedirect keeps the port that a client asked for: here it leads to the server of HTTPS, on {found}"
        )
        yield server, "tls", message
