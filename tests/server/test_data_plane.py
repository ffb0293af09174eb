"""Tests of L{edgegate.server.data_plane}: one Snapshot replaces another on real ports."""

from __future__ import annotations

import resource
import shutil
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.logger import LogLevel, capturedLogs, formatEvent
from twisted.trial.unittest import TestCase

from edgegate.model.actions import DirectResponse
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.origin import Origin
from edgegate.model.policies import Delay, Faults
from edgegate.model.routes import HTTPRoute
from edgegate.model.tls import TLSRules, TLSVersion, UpstreamTLS
from edgegate.overload.limits import REQUESTS, OverloadLimits
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost
from edgegate.server.contexts import Contexts
from edgegate.server.data_plane import DataPlane
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.ports import CannotBind
from edgegate.tls.authority import Authority
from edgegate.tls.secret_store import Secrets
from edgegate.tls.secrets import BadKeyMaterial
from tests.http.filters.filters import TestFilters
from tests.net.pairs import until
from tests.observe.counters import Counters
from tests.tcp.peers import PATIENCE, read_all
from tests.tls.handshakes import AUTHORITY, naming, pair, secrets, server_tls

T = TypeVar("T")
HERE = Origin("shop.yaml", 5, "Gateway default/gw")
ISSUED = Authority.new("Test authority").server(["shop.example"])
ASK = b"GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"


def redirecting(port: int) -> FilterChain:
    """Return a chain that redirects every request to a port of https: its answers tell Snapshots apart."""
    return FilterChain("http", HERE, ("*",), http=HostTable([("*", VirtualHost("*", redirect_port=port))]))


def listener(
    bind: Address, plain: FilterChain | None = None, secure: Iterable[tuple[str, FilterChain]] = ()
) -> Listener:
    """Return a listener."""
    return Listener(str(bind), bind, 80, HERE, plain, HostTable(list(secure)))


class Client:
    """A connection that asks again and again."""

    def __init__(self, port: int, tls: bool = False) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket, server_hostname="shop.example")

    @property
    def certificate(self) -> bytes | None:
        """What the gateway has shown, as DER."""
        return self.socket.getpeercert(True) if isinstance(self.socket, ssl.SSLSocket) else None

    def ask(self) -> bytes:
        """Ask once; return the whole answer."""
        self.socket.sendall(ASK)
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError(answer)
            answer += piece
        return answer

    def ended(self) -> bool:
        """Wait for the end; tell whether nothing came before it."""
        return read_all(self.socket) == b""


