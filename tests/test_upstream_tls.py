"""Backends behind TLS and PROXY headers, through a whole data plane: real sockets, Python's clients and backends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.logger import globalLogPublisher
from twisted.trial.unittest import TestCase

from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.model.actions import RequestChanges
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, ProxyHeader
from edgegate.model.origin import Origin
from edgegate.model.policies import Mirror
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.tls import UpstreamTLS
from edgegate.observe.events import Ended
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.server.data_plane import DataPlane
from edgegate.server.gateway_options import GatewayOptions
from edgegate.tls import client_contexts
from edgegate.tls.authority import Authority
from tests.net.pairs import until
from tests.observe.counters import Counters
from tests.tls.backends import PATIENCE, TLSBackend
from tests.tls.handshakes import AUTHORITY, SERVER

T = TypeVar("T")
HERE = Origin("shop.yaml", 5, "Gateway default/gw")
SHOP = "outbound|443||a.example"
TRUSTED = UpstreamTLS(authorities=AUTHORITY.own.chain_pem)
HTTP, TCP = TCPAddress("127.0.0.1", 0), TCPAddress("127.0.0.2", 0)
NEAR = (ip_network("127.0.0.0/8"),)


class Client:
    """One connection of a client's."""

    def __init__(self, port: int, first: bytes = b"", host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), PATIENCE)
        self.name = self.socket.getsockname()
        if first:
            self.socket.sendall(first)

    def ask(self, host: bytes = b"a.example") -> bytes:
        """Ask once, and return the answer."""
        self.socket.sendall(b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % host)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._more()
        head, _, body = answer.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more()
        return head + b"\r\n\r\n" + body

    def _more(self) -> bytes:
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError
        return piece


class Requests(Counters):
    """Counts, and keeps the requests."""

    def __init__(self) -> None:
        super().__init__()
        self.ended: list[Ended] = []

    def request_ended(self, exchange: Ended) -> None:
        """Keep one."""
        self.ended.append(exchange)


class UpstreamCase(TestCase):
    """A data plane with one cluster."""

    def setUp(self) -> None:
        """Make it, and listen to the log."""
        self.requests = Requests()
        self.folder = Path(self.mktemp())
        self.plane = DataPlane(
            reactor,  # type: ignore[arg-type]
            [self.requests],
            GatewayOptions(proxy_protocol=ProxyProtocolRules({8443: False}, NEAR)),
        )
        self.addCleanup(self.end)
        self.said: list[str] = []

        def listen(event: dict[str, object]) -> None:
            if event.get("log_namespace") == client_contexts.__name__:
                self.said.append(str(event["reason"]))

        globalLogPublisher.addObserver(listen)  # type: ignore[arg-type]
        self.addCleanup(globalLogPublisher.removeObserver, listen)  # type: ignore[arg-type]

    def end(self) -> None:
        """Leave nothing behind."""
        self.plane.withdraw()
        self.plane.abort()
        self.plane.stop()

    def backend(self, **options: object) -> TLSBackend:
        """Open a backend."""
        backend = TLSBackend(self.folder, **{"certificate": SERVER, **options})  # type: ignore[arg-type]
        self.addCleanup(backend.close)
        return backend

    def serve(
        self, backend: TLSBackend, number: int = 80, route: Mapping[str, object] | None = None, **terms: object
    ) -> None:
        """Serve HTTP and TCP to a backend from now on; C{terms} are a L{Cluster}'s."""
        endpoint = Endpoint(TCPAddress("127.0.0.1", backend.port))
        cluster = Cluster(SHOP, Discovery.STATIC, HERE, **terms)  # type: ignore[arg-type]
        destinations = (WeightedCluster(SHOP, 1),)
        said = {"destinations": destinations, **(route or {})}
        host = VirtualHost("*", (HTTPRoute("r", HERE, **said),))  # type: ignore[arg-type]
        http = FilterChain("http", HERE, ("*",), http=HostTable([("*", host)]))
        tcp = FilterChain("tcp", HERE, ("*",), tcp=(TCPRoute(HERE, destinations),))
        listeners = (Listener("http", HTTP, number, HERE, http), Listener("tcp", TCP, number, HERE, tcp))
        snapshot = Snapshot(listeners, {SHOP: cluster})
        self.plane.install(snapshot, self.plane.contexts(snapshot), {SHOP: (endpoint,)})

    async def client(self, first: bytes = b"", tcp: bool = False) -> Client:
        """Open a client's connection."""
        bind = TCP if tcp else HTTP
        local = self.plane.ports[bind].local
        assert isinstance(local, TCPAddress)
        client = await self.do(lambda: Client(local.port, first, bind.host))
        self.addCleanup(client.socket.close)
        return client

    async def do(self, action: Callable[[], T]) -> T:
        """Run what blocks."""
        result: T = await deferToThread(action)
        return result

    async def ask(self, host: bytes = b"a.example") -> bytes:
        """Ask once on a connection of its own."""
        client = await self.client()
        return await self.do(lambda: client.ask(host))


