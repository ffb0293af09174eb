"""Tests of L{edgegate.routing.compile.compilation}: a model that no language of files has made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model import codes
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery
from edgegate.model.diagnostics import Diagnostic, Role, Severity
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.servers import Server, ServerHost, Traffic
from edgegate.model.tls import KeyPair, ServerTLS
from edgegate.model.translation import Attached, AttachedRoutes
from edgegate.routing.compile import compile_snapshot
from edgegate.routing.snapshot import Snapshot

TLS = ServerTLS((KeyPair("pair", b"chain", b"key"),))
TO = (WeightedCluster("outbound|80||web", 1),)


def origin(line: int, resource: str = "Listener edge") -> Origin:
    """Return a place."""
    return Origin("edge.conf", line, resource, ("line", line))


def server(line: int, traffic: Traffic, port: int, *hosts: str) -> Server:
    """Return a server that is said on a line."""
    given = tuple(ServerHost(host, origin(line)) for host in hosts)
    address = TCPAddress("::", port)
    return Server(f"{traffic.name}.{port}", origin(line), traffic, given, address, port, origin(line), origin(line))


def route(line: int, prefix: str = "") -> HTTPRoute:
    """Return a route that is said on a line."""
    matches = (HTTPMatch(StringMatch(Kind.PREFIX, prefix)),) if prefix else ()
    return HTTPRoute(str(line), origin(line), TO, matches)


class Written:
    """A language of files in which everything is said already; a L{edgegate.model.translation.Translation}."""

    def __init__(self, *servers: Server, tls: Mapping[Server, ServerTLS] | None = None) -> None:
        self.servers: Collection[Server] = servers
        self.routes: list[AttachedRoutes] = []
        self.told: list[Diagnostic] = []
        self.served: Collection[Server] = ()
        self._tls = tls or {}

    def add(self, on: Server, *domains: str, http: tuple[HTTPRoute, ...] = (), tcp: tuple[TCPRoute, ...] = ()) -> None:
        """Attach routes that are an object of their own to a server."""
        place = len(self.routes)
        attached = AttachedRoutes(origin(100 + place, f"Routes {place}"), place, on, domains, http=http)
        self.routes.append(replace(attached, tcp=tcp, tls=tcp if on.traffic is Traffic.PASSTHROUGH else ()))

    def attach(self, served: Collection[Server]) -> Attached:
        """Return what is attached."""
        self.served = served
        cluster = Cluster("outbound|80||web", Discovery.STATIC, origin(200))
        return Attached("Routes", tuple(self.routes), self._tls, {cluster.name: cluster})

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep it."""
        self.told.append(diagnostic)

    def compiled(self, port_map: Mapping[int, int] | None = None) -> Snapshot:
        """Return the Snapshot."""
        return compile_snapshot(self, port_map or {}).snapshot


class CompilationTests(SynchronousTestCase):
    """Servers and routes as plain values."""

    def test_plain(self) -> None:
        """Routes are found by host, in the order of what they are said in, whatever takes everything last."""
        web = server(1, Traffic.HTTP, 80, "*.example")
        written = Written(web)
        written.add(web, "a.example", http=(route(2),))
        written.add(web, "a.example", "b.example", http=(route(3, "/a"), route(4)))
        snapshot = written.compiled({80: 8080})
        (listener,) = snapshot.listeners
        assert listener.plain is not None and listener.plain.http is not None
        self.assertEqual((listener.bind, listener.port), (TCPAddress("::", 8080), 80))
        found = {domain: [each.name for each in host.routes] for domain, host in listener.plain.http.items()}
        self.assertEqual(found, {"a.example": ["3", "2"], "b.example": ["3", "4"]})
        self.assertEqual(list(snapshot.clusters), ["outbound|80||web"])

    def test_told_with_places(self) -> None:
        """What is wrong between values is told with the place of the value that is wrong."""
        web = server(1, Traffic.HTTP, 80, "a.example")
        written = Written(web)
        written.add(web, "a.example", http=(route(2),))
        written.add(web, "a.example", http=(route(3),))
        written.compiled()
        message = "never reached: edge.conf:2 takes every request of a.example"
        self.assertEqual(written.told, [Diagnostic(Severity.WARNING, origin(3), message, code=codes.UNREACHABLE_ROUTE)])
        self.assertEqual(written.told[0].origin.path, ("line", 3))

    def test_left_out(self) -> None:
        """Nothing is attached to a server that can't be opened beside another."""
        first, second = server(1, Traffic.HTTP, 80, "a.example"), server(2, Traffic.TCP, 80, "a.example")
        written = Written(first, second)
        written.compiled()
        self.assertEqual(written.served, [first])
        left_out, nothing = written.told
        self.assertIn("port 80 can't carry TCP beside the HTTP of Listener edge at edge.conf:1", left_out.message)
        self.assertEqual(left_out.origin, origin(2))
        self.assertIn("no http route of any Routes leads on from here", nothing.message)
        self.assertEqual((nothing.origin, nothing.role), (origin(1), Role.OUTCOME))

    def test_secure(self) -> None:
        """A server that ends TLS is found by SNI, and left out where its key material is of no use."""
        ended, broken = server(1, Traffic.HTTPS, 443, "a.example"), server(2, Traffic.HTTPS, 443, "b.example")
        passed = server(3, Traffic.PASSTHROUGH, 443, "c.example")
        written = Written(ended, broken, passed, tls={ended: TLS})
        written.add(ended, "a.example", http=(route(4),))
        written.add(passed, "c.example", tcp=(TCPRoute(origin(5), TO, ("c.example",)),))
        (listener,) = written.compiled().listeners
        self.assertEqual([pattern for pattern, _ in listener.secure.items()], ["a.example", "c.example"])
        chains = list(listener.chains())
        self.assertEqual([chain.tls for chain in chains], [TLS, None])
        self.assertEqual([len(chain.tcp or ()) for chain in chains], [0, 1])
