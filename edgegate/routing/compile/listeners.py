"""Ports to listeners: the filter chains of everything that is opened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgegate.model import codes
from edgegate.model.diagnostics import Diagnostic, Report, Role, Severity
from edgegate.model.patterns import PatternIndex
from edgegate.model.servers import Server, Traffic
from edgegate.model.translation import Attached, AttachedRoutes
from edgegate.routing.compile.guards import GuardTable, met_first
from edgegate.routing.compile.http_tables import route_table
from edgegate.routing.compile.ports import Port
from edgegate.routing.compile.redirects import RedirectPorts
from edgegate.routing.compile.tcp_tables import passthrough_chains, tcp_routes
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, RouteTable


class ListenerCompiler:
    """Compiles ports one by one."""

    def __init__(self, attached: Attached, redirects: RedirectPorts, report: Report) -> None:
        self._tls = attached.tls
        self._kind = attached.kind
        self._guards = GuardTable(attached.guards)
        self._redirects = redirects
        self._report = report
        self._routes: dict[Server, list[AttachedRoutes]] = {}
        for each in attached.routes:
            self._routes.setdefault(each.server, []).append(each)

    def listener(self, port: Port) -> Listener:
        """Compile a port. Servers with an error, which was reported, have no filter chain."""
        guarded = bool(self._guards.of(port.servers))
        plain = self._plain(port) if port.plain else None
        if plain is not None and guarded:
            plain = replace(plain, guards=self._guards.of(port.plain), guarded=True)
        secure: dict[str, FilterChain] = {}
        for server in port.servers:
            if server.traffic.plain:
                continue
            chains = dict(self._secure(port, server))
            secure.update(self._guarded(server, chains) if guarded else chains)
        origin, first = port.servers[0].origin, met_first(plain, secure.values()) if guarded else ()
        return Listener(port.name, port.bind, port.number, origin, plain, HostTable(secure.items()), first)

    def _guarded(self, server: Server, chains: dict[str, FilterChain]) -> dict[str, FilterChain]:
        """Return the chains of a server on a port where guards stand; one of several patterns stays one."""
        guards = self._guards.of([server])
        made = {id(chain): replace(chain, guards=guards, guarded=True) for chain in chains.values()}
        return {pattern: made[id(chain)] for pattern, chain in chains.items()}

    def _plain(self, port: Port) -> FilterChain:
        """Compile the one chain of all plain servers of a port."""
        servers = port.plain
        first = servers[0]
        attached = self._attached(servers)
        hosts = tuple(dict.fromkeys(host.pattern for server in servers for host in server.hosts))
        if first.traffic is Traffic.HTTP:
            table = route_table(servers, attached, self._redirects, self._guards, self._report)
            self._warn_of_unserved(servers, table)
            # of several the first says what they speak (Istio's MergeGateways)
            return FilterChain(first.name, first.origin, hosts, http=table, grpc_web=first.grpc_web)
        routes = tcp_routes(attached, self._report)
        for server in servers if not routes else ():
            self._warn_of_no_route(server, "tcp")
        return FilterChain(first.name, first.origin, hosts, tcp=routes)

    def _secure(self, port: Port, server: Server) -> Iterator[tuple[str, FilterChain]]:
        """Yield the chains of a server that is found by SNI, by pattern."""
        attached = self._attached([server])
        if server.traffic is Traffic.PASSTHROUGH:
            chains = dict(passthrough_chains(port, server, attached, self._report))
            if not any(chain.tcp for chain in chains.values()):
                self._warn_of_no_route(server, "tls")
            yield from chains.items()
            return
        tls = self._tls.get(server)
        hosts = tuple(dict.fromkeys(host.pattern for host in server.hosts))
        if server.traffic is Traffic.HTTPS:
            table = route_table([server], attached, self._redirects, self._guards, self._report)
            self._warn_of_unserved([server], table)
            chain = FilterChain(server.name, server.origin, hosts, tls, http=table)
        else:
            routes = tcp_routes(attached, self._report)
            if not routes:
                self._warn_of_no_route(server, "tcp")
            chain = FilterChain(server.name, server.origin, hosts, tls, tcp=routes)
        if tls is not None:
            yield from ((pattern, chain) for pattern in hosts if port.secure[pattern][0] is server)

    def _attached(self, servers: Sequence[Server]) -> list[AttachedRoutes]:
        """Return what is attached to any of these servers, in order."""
        found = [each for server in servers for each in self._routes.get(server, ())]
        return sorted(found, key=lambda each: each.order)

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
                message = f"no http route of any {self._kind} is for this host: every request is answered 404"
                self._report(Diagnostic(Severity.WARNING, host.origin, message, Role.OUTCOME, codes.HOST_WITHOUT_ROUTE))

    def _warn_of_no_route(self, server: Server, kind: str, so: str = "connection is closed") -> None:
        message = f"no {kind} route of any {self._kind} leads on from here: every {so}"
        self._report(Diagnostic(Severity.WARNING, server.origin, message, Role.OUTCOME, codes.HOST_WITHOUT_ROUTE))
