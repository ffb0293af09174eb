"""What connections leave to the garbage collector: nothing, so that it has little to look for while requests wait."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from string import Template

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.demo.certificates import fill
from edgegate.http.filters.hold import Hold
from edgegate.server.data_plane import DataPlane
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.upstream.cluster import ClusterState
from tests.acceptance.manifests import ONE_BACKEND, filled
from tests.acceptance.processes import free_ports
from tests.net.pairs import until
from tests.observe.counters import Counters
from tests.tcp.peers import PATIENCE

FILES = (
    """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}
  - {port: {number: $tcp, name: tcp, protocol: TCP}, hosts: ["*"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [a.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
---
"""
    + ONE_BACKEND
    + """\
  tcp:
  - route: [{destination: {host: 127.0.0.1, port: {number: $backend}}}]
"""
)

CLUSTER = Template("""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: $name}
spec:
  hosts: [$name.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /$number}}]
    route: [{destination: {host: $name$number.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: $name}
spec:
  hosts: [$name$number.internal]
  resolution: $resolution
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: $address}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: $name}
spec: {host: $name$number.internal, trafficPolicy: $policy}
""")

CLUSTERS = {
    "plain": {"resolution": "STATIC", "address": "192.0.2.1", "policy": "{loadBalancer: {simple: ROUND_ROBIN}}"},
    "hashed": {
        "resolution": "STATIC",
        "address": "192.0.2.2",
        "policy": "{loadBalancer: {consistentHash: {httpHeaderName: x-user}}, tls: {mode: SIMPLE}}",
    },
    "watched": {
        "resolution": "STATIC",
        "address": "192.0.2.3",
        "policy": "{outlierDetection: {consecutive5xxErrors: 3}, connectionPool: {tcp: {maxConnections: 9}}}",
    },
    "named": {"resolution": "DNS", "address": "localhost", "policy": "{loadBalancer: {warmup: {duration: 60s}}}"},
}
"""What each kind of cluster has to let go of."""

HELD = Template("""\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: held}
spec:
  hosts: [held$number.example]
  gateways: [gw]
  http:
  - fault: {delay: {fixedDelay: 0.1s, percentage: {value: 100}}}
    route: [{destination: {host: held$number.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: held}
spec:
  hosts: [held$number.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $backend}]
  endpoints: [{address: 127.0.0.1}]
""")

GET = b"GET / HTTP/1.1\r\nhost: a.example\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n"
UPGRADE = b"GET /ws HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n"


def answer(connection: socket.socket) -> None:
    """Answer requests until the other side ends; what follows a 101 is thrown away."""
    held = b""
    with connection:
        while data := connection.recv(65536):
            held += data
            if b"\r\n\r\n" in held:
                connection.sendall(SWITCHED if b"upgrade: raw" in held.lower() else ANSWER)
                held = b""


def backend() -> socket.socket:
    """Return a server that answers on each connection."""
    server = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return server


class Garbage:
    """
    Collects what only the garbage collector would free.

    @ivar found: How many objects of each type it was, of ours and OpenSSL's.
    """

    found: Counter[str]

    def __enter__(self) -> Garbage:
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        return self

    def __exit__(self, *args: object) -> None:
        gc.collect()
        types = [type(each) for each in gc.garbage]
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
        self.found = Counter(
            each.__qualname__ for each in types if each.__module__.startswith(("edgegate.", "OpenSSL."))
        )


class CyclesTests(TestCase):
    """Connections that have ended."""

    def setUp(self) -> None:
        """Serve one backend on all kinds of ports."""
        server = backend()
        self.addCleanup(server.close)
        self.ports = dict(zip(("http", "https", "tcp"), free_ports(3), strict=True))
        self.backend = server.getsockname()[1]
        folder = Path(self.mktemp())
        folder.mkdir()
        fill(folder / "certs", ["a.example"])
        (folder / "all.yaml").write_text(filled(FILES, backend=self.backend, **self.ports))
        self.folder = folder
        self.configuration = Configuration(source_named(str(folder)))
        self.plane = DataPlane(reactor, [Counters()])  # type: ignore[arg-type]
        self.addCleanup(self.end)
        self.load()

    def load(self) -> None:
        """Serve what the files say now."""
        loaded = self.configuration.load()
        assert loaded.snapshot is not None, loaded.problems
        self.plane.install(loaded.snapshot, self.plane.contexts(loaded.snapshot, read=loaded.secrets), loaded.endpoints)

    def end(self) -> None:
        """Leave nothing behind."""
        self.plane.withdraw()
        self.plane.abort()
        self.plane.stop()

    def connect(self, kind: str) -> socket.socket:
        """Connect to a port."""
        connection = socket.create_connection(("127.0.0.1", self.ports[kind]), PATIENCE)
        if kind != "https":
            return connection
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context.wrap_socket(connection, server_hostname="a.example")

    def talk(self, kind: str, *requests: bytes) -> None:
        """Ask on one connection; close it, or wait for its end where the last request says so."""
        with self.connect(kind) as connection:
            for request in requests:
                connection.sendall(request)
                said = connection.recv(65536)
                self.assertEqual(said[:13], b"HTTP/1.1 101 " if request is UPGRADE else b"HTTP/1.1 200 ")
            if requests[-1] is LAST:
                self.assertEqual(connection.recv(1), b"")

    async def left_by(self, *talks: Callable[[], None]) -> Counter[str]:
        """Return the objects, by their types, that only the garbage collector would free afterwards."""
        for talk in talks:
            await deferToThread(talk)  # what is made once is made
        await until(lambda: not self.plane.connections)
        with Garbage() as garbage:
            for talk in talks * 3:
                await deferToThread(talk)
            await until(lambda: not self.plane.connections)
        return garbage.found

    async def test_http(self) -> None:
        """A connection that the client closes, and one that the gateway does."""
        left = await self.left_by(lambda: self.talk("http", GET, GET), lambda: self.talk("http", GET, LAST))
        self.assertEqual(left, {})

    async def test_tls(self) -> None:
        """The same inside TLS."""
        left = await self.left_by(lambda: self.talk("https", GET, GET), lambda: self.talk("https", GET, LAST))
        self.assertEqual(left, {})

    async def test_relays(self) -> None:
        """A relay of TCP, and tunnels after a 101."""
        left = await self.left_by(
            lambda: self.talk("tcp", GET),
            lambda: self.talk("http", UPGRADE),
            lambda: self.talk("https", UPGRADE),
        )
        self.assertEqual(left, {})

    async def test_held(self) -> None:
        """Requests that are held while a reload takes their clusters out, and what was kept for them."""
        number = 0

        def talk() -> None:
            nonlocal number
            number += 1
            with self.connect("http") as connection:
                connection.sendall(b"GET / HTTP/1.1\r\nhost: held%d.example\r\n\r\n" % number)
                connection.recv(65536)

        async def change() -> Counter[str]:
            (self.folder / "more.yaml").write_text(HELD.substitute(number=number + 1, backend=self.backend))
            self.load()
            talking = deferToThread(talk)
            await until(lambda: any(isinstance(each, Hold) for each in gc.get_objects()))
            (self.folder / "more.yaml").write_text("")
            self.load()
            await talking
            await until(lambda: not self.plane.connections)
            return Counter(type(each).__qualname__ for each in gc.get_objects() if isinstance(each, ClusterState))

        before = await change()
        with Garbage() as garbage:
            for _ in range(3):
                self.assertEqual(await change(), before)
        self.assertEqual(garbage.found, {})

    def change(self, number: int) -> None:
        """Have clusters that were not there before, and load."""
        names = ("plain", "hashed", "watched", "named")
        (self.folder / "more.yaml").write_text(
            "---\n".join(CLUSTER.substitute(name=name, number=number, **CLUSTERS[name]) for name in names)
        )
        self.load()

    def test_reload(self) -> None:
        """A reload, and the clusters that it takes out."""
        for number in range(2):
            self.change(number)
        with Garbage() as garbage:
            for number in range(2, 5):
                self.change(number)
        self.assertEqual(garbage.found, {})