class DataPlaneTests(TestCase):
    """What clients see of a change."""

    def setUp(self) -> None:
        """Make a data plane that serves nothing."""
        self.plane = self.make()
        self.addCleanup(self.end)
        self.bind = TCPAddress("127.0.0.1", 0)

    def make(self, **options: Any) -> DataPlane:
        """Make a data plane."""
        return DataPlane(reactor, [Counters()], GatewayOptions(**options))  # type: ignore[arg-type]

    def end(self) -> None:
        """Leave nothing behind."""
        self.plane.withdraw()
        self.plane.abort()
        self.plane.stop()

    def install(self, *listeners: Listener) -> None:
        """Serve listeners from now on."""
        snapshot = Snapshot(listeners)
        self.plane.install(snapshot, self.plane.contexts(snapshot, read=secrets()))

    def serve(self, *listeners: Listener) -> int:
        """Serve listeners, and return the number of the first one's port."""
        self.install(*listeners)
        local = self.plane.ports[listeners[0].bind].local
        assert isinstance(local, TCPAddress)
        return local.port

    async def client(self, port: int, tls: bool = False) -> Client:
        """Open a connection."""
        client = await deferToThread(Client, port, tls)
        self.addCleanup(client.socket.close)
        return client

    async def do(self, action: Callable[[], T]) -> T:
        """Run what blocks."""
        result: T = await deferToThread(action)
        return result

    async def test_kept_connection(self) -> None:
        """A kept connection is answered by the Snapshot of the moment, on the same socket."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        client = await self.client(port)
        self.assertIn(b":1111/", await self.do(client.ask))
        self.assertEqual(self.serve(listener(self.bind, redirecting(2222))), port)
        self.assertIn(b":2222/", await self.do(client.ask))

    async def test_port_goes(self) -> None:
        """A port that goes takes nobody any more; who is connected is answered once more, then the connection ends."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        client = await self.client(port)
        await self.do(client.ask)
        self.install()
        self.assertEqual(self.plane.ports, {})
        with self.assertRaises(ConnectionRefusedError):
            await self.client(port)
        answer = await self.do(client.ask)
        self.assertIn(b":1111/", answer)
        self.assertIn(b"connection: close", answer)
        self.assertTrue(await self.do(client.ended))

    async def test_http_filters(self) -> None:
        """HTTP filters are made anew with each Snapshot."""
        filters = TestFilters()
        self.plane = self.make(http_filters=(filters,))
        route = HTTPRoute("r", HERE, (), direct=DirectResponse(204))
        table = HostTable([("*", VirtualHost("*", (route,)))])
        served = listener(self.bind, FilterChain("http", HERE, ("*",), http=table))
        client = await self.client(self.serve(served))
        for count in (1, 2):
            self.assertIn(b"x-filter: test\r\n", await self.do(client.ask))
            self.assertEqual(len(filters.chains), count)
            self.install(served)

    async def test_held_request_of_a_port_that_went(self) -> None:
        """A request that is held back is answered on the terms that it came on, though its port goes meanwhile."""
        route = HTTPRoute("r", HERE, (), faults=Faults(Delay(0.2)), direct=DirectResponse(200, b"held"))
        table = HostTable([("*", VirtualHost("*", (route,)))])
        port = self.serve(listener(self.bind, FilterChain("http", HERE, ("*",), http=table)))
        client = await self.client(port)
        client.socket.sendall(ASK)
        answer = deferToThread(read_all, client.socket)
        await until(lambda: any("_passed" in str(call) for call in reactor.getDelayedCalls()))  # type: ignore[attr-defined]
        self.install()
        said = await answer
        self.assertTrue(said.startswith(b"HTTP/1.1 200 OK\r\n"), said)
        self.assertIn(b"connection: close\r\n", said)
        self.assertTrue(said.endswith(b"held"), said)

    async def test_port_goes_with_connections_waiting(self) -> None:
        """Connections that the kernel has taken already when the port goes are served."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        waiting = Client(port)
        self.addCleanup(waiting.socket.close)
        self.install()
        self.assertIn(b":1111/", await self.do(waiting.ask))

    async def test_port_comes_back(self) -> None:
        """A port that comes back before it was closed is bound anew."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        self.install()
        self.install(listener(TCPAddress("127.0.0.1", port), redirecting(2222)))
        self.assertIn(b":2222/", await self.do((await self.client(port)).ask))

    async def test_idle_connection_of_a_port_that_went(self) -> None:
        """What does not end by itself is ended after a while."""
        self.plane = self.make(leave=0.5)
        client = await self.client(self.serve(listener(self.bind, redirecting(1111))))
        await self.do(client.ask)
        self.install()
        self.assertTrue(await self.do(client.ended))

    async def test_terms_change(self) -> None:
        """A connection over TLS ends when its server's rules change, and goes on when only its certificate does."""

        def secure(tls_rules: TLSRules | None = None) -> Listener:
            chain = replace(redirecting(1111), tls=naming(server_tls(ISSUED, rules=tls_rules)))
            return listener(self.bind, None, [("shop.example", chain)])

        port = self.serve(secure())
        client = await self.client(port, tls=True)
        await self.do(client.ask)
        self.install(secure())
        await self.do(client.ask)
        self.install(secure(TLSRules(minimum=TLSVersion.TLSV1_3)))
        self.assertTrue(await self.do(client.ended))

    async def test_cannot_bind(self) -> None:
        """Where a port can't be opened everything is as it was: none of the others is opened either."""
        before = listener(self.bind, redirecting(1111))
        port = self.serve(before)
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        path = UNIXAddress(self.mktemp())
        bad = TCPAddress("127.0.0.1", taken.getsockname()[1])
        with self.assertRaises(CannotBind) as caught:
            self.install(listener(path, redirecting(1)), listener(bad, redirecting(1)))
        self.assertEqual(str(caught.exception), f"cannot bind {bad}: Address already in use")
        self.assertEqual(self.plane.snapshot.listeners, (before,))
        client = await self.client(port)
        self.assertIn(b":1111/", await self.do(client.ask))
        with self.assertRaises(FileNotFoundError), socket.socket(socket.AF_UNIX) as sock:
            sock.connect(path.path)

    async def test_any_failure(self) -> None:
        """Whatever fails, everything is as it was: ports that made room are open again, clusters are the old ones."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        narrow, wide = TCPAddress("127.0.0.1", port), TCPAddress("0.0.0.0", port)
        self.install()
        kept = Cluster("kept", Discovery.STATIC, HERE)
        first, second = ((Endpoint(TCPAddress("127.0.0.1", number)),) for number in (1, 2))
        before = Snapshot((listener(narrow, redirecting(2222)),), {"kept": kept})
        self.plane.install(before, self.plane.contexts(before, read=secrets()), {"kept": first})
        state = self.plane.clusters.get("kept")
        secure = replace(kept, name="secure", tls=UpstreamTLS())
        after = Snapshot((listener(wide, redirecting(3333)),), {"kept": kept, "new": kept, "secure": secure})
        contexts = self.plane.contexts(after, read=secrets())
        with self.assertRaises(KeyError):
            self.plane.install(after, replace(contexts, clients={}), {"kept": second})
        self.assertIs(self.plane.snapshot, before)
        self.assertIn(b":2222/", await self.do((await self.client(port)).ask))
        assert state is not None
        self.assertEqual((list(self.plane.clusters), state.cluster), ([state], kept))
        self.assertEqual([each.address for each in state.endpoints], [TCPAddress("127.0.0.1", 1)])
        self.plane.install(after, contexts)
        self.assertIn(b":3333/", await self.do((await self.client(port)).ask))

    def test_assign(self) -> None:
        """Endpoints are taken over by themselves: the Snapshot stays, and so do they when the next one fails."""
        kept, other = (Cluster(name, Discovery.STATIC, HERE) for name in ("kept", "other"))
        first, second = ((Endpoint(TCPAddress("127.0.0.1", number)),) for number in (1, 2))
        snapshot = Snapshot((), {"kept": kept, "other": other})
        self.plane.install(snapshot, self.plane.contexts(snapshot), {"kept": first, "other": first})
        self.plane.assign({"kept": second})
        after = Snapshot((), {"kept": replace(kept, tls=UpstreamTLS())})
        with self.assertRaises(KeyError):
            self.plane.install(after, Contexts(), {"kept": first})
        self.assertIs(self.plane.snapshot, snapshot)
        found = {state.name: [each.address.port for each in state.endpoints] for state in self.plane.clusters}
        self.assertEqual(found, {"kept": [2], "other": [1]})

    def test_no_way_back(self) -> None:
        """A port that made room and can't be opened again is said to be closed; the next change opens it."""
        folder = Path(self.mktemp())
        folder.mkdir()
        before = listener(UNIXAddress(str(folder / "gateway")), redirecting(1111))
        self.install(before)
        shutil.rmtree(folder)
        with capturedLogs() as logged, self.assertRaises(CannotBind):
            self.install(listener(UNIXAddress(f"{folder}/other"), redirecting(2222)))
        (said,) = [formatEvent(event) for event in logged if event["log_level"] is LogLevel.error]
        self.assertIn(f"cannot bind {before.bind}: No such file or directory, as it was before", said)
        self.assertEqual((self.plane.snapshot.listeners, self.plane.ports), ((before,), {}))
        folder.mkdir()
        self.install(before)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(folder / "gateway"))

    async def test_wider_address(self) -> None:
        """A port whose address becomes wider is bound anew; if that fails the old one is open again."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        narrow, wide = TCPAddress("127.0.0.1", port), TCPAddress("0.0.0.0", port)
        self.install()
        self.install(listener(narrow, redirecting(2222)))
        with socket.create_server(("127.0.0.2", 0)) as other:
            taken = TCPAddress("127.0.0.2", other.getsockname()[1])
            with self.assertRaises(CannotBind):
                self.install(listener(wide, redirecting(3333)), listener(taken, redirecting(1)))
            self.assertIn(b":2222/", await self.do((await self.client(port)).ask))
        self.install(listener(wide, redirecting(3333)))
        self.assertIn(b":3333/", await self.do((await self.client(port)).ask))

    async def test_contexts_are_kept(self) -> None:
        """A server that did not change keeps its context, and with it its clients' sessions."""
        chain = replace(redirecting(1111), tls=naming(server_tls(ISSUED)))
        first = Snapshot((listener(self.bind, None, [("shop.example", chain)]),))
        contexts = self.plane.contexts(first, read=secrets())
        self.plane.install(first, contexts)
        again = Snapshot((listener(self.bind, redirecting(1), [("shop.example", replace(chain))]),))
        kept = self.plane.contexts(again, read=secrets())
        found, before = (each.servers[self.bind].lookup("shop.example") for each in (kept, contexts))
        assert found is not None and before is not None
        self.assertIs(found[1], before[1])

    async def test_secret_is_replaced(self) -> None:
        """Handshakes that begin after a secret was replaced see the new one; the Snapshot and connections stay."""
        first = server_tls(ISSUED)
        chain = replace(redirecting(1111), tls=naming(first))
        port = self.serve(listener(self.bind, None, [("shop.example", chain)]))
        snapshot = self.plane.snapshot
        before = await self.client(port, tls=True)
        renewed = AUTHORITY.server(["shop.example"])
        self.plane.secrets.put(pair(renewed, first.certificates[0].name))
        after = await self.client(port, tls=True)
        for client, issued in ((before, ISSUED), (after, renewed)):
            self.assertIn(b":1111/", await self.do(client.ask))
            self.assertEqual(client.certificate, issued.certificate.public_bytes(Encoding.DER))
        self.assertIs(self.plane.snapshot, snapshot)
        broken = replace(pair(renewed, first.certificates[0].name), key=b"none")
        self.assertRaises(BadKeyMaterial, self.plane.secrets.put, broken)
        self.assertIn(b":1111/", await self.do((await self.client(port, tls=True)).ask))

    async def test_secret_is_replaced_during_a_reload(self) -> None:
        """A secret that is put while contexts are made for a reload is in force behind it."""
        first = server_tls(ISSUED)
        snapshot = Snapshot((listener(self.bind, None, [("a.example", replace(redirecting(1), tls=naming(first)))]),))
        read = Secrets(first.certificates)
        self.plane.install(snapshot, self.plane.contexts(snapshot, read=read))
        contexts = self.plane.contexts(snapshot, read=read)
        renewed = pair(AUTHORITY.server(["a.example"]), first.certificates[0].name)
        self.plane.secrets.put(renewed)
        found = self.plane.ports[self.bind].serving.contexts.lookup("a.example")
        self.plane.install(snapshot, contexts)
        again = self.plane.ports[self.bind].serving.contexts.lookup("a.example")
        assert found is not None and again is not None
        self.assertIs(found[1], again[1])
        self.assertEqual(self.plane.secrets.secrets.pair(renewed.credential), renewed)

    def test_secret_is_added_during_a_reload(self) -> None:
        """A secret that no file names is in force behind a reload, though it was put while that made its contexts."""
        contexts = self.plane.contexts(Snapshot())
        added = pair(AUTHORITY.client("gateway"), "later.crt")
        self.plane.secrets.put(added)
        self.plane.install(Snapshot(), contexts)
        self.assertEqual(self.plane.secrets.secrets.pair(added.credential), added)

    def test_secret_of_a_backend_is_replaced(self) -> None:
        """Backends are shown the new certificate on connections that are made from then on; others keep theirs."""
        shown = pair(AUTHORITY.client("gateway"), "client.crt")
        terms, others = UpstreamTLS(credential=shown.credential), UpstreamTLS(sni="other.example")
        clusters = {
            name: Cluster(name, Discovery.STATIC, HERE, tls=tls) for name, tls in (("web", terms), ("api", others))
        }
        snapshot = Snapshot((), clusters)
        self.plane.install(snapshot, self.plane.contexts(snapshot, read=Secrets([shown])))
        before = {state.name: state.transport_socket for state in self.plane.clusters}
        self.plane.secrets.put(pair(AUTHORITY.client("gateway"), "client.crt"))
        after = {state.name: state.transport_socket for state in self.plane.clusters}
        self.assertNotEqual(after["web"], before["web"])
        self.assertEqual(after["api"], before["api"])

    async def test_room(self) -> None:
        """Beyond the most that are allowed those that lie idle end, the longest idle first, and new ones are served."""
        self.plane = self.make(overload=OverloadLimits(connections=2, client_connections=9))
        port = self.serve(listener(self.bind, redirecting(1111)))
        clients = []
        for number in range(4):
            clients.append(await self.client(port))
            self.assertIn(b"1111", await self.do(clients[-1].ask), number)
            await until(lambda: self.plane.counts.total <= 2)
        self.assertTrue(await self.do(clients[0].ended))
        self.assertTrue(await self.do(clients[1].ended))
        self.assertEqual((self.plane.connections, self.plane.counts.total), (2, 2))
        self.assertIn(b"1111", await self.do(clients[3].ask))

    async def test_room_of_a_client(self) -> None:
        """Of a client that has too many its own end."""
        self.plane = self.make(overload=OverloadLimits(client_connections=1))
        port = self.serve(listener(self.bind, redirecting(1111)))
        first = await self.client(port)
        await self.do(first.ask)
        second = await self.client(port)
        self.assertIn(b"1111", await self.do(second.ask))
        self.assertTrue(await self.do(first.ended))
        self.assertEqual((self.plane.counts.total, self.plane.counts.greediest, self.plane.counts.refused), (1, 1, 0))

    async def test_age(self) -> None:
        """A connection ends at its age; what is under way on it would go on."""
        self.plane = self.make(overload=OverloadLimits(connection_seconds=0.01))
        port = self.serve(listener(self.bind, redirecting(1111)))
        client = await self.client(port)
        self.assertIn(b"1111", await self.do(client.ask))
        self.assertTrue(await self.do(client.ended))

    def test_share(self) -> None:
        """One of several processes has its share of what all connections or requests may keep."""
        limits = self.make(processes=2)._environment.limits
        self.assertEqual((limits.shadows, limits.http2_bytes), (512, 32 << 20))

    async def test_request_that_lasts(self) -> None:
        """A request ends that has taken too long, and its connection may be asked again."""
        self.plane = self.make(overload=OverloadLimits(request_seconds=0.01))
        held = HTTPRoute("r", HERE, (), faults=Faults(Delay(3600.0)), direct=DirectResponse(200, b"held"))
        table = HostTable([("*", VirtualHost("*", (held,)))])
        port = self.serve(listener(self.bind, FilterChain("http", HERE, ("*",), http=table)))
        client = await self.client(port)
        for _ in range(2):
            client.socket.sendall(ASK)
            self.assertIn(b"HTTP/1.1 504 ", await self.do(lambda: client.socket.recv(65536)))

    async def test_figures(self) -> None:
        """Whoever looks sees how near the limits are."""
        self.plane = self.make(overload=OverloadLimits(connections=2, lag=inf))
        port = self.serve(listener(self.bind, redirecting(1111)))
        client = await self.client(port)
        await self.do(client.ask)
        found = {each.name: (each.value, each.bound, each.reached) for each in self.plane.figures()}
        self.assertEqual(found["connections"], (1, 2, 0))
        self.assertEqual(found["connections of a listener"], (1, None, 0))
        self.assertEqual(found["connections of a client"], (1, 1, 0))
        self.assertEqual(found["handshakes of a listener"], (0, 1, 0))
        self.assertEqual(found["requests"], (0, REQUESTS, 0))
        self.assertEqual(found["requests of a client"], (0, REQUESTS // 2, 0))
        self.assertIsNone(found["loop lag ms"][1])

    async def test_no_descriptors(self) -> None:
        """Where none is left connections wait, and those that lie idle give some back."""
        port = self.serve(listener(self.bind, redirecting(1111)))
        first = await self.client(port)
        await self.do(first.ask)
        other = await self.client(port)
        await self.do(other.ask)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        second = socket.socket()
        self.addCleanup(second.close)
        # what is open stays so, but nothing more is opened
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        second.connect(("127.0.0.1", port))
        second.sendall(ASK)
        await until(lambda: self.plane.counts.waits)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        self.assertIn(b"1111", await self.do(lambda: second.recv(65536)))
        self.assertTrue(await self.do(first.ended))
