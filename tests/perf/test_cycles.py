"""What connections leave to the garbage collector: nothing, so that it has little to look for while requests wait."""

from __future__ import annotations

import gc
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.data_plane import DataPlane
from edgegate.demo.certificates import fill
from edgegate.loading import Configuration
from edgegate.observe.counters import Counters
from tests.acceptance.manifests import ONE_BACKEND, filled
from tests.acceptance.processes import free_ports
from tests.net.pairs import until
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


class CyclesTests(TestCase):
    """Connections that have ended."""

    def setUp(self) -> None:
        """Serve one backend on all kinds of ports."""
        server = backend()
        self.addCleanup(server.close)
        self.ports = dict(zip(("http", "https", "tcp"), free_ports(3), strict=True))
        folder = Path(self.mktemp())
        folder.mkdir()
        fill(folder / "certs", ["a.example"])
        (folder / "all.yaml").write_text(filled(FILES, backend=server.getsockname()[1], **self.ports))
        loaded = Configuration(str(folder)).load()
        assert loaded.snapshot is not None, loaded.problems
        self.plane = DataPlane(reactor, Counters())  # type: ignore[arg-type]
        self.plane.install(loaded.snapshot, self.plane.contexts(loaded.snapshot))
        self.addCleanup(self.end)

    def end(self) -> None:
        """Leave nothing behind."""
        self.plane.drain()
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
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for talk in talks * 3:
                await deferToThread(talk)
            await until(lambda: not self.plane.connections)
            gc.collect()
            types = [type(each) for each in gc.garbage]
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        return Counter(each.__qualname__ for each in types if each.__module__.startswith(("edgegate.", "OpenSSL.")))

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
