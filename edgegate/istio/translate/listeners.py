"""Ports to listeners: the filter chains of everything that is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgegate.config.problems import Problems, Role
from edgegate.istio.translate.attachment import Attachments
from edgegate.istio.translate.credentials import CredentialCompiler
from edgegate.istio.translate.http_tables import route_table
from edgegate.istio.translate.ports import Port
from edgegate.istio.translate.redirects import RedirectPorts
from edgegate.istio.translate.servers import Server, Traffic
from edgegate.istio.translate.tcp_tables import passthrough_chains, tcp_routes
from edgegate.model.patterns import PatternIndex
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, RouteTable


class ListenerCompiler:
    """Compiles ports one by one."""

    def __init__(
        self, attachments: Attachments, credentials: CredentialCompiler, redirects: RedirectPorts, problems: Problems
    ) -> None:
        self._attachments = attachments
        self._credentials = credentials
        self._redirects = redirects
        self._problems = problems

    def listener(self, port: Port) -> Listener:
        """Compile a port. Servers with an error, which is reported, have no filter chain."""
        plain = self._plain(port) if port.plain else None
        secure: dict[str, FilterChain] = {}
        for server in port.servers:
            if not server.traffic.plain:
                secure.update(self._secure(port, server))
        return Listener(port.name, port.bind, port.number, port.servers[0].origin, plain, HostTable(secure.items()))

    def _plain(self, port: Port) -> FilterChain:
        """Compile the one chain of all plain servers of a port."""
        servers = port.plain
        first = servers[0]
        attached = self._attachments.of(servers)
        hosts = tuple(dict.fromkeys(host.pattern for server in servers for host in server.hosts))
        if first.traffic is Traffic.HTTP:
            table = route_table(servers, attached, self._redirects, self._problems)
            self._warn_of_unserved(servers, table)
            return FilterChain(first.chain_name, first.origin, hosts, http=table)
        routes = tcp_routes(attached, self._problems)
        for server in servers if not routes else ():
            self._warn_of_no_route(server, "tcp")
        return FilterChain(first.chain_name, first.origin, hosts, tcp=routes)

    def _secure(self, port: Port, server: Server) -> Iterator[tuple[str, FilterChain]]:
        """Yield the chains of a server that is found by SNI, by pattern."""
        attached = self._attachments.of([server])
        if server.traffic is Traffic.PASSTHROUGH:
            chains = dict(passthrough_chains(port, server, attached, self._problems))
            if not any(chain.tcp for chain in chains.values()):
                self._warn_of_no_route(server, "tls")
            yield from chains.items()
            return
        tls = self._credentials.server_tls(server)
        hosts = tuple(dict.fromkeys(host.pattern for host in server.hosts))
        if server.traffic is Traffic.HTTPS:
            table = route_table([server], attached, self._redirects, self._problems)
            self._warn_of_unserved([server], table)
            chain = FilterChain(server.chain_name, server.origin, hosts, tls, http=table)
        else:
            routes = tcp_routes(attached, self._problems)
            if not routes:
                self._warn_of_no_route(server, "tcp")
            chain = FilterChain(server.chain_name, server.origin, hosts, tls, tcp=routes)
        if tls is not None:
            yield from ((pattern, chain) for pattern in hosts if port.secure[pattern][0] is server)

    def _warn_of_unserved(self, servers: Sequence[Server], table: RouteTable) -> None:
        """Warn of hosts for which there is nothing but 404: of a server as a whole, where it is so for all of them."""
        served: PatternIndex[None] = PatternIndex()
        for domain, virtual_host in table.items():
            if virtual_host.routes or virtual_host.redirect_port is not None:
                served.add(domain, None)
        for server in servers:
            unserved = [host for host in server.hosts if not any(served.intersecting(host.pattern))]
            if server.redirects:
                continue
            if len(unserved) == len(server.hosts):
                self._warn_of_no_route(server, "http", "request is answered 404")
                continue
            for host in unserved:
                message = "no http route of any VirtualService is for this host: every request is answered 404"
                server.gateway.warning(self._problems, host.path, message, Role.OUTCOME)

    def _warn_of_no_route(self, server: Server, kind: str, so: str = "connection is closed") -> None:
        message = f"no {kind} route of any VirtualService leads on from here: every {so}"
        server.gateway.warning(self._problems, server.path, message, Role.OUTCOME)