class HTTPTests(UpstreamCase):
    """Requests."""

    async def test_right_name(self) -> None:
        """The backend is asked for the request's host; the connection is kept for it."""
        backend = self.backend()
        self.serve(backend, tls=TRUSTED)
        for _ in range(3):
            self.assertTrue((await self.ask()).endswith(b"hello"))
        (visit,) = backend.visits
        self.assertEqual((visit.name, visit.alpn, visit.requests), ("a.example", "http/1.1", 3))

    async def test_wrong_name(self) -> None:
        """A backend whose certificate is for somebody else gets nothing: 503, UF, and the log says why."""
        backend = self.backend(certificate=AUTHORITY.server(["other.example"]))
        self.serve(backend, tls=TRUSTED)
        answer = await self.ask()
        self.assertTrue(answer.startswith(b"HTTP/1.1 503 "), answer)
        self.assertTrue(answer.endswith(b"certificate is not for this name (UF)\n"), answer)
        self.assertNotIn(b"other.example", answer)
        self.assertEqual(self.said, ["its certificate is for other.example, not for a.example"])
        fault = self.requests.ended[0].fault
        assert fault is not None
        self.assertEqual((fault.flag, sum(visit.requests for visit in backend.visits)), ("UF", 0))

    async def test_unknown_authority(self) -> None:
        """So is one that nobody known vouches for; unless the files say that this does not matter."""
        backend = self.backend(certificate=Authority.new("Stranger").server(["a.example"]))
        self.serve(backend, tls=TRUSTED)
        self.assertTrue((await self.ask()).endswith(b"certificate is not trusted (UF)\n"))
        self.serve(backend, tls=UpstreamTLS(verified=False))
        self.assertTrue((await self.ask()).endswith(b"hello"))

    async def test_hosts_apart(self) -> None:
        """A connection that was made for one host carries no request for another."""
        backend = self.backend()
        self.serve(backend, tls=TRUSTED)
        for host in (b"a.example", b"b.example", b"a.example:80"):
            await self.ask(host)
        found = [(visit.name, visit.requests) for visit in backend.visits]
        self.assertEqual(found, [("a.example", 2), ("b.example", 1)])
        self.assertTrue((await self.ask(b"c.example")).endswith(b"(UF)\n"))

    async def test_said_name(self) -> None:
        """A name in the files is asked for whatever the request's host is."""
        backend = self.backend()
        self.serve(backend, tls=replace(TRUSTED, sni="b.example"))
        for host in (b"a.example", b"z.example"):
            await self.ask(host)
        self.assertEqual([(visit.name, visit.requests) for visit in backend.visits], [("b.example", 2)])

    async def test_rewritten(self) -> None:
        """A host that the route gives the request is the one that is asked for."""
        backend = self.backend()
        changes = RequestChanges(authority=b"b.example:443")
        self.serve(backend, route={"destinations": (WeightedCluster(SHOP, 1, changes),)}, tls=TRUSTED)
        await self.ask(b"public.example")
        self.assertEqual([visit.name for visit in backend.visits], ["b.example"])

    async def test_mirrored(self) -> None:
        """A copy goes to its mirror by the request's name."""
        backend = self.backend()
        self.serve(backend, route={"mirrors": (Mirror(SHOP),)}, tls=TRUSTED)
        await self.ask()
        await until(lambda: sum(visit.requests for visit in backend.visits) == 2)
        self.assertEqual({visit.name for visit in backend.visits}, {"a.example"})

    async def test_rotated(self) -> None:
        """New authorities in the files: connections of the old terms get no request, sessions neither."""
        backend = self.backend()
        self.serve(backend, tls=TRUSTED)
        kept = await self.client()
        await self.do(kept.ask)
        self.serve(backend, tls=TRUSTED)
        await self.do(kept.ask)
        self.assertEqual(len(backend.visits), 1)
        other = Authority.new("Next").own.chain_pem
        self.serve(backend, tls=UpstreamTLS(authorities=other))
        self.assertTrue((await self.do(kept.ask)).endswith(b"certificate is not trusted (UF)\n"))
        self.serve(backend, tls=UpstreamTLS(authorities=other + AUTHORITY.own.chain_pem))
        self.assertTrue((await self.do(kept.ask)).endswith(b"hello"))
        self.assertEqual([visit.requests for visit in backend.visits if visit.requests], [1 + 1, 1])
        self.assertFalse(any(visit.reused for visit in backend.visits))

    async def test_resumed(self) -> None:
        """A connection that was lost is made again by a short handshake, after a reload too."""
        backend = self.backend()
        for count in range(1, 4):
            self.serve(backend, tls=TRUSTED)
            await self.ask()
            for state in self.plane.clusters:
                state.endpoints[0].pool.close_idle()
            await until(lambda count=count: len(backend.visits) == count)
        self.assertEqual([visit.reused for visit in backend.visits], [False, True, True])


class IntroducedTests(UpstreamCase):
    """The PROXY protocol towards the backend, and from a load balancer."""

    async def test_to_the_backend(self) -> None:
        """Each client's address is told, on connections of its own."""
        backend = self.backend(introduced=True)
        self.serve(backend, tls=TRUSTED, proxy_header=ProxyHeader.V1)
        one, two = await self.client(), await self.client()
        for client in (one, two, one):
            self.assertTrue((await self.do(client.ask)).endswith(b"hello"))
        found = [(visit.header.split(b" ")[4], visit.requests) for visit in backend.visits]
        self.assertEqual(found, [(b"%d" % one.name[1], 2), (b"%d" % two.name[1], 1)])

    async def test_all_the_way(self) -> None:
        """What a load balancer in front says of its client is what the backend is told."""
        backend = self.backend(certificate=None, introduced=True)
        line = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n"
        self.serve(backend, 8443, proxy_header=ProxyHeader.V1)
        client = await self.client(line)
        await self.do(client.ask)
        relayed = await self.client(line, tcp=True)
        relayed.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
        self.assertTrue((await self.do(lambda: relayed.socket.recv(1000))).startswith(b"HTTP/1.1 200"))
        self.assertEqual([visit.header for visit in backend.visits], [line] * 2)
        self.assertIn((b"x-envoy-external-address", b"203.0.113.7"), self.requests.ended[0].identity_fields())


class TCPTests(UpstreamCase):
    """Relays."""

    async def test_relay(self) -> None:
        """Bytes from a client in the clear are encrypted for the backend, and an end is passed on."""
        backend = self.backend(echoes=True)
        self.serve(backend, tls=TRUSTED)
        client = await self.client(tcp=True)
        data = bytes(range(256)) * 4096

        def talk() -> bytes:
            found = b""
            sending = threading.Thread(target=client.socket.sendall, args=(data,))
            sending.start()
            while len(found) < len(data):
                found += client._more()
            sending.join()
            client.socket.shutdown(socket.SHUT_WR)
            return found + client.socket.recv(1)

        self.assertEqual(await self.do(talk), data)
        (visit,) = backend.visits
        # the service's own name: nothing in the bytes says another
        self.assertEqual((visit.name, visit.alpn), ("a.example", None))
        await until(lambda: not self.plane.connections)
        self.assertEqual([state.endpoints[0].active for state in self.plane.clusters], [0])

    async def test_wrong_name(self) -> None:
        """A backend whose certificate is for somebody else gets nothing; the client's connection is closed."""
        backend = self.backend(certificate=AUTHORITY.server(["other.example"]))
        self.serve(backend, tls=TRUSTED)
        client = await self.client(b"secret", tcp=True)
        with self.assertRaises((EOFError, ConnectionError)):
            await self.do(client._more)
        self.assertEqual(self.said, ["its certificate is for other.example, not for a.example"])
