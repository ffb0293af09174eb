"""
What an error of our own ends: what it happened in.

Errors are raised in each function that the reactor, or a part of C{net}, calls in the upper parts of the data plane,
and in each that these call: one at a time, on real sockets, beside a client that has nothing to do with it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import TestCase

from edgegate.demo.certificates import fill
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.net.poller import Poller
from edgegate.observe.events import Connection, Ended, RelayEnd, UpstreamTry
from edgegate.observe.observers import Observers
from edgegate.server.data_plane import DataPlane
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.version import compiled
from tests.acceptance.manifests import EVERY_HOST, filled, static_service
from tests.acceptance.processes import free_ports
from tests.net.pairs import until

_TELLING = {
    HTTPEnvironment.connection_began.__code__,
    HTTPEnvironment.connection_ended.__code__,
    *(each.__code__ for each in vars(Observers).values() if hasattr(each, "__code__")),
}
"""What tells: where that fails nobody is told."""

PATIENCE = 10.0
"""Seconds after which a client that waits holds that it hangs."""

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
    tls: &tls {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
  - port: {number: $tls, name: tls, protocol: TLS}
    hosts: [a.example]
    bind: 127.0.0.1
    tls: *tls
---
"""
    + EVERY_HOST
    + """\
  - match: [{uri: {prefix: /delayed}}]
    fault: {delay: {fixedDelay: 0.01s, percentage: {value: 100}}}
    route: &web [{destination: {host: web.internal}}]
  - match: [{uri: {prefix: /mirrored}}]
    mirrors: [{destination: {host: mirror.internal}}]
    route: *web
  - match: [{uri: {prefix: /retried}}]
    retries: {attempts: 2, retryOn: "reset,connect-failure,5xx", backoff: 1ms}
    route: *web
  - match: [{uri: {prefix: /refused}}]
    retries: {attempts: 2, retryOn: connect-failure, backoff: 1ms}
    route: [{destination: {host: refused.internal}}]
  - match: [{uri: {prefix: /impatient}}]
    retries: {attempts: 1, perTryTimeout: 20ms, retryOn: reset, backoff: 1ms}
    route: *web
  - match: [{uri: {prefix: /late}}]
    timeout: 0.03s
    route: *web
  - match: [{uri: {prefix: /limited}}]
    route: [{destination: {host: limited.internal}}]
  - match: [{uri: {prefix: /named}}]
    route: [{destination: {host: named.internal}}]
  - match: [{uri: {prefix: /two}}]
    retries: {attempts: 1, retryOn: "reset,refused-stream", backoff: 1ms}
    route: [{destination: {host: two.internal}}]
  - route: *web
  tcp:
  - match: [{port: $tcp}]
    route: [{destination: {host: limited.internal}}]
  - match: [{port: $tls}]
    route: [{destination: {host: web.internal}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: limited}
spec:
  host: limited.internal
  trafficPolicy: {connectionPool: {tcp: {maxConnections: 1}}}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: named}
spec:
  hosts: [named.internal]
  resolution: DNS
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $backend}]
  endpoints: [{address: localhost}]
---
"""
    + static_service("web", "web.internal", "backend")
    + static_service("two", "two.internal", "two", protocol="HTTP2")
    + static_service("mirror", "mirror.internal", "backend")
    + static_service("limited", "limited.internal", "backend")
    + static_service("refused", "refused.internal", "nobody")
)

UPGRADE = b"connection: upgrade\r\nupgrade: raw\r\n"
HEAD = b"GET %b HTTP/1.1\r\nhost: a.example\r\n%b\r\n"
CLOSE = b"connection: close\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
PAUSES = 3
"""Of a client that reads slowly: so often it waits before it reads, while more comes than its window takes."""

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n"
LARGE = 300_000
MANY = 3_000_000
POST = b"POST %%b HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (
    LARGE,
    bytes(LARGE),
)
UPPER = ("edgegate.http.", "edgegate.tcp.", "edgegate.upstream.")
"""What is above C{net} and serves connections."""


class Injected(Exception):
    """An error of ours."""


class Backend:
    """
    Answers by path: C{/slow} when it is told to, C{/silent} never, C{/drops} not at first, others at once.

    @ivar port: Where it listens.
    @ivar go: Lets C{/slow} be answered.
    """

    def __init__(self) -> None:
        self.go = threading.Event()
        self._drops = 0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._server.close()
        self.go.set()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            held = b""
            while True:
                while b"\r\n\r\n" not in held:
                    data = connection.recv(65536)
                    if not data:
                        return
                    held += data
                head, _, held = held.partition(b"\r\n\r\n")
                left = LARGE - len(held) if head.startswith(b"POST") else 0
                while left > 0:
                    left -= len(connection.recv(65536))
                    held = b""
                if not self._answer(connection, head.split(b" ")[1]):
                    return

    def _answer(self, connection: socket.socket, path: bytes) -> bool:
        """Answer; return whether the connection goes on."""
        if path.endswith(b"/silent"):
            connection.recv(1)
            return False
        if path.endswith(b"/drops"):
            self._drops += 1
            if self._drops % 2:
                return False
        if path.endswith(b"/slow"):
            self.go.wait(PATIENCE)
        if path.endswith(b"/switch"):
            connection.sendall(SWITCHED)
            while data := connection.recv(65536):
                connection.sendall(data)
            return False
        if path.endswith(b"/large"):
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (LARGE, bytes(LARGE)))
        elif path.endswith(b"/many"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + bytes(MANY))
            return False
        else:
            connection.sendall(OK)
        return True


class HTTP2Backend(Backend):
    """
    Answers over HTTP/2: C{/silent} never, C{/reset} and C{/refused} by RST_STREAM, C{/leave} by GOAWAY, others at once.
    """

    def _serve(self, connection: socket.socket) -> None:
        server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        server.initiate_connection()
        paths: dict[int, str] = {}
        left: dict[int, int] = {}
        with connection, contextlib.suppress(OSError, ProtocolError):
            while True:
                connection.sendall(server.data_to_send())
                data = b"" if "/two/leave" in paths.values() else connection.recv(65536)
                if not data:
                    return
                for event in server.receive_data(data):
                    number = getattr(event, "stream_id", 0)
                    if isinstance(event, RequestReceived):
                        paths[number] = dict(event.headers or ())[":path"]
                    elif isinstance(event, DataReceived):
                        server.acknowledge_received_data(event.flow_controlled_length or 0, number)
                    elif isinstance(event, StreamEnded):
                        self._respond(server, number, paths[number], left)
                    elif isinstance(event, StreamReset):
                        left.pop(number, None)
                    if isinstance(event, StreamEnded | WindowUpdated):
                        self._go_on(server, left)

    def _respond(self, server: H2Connection, number: int, path: str, left: dict[int, int]) -> None:
        if path.endswith("/reset"):
            server.reset_stream(number, ErrorCodes.INTERNAL_ERROR)
        elif path.endswith("/refused"):
            server.reset_stream(number, ErrorCodes.REFUSED_STREAM)
        elif path.endswith("/leave"):
            server.close_connection()
        elif not path.endswith("/silent"):
            server.send_headers(number, [(":status", "103")])
            server.send_headers(number, [(":status", "200")])
            left[number] = LARGE if path.endswith("/large") else 2

    def _go_on(self, server: H2Connection, left: dict[int, int]) -> None:
        """Send what there is room for of bodies that are not whole, and trailers behind them."""
        for number, size in list(left.items()):
            rest = size
            while room := min(rest, server.local_flow_control_window(number), server.max_outbound_frame_size):
                server.send_data(number, bytes(room))
                rest -= room
            left[number] = rest
            if not rest:
                del left[number]
                server.send_headers(number, [("sum", "7")], end_stream=True)


class Told:
    """
    Writes down what ended, and what began before.

    @ivar requests: Those that ended.
    @ivar relays: Those that ended.
    @ivar began: What was told to have begun.
    @ivar ended: What was told to have ended, in the same words.
    @ivar tried: Requests and which try of theirs it was.
    """

    def __init__(self) -> None:
        self.requests: list[Exchange] = []
        self.relays: list[RelayEnd] = []
        self.began: list[tuple[str, object]] = []
        self.ended: list[tuple[str, object]] = []
        self.tried: list[tuple[int, int]] = []

    def request_began(self, exchange: Ended) -> None:
        """A request began."""
        self.began.append(("request", id(exchange)))

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        assert isinstance(exchange, Exchange)
        self.requests.append(exchange)
        self.ended.append(("request", id(exchange)))

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """A try has come to something, or nothing."""
        self.tried.append((id(tried.exchange), tried.number))

    def relay_began(self, connection: Connection) -> None:
        """A relay began."""
        self.began.append(("relay", connection.peer))

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        self.relays.append(relay)
        self.ended.append(("relay", relay.connection.peer))

    def connection_began(self, connection: Connection) -> None:
        """A connection of HTTP began."""
        self.began.append(("connection", connection.peer))

    def connection_ended(self, connection: Connection) -> None:
        """A connection of HTTP ended."""
        self.ended.append(("connection", connection.peer))


class Faults:
    """
    Sees the functions that are called in this thread, and has one of them raise, once.

    @ivar where: That one.
    @ivar sites: The functions that were seen to be entered by, and those that these called.
    @ivar begun: How many exchanges began.
    @ivar raised: Whether the error was raised.
    """

    def __init__(self, where: CodeType | None = None) -> None:
        self.sites: dict[CodeType, None] = {}
        self.begun = 0
        self.raised = False
        self.where = where

    def __enter__(self) -> Faults:
        self._before = sys.getprofile()
        globalLogPublisher.addObserver(self._logged)
        sys.setprofile(self._called)
        return self

    def __exit__(self, *args: object) -> None:
        sys.setprofile(self._before)
        globalLogPublisher.removeObserver(self._logged)

    def _called(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code is Exchange.__init__.__code__:
            self.begun += 1
        if self.where is None:
            if _is_site(frame):
                self.sites[code] = None
        elif code is self.where and not self.raised:
            self.raised = True
            raise Injected(_name(code))

    def _logged(self, event: LogEvent) -> None:
        # what raises is no longer told of calls; whoever catches it logs it at once
        if self.raised:
            sys.setprofile(self._called)


def _is_site(frame: FrameType) -> bool:
    """Whether a function is one of the upper parts, called from elsewhere or by one that is."""
    if not _upper(frame) or frame.f_code.co_name.startswith("<"):
        return False
    for _ in range(2):
        caller = frame.f_back
        if caller is None or not _upper(caller):
            return True
        frame = caller
    return False


def _upload(client: H2Connection, left: dict[int, int]) -> None:
    """Send what there is room for of bodies that are not whole."""
    for number, size in left.items():
        rest = size
        while rest:
            room = min(rest, client.local_flow_control_window(number), client.max_outbound_frame_size)
            if room <= 0:
                break
            rest -= room
            client.send_data(number, bytes(room), end_stream=not rest)
        left[number] = rest


def _active(plane: DataPlane) -> int:
    """Return how many requests and relays are under way at backends."""
    return sum(endpoint.active for cluster in plane.clusters for endpoint in cluster.endpoints)


def _upper(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(UPPER)


def _name(code: CodeType) -> str:
    if code.co_filename == "<string>":
        return f"what a dataclass has, with {code.co_varnames}"
    return f"{Path(code.co_filename).stem}.{code.co_qualname if sys.version_info >= (3, 11) else code.co_name}"


class ContainmentTests(TestCase):
    """Errors everywhere."""

    if compiled():
        skip = "calls of compiled functions are not seen"

    timeout = 300

    def setUp(self) -> None:
        """Serve all kinds of routes on all kinds of ports, and have a client that waits for its answer."""
        self.backend = Backend()
        self.addCleanup(self.backend.close)
        self.two = HTTP2Backend()
        self.addCleanup(self.two.close)
        nobody = socket.socket()
        nobody.bind(("127.0.0.1", 0))
        self.addCleanup(nobody.close)
        self.ports = dict(zip(("http", "https", "tcp", "tls"), free_ports(4), strict=True))
        folder = Path(self.mktemp())
        folder.mkdir()
        fill(folder / "certs", ["a.example"])
        ports = {**self.ports, "backend": self.backend.port, "two": self.two.port, "nobody": nobody.getsockname()[1]}
        (folder / "all.yaml").write_text(filled(FILES, **ports))
        loaded = Configuration(source_named(str(folder))).load()
        assert loaded.snapshot is not None, loaded.problems
        self.snapshot, self.endpoints, self.secrets = loaded.snapshot, loaded.endpoints, loaded.secrets
        self.told = Told()

    @contextlib.contextmanager
    def serving(self) -> Iterator[DataPlane]:
        """Serve from scratch: what an error leaves behind is nothing to the next one."""
        self.told = Told()
        plane = DataPlane(reactor, [self.told])  # type: ignore[arg-type]
        plane.install(self.snapshot, plane.contexts(self.snapshot, read=self.secrets), self.endpoints)
        try:
            yield plane
        finally:
            plane.withdraw()
            plane.abort()
            plane.stop()

    @contextlib.contextmanager
    def connect(self, kind: str, alpn: str = "") -> Iterator[socket.socket]:
        """Connect to a port."""
        with socket.create_connection(("127.0.0.1", self.ports[kind]), PATIENCE) as connection:
            if kind not in ("https", "tls"):
                yield connection
                return
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            if alpn:
                context.set_alpn_protocols([alpn])
            with context.wrap_socket(connection, server_hostname="a.example") as secure:
                yield secure

    def talk(self, kind: str, *said: bytes, slowly: bool = False) -> bytes:
        """Say something, piece by piece, and return all that is answered until the end, whatever that is like."""
        answer = b""
        try:
            with self.connect(kind) as connection:
                for number, piece in enumerate(said):
                    connection.sendall(piece)
                    if number < len(said) - 1:
                        answer += connection.recv(65536)
                        if b"upgrade" in piece and not answer.startswith(SWITCHED[:12]):
                            return answer
                if slowly:
                    # the rest does not fit into the kernel's buffers
                    threading.Event().wait(0.05)
                if kind in ("tcp", "tls") or answer.startswith(SWITCHED[:12]):
                    return answer + connection.recv(65536)
                while data := connection.recv(65536):
                    answer += data
        except TimeoutError:
            raise AssertionError(f"a client hangs: {answer[:200]!r}") from None
        except OSError:
            pass
        return answer

    def talk2(self, kind: str, *requests: tuple[bytes, int], slowly: bool = False) -> None:
        """
        Ask for several things over one connection of HTTP/2, and read until all are answered, reset, or the end.

        @param requests: A path, and how many bytes to send.
        """
        client = H2Connection(H2Configuration(client_side=True))
        client.initiate_connection()
        left: dict[int, int] = {}
        for path, size in requests:
            number = client.get_next_available_stream_id()
            head = [(":method", "POST" if size else "GET"), (":scheme", kind), (":authority", "a.example")]
            if path.endswith(b"/switch"):
                head[:1] = [(":method", "CONNECT"), (":protocol", "raw")]
            client.send_headers(number, [*head, (":path", path.decode("ascii"))], end_stream=not size)
            left[number] = size
        waiting = set(left)
        try:
            with self.connect(kind, "h2") as connection:
                pauses = PAUSES if slowly else 0
                while waiting:
                    _upload(client, left)
                    connection.sendall(client.data_to_send())
                    if pauses:
                        pauses -= 1
                        threading.Event().wait(0.05)
                    data = connection.recv(65536)
                    for event in client.receive_data(data) if data else [ConnectionTerminated()]:
                        if isinstance(event, ConnectionTerminated):
                            return
                        if isinstance(event, DataReceived) and event.flow_controlled_length:
                            client.acknowledge_received_data(event.flow_controlled_length, event.stream_id or 0)
                        if isinstance(event, StreamEnded | StreamReset):
                            waiting.discard(event.stream_id or 0)
                            left.pop(event.stream_id or 0, None)
        except TimeoutError:
            raise AssertionError(f"a client hangs: {waiting}") from None
        except OSError:
            pass

    def both(self, *requests: bytes) -> None:
        """Ask on several connections at one time."""
        with ThreadPoolExecutor(len(requests)) as clients:
            list(clients.map(lambda request: self.talk("http", request), requests))

    # ------------------------------------------------------------------------------------------------------------------

    async def sweep(self, scenario: Callable[[], object]) -> None:
        """Run a scenario once for each place where it may fail, with an error there."""
        faults = Faults()
        await self.run_with(faults, scenario)
        self.assertGreater(len(faults.sites), 10)
        reached = 0
        for code in faults.sites:
            faults = Faults(code)
            try:
                await self.run_with(faults, scenario)
            except Exception as error:
                raise AssertionError(f"after an error in {_name(code)}: {error}") from error
            reached += faults.raised
            self.assertEqual(len(self.flushLoggedErrors(Injected)), faults.raised, _name(code))
        self.assertGreater(reached, len(faults.sites) / 2)

    async def run_with(self, faults: Faults, scenario: Callable[[], object]) -> None:
        """Run a scenario beside a client that has its answer afterwards, and look at what is left."""
        self.backend.go.clear()
        with self.serving() as plane:
            bystander = deferToThread(self.talk, "http", HEAD % (b"/slow", CLOSE))
            await until(lambda: _active(plane) == 1)
            with faults:
                await deferToThread(scenario)
                await until(lambda: plane.connections == 1)
            self.backend.go.set()
            answer = await bystander
            if faults.where is not HTTP1UpstreamConnection.end_tunnel.__code__:
                # all that it is there for is to count
                await until(lambda: _active(plane) == 0)
        await until(lambda: not any(isinstance(each, Poller) for each in reactor.getReaders()))  # type: ignore[attr-defined]
        self.assertEqual((answer[:15], answer[-2:]), (b"HTTP/1.1 200 OK", b"ok"), "the bystander suffers")
        ended = [id(exchange) for exchange in self.told.requests]
        self.assertEqual(len(ended), len(set(ended)), "an exchange ended twice")
        self.assertEqual(len(ended), faults.begun + 1, "an exchange did not end, or ended twice")
        relays = [id(relay) for relay in self.told.relays]
        self.assertEqual(len(relays), len(set(relays)), "a relay ended twice")
        self.assertEqual(len(self.told.tried), len(set(self.told.tried)), "a try was told of twice")
        self.assertTrue(self.told.tried)
        if faults.where not in _TELLING:
            began, over = (sorted(map(str, each)) for each in (self.told.began, self.told.ended))
            self.assertEqual(began, over, "what began did not end, or ended twice")

    # ------------------------------------------------------------------------------------------------------------------

    async def test_requests(self) -> None:
        """Requests one after the other, and pipelined."""
        await self.sweep(lambda: self.talk("http", HEAD % (b"/", b""), HEAD % (b"/", b"") + HEAD % (b"/", CLOSE)))

    async def test_http2_backend(self) -> None:
        """Requests side by side to a backend of HTTP/2, some with bodies."""
        paths = (b"/two", b"/two/large", b"/two/reset", b"/two/refused", b"/two/leave")
        posts = [POST % path for path in paths[:2]]
        await self.sweep(lambda: self.both(*(HEAD % (path, CLOSE) for path in paths), *posts))

    async def test_client_that_leaves_http2(self) -> None:
        """A client that does not wait for one, and one that reads slowly."""

        def leave() -> None:
            with contextlib.suppress(OSError), self.connect("http") as connection:
                connection.sendall(HEAD % (b"/two/silent", b""))
                threading.Event().wait(0.02)
            self.talk("http", HEAD % (b"/two/large", CLOSE), slowly=True)

        await self.sweep(leave)

    async def test_client_that_leaves(self) -> None:
        """A client that does not wait."""

        def leave() -> None:
            with contextlib.suppress(OSError), self.connect("http") as connection:
                connection.sendall(HEAD % (b"/silent", b""))
                threading.Event().wait(0.02)

        await self.sweep(leave)

    async def test_bodies(self) -> None:
        """Large bodies to backends and to clients, in the clear and inside TLS."""
        await self.sweep(
            lambda: [
                self.talk(kind, what) for kind in ("http", "https") for what in (POST % b"/", HEAD % (b"/large", CLOSE))
            ]
        )

    async def test_http2(self) -> None:
        """Requests side by side over HTTP/2, some with bodies, in the clear and inside TLS."""
        await self.sweep(
            lambda: [
                self.talk2(
                    kind, (b"/", 0), (b"/up", LARGE), (b"/large", 0), (b"/retried/drops", 0), (b"/late/silent", 0)
                )
                for kind in ("http", "https")
            ]
        )

    async def test_tunnels_of_http2(self) -> None:
        """Tunnels after extended CONNECT, beside a request."""
        await self.sweep(lambda: self.talk2("http", (b"/switch", 5), (b"/", 0)))

    async def test_slow_reader_of_http2(self) -> None:
        """A client of HTTP/2 that does not read at once, and one that leaves."""

        def read() -> None:
            self.talk2("http", (b"/many", 0), slowly=True)
            with contextlib.suppress(OSError), self.connect("http") as connection:
                client = H2Connection()
                client.initiate_connection()
                fields = [(":method", "GET"), (":scheme", "http"), (":authority", "a.example"), (":path", "/silent")]
                client.send_headers(1, fields, end_stream=True)
                connection.sendall(client.data_to_send())
                threading.Event().wait(0.02)

        await self.sweep(read)

    async def test_slow_reader(self) -> None:
        """A client that does not read at once."""
        await self.sweep(lambda: self.talk("http", HEAD % (b"/many", CLOSE), slowly=True))

    async def test_filters(self) -> None:
        """Delays and copies."""
        await self.sweep(
            lambda: (self.talk("http", HEAD % (b"/delayed", CLOSE)), self.talk("http", HEAD % (b"/mirrored", CLOSE)))
        )

    async def test_tries(self) -> None:
        """Backends that close, and connects that fail, in several tries."""
        await self.sweep(lambda: [self.talk("http", HEAD % (path, CLOSE)) for path in (b"/retried/drops", b"/refused")])

    async def test_times(self) -> None:
        """Times that pass: of one try, and of a whole request."""
        await self.sweep(
            lambda: [self.talk("http", HEAD % (path, CLOSE)) for path in (b"/impatient/silent", b"/late/silent")]
        )

    async def test_limits(self) -> None:
        """Requests that wait for each other's connection, which is kept or is not."""
        await self.sweep(
            lambda: (
                self.both(*[HEAD % (b"/limited", CLOSE)] * 3),
                self.both(*[HEAD % (b"/limited/many", CLOSE)] * 2),
            )
        )

    async def test_names(self) -> None:
        """A backend whose name is to be found first."""

        def ask() -> bytes:
            return self.talk("http", HEAD % (b"/named", CLOSE))

        await self.sweep(ask)

    async def test_tunnels(self) -> None:
        """Tunnels after a 101, spliced and copied."""
        await self.sweep(
            lambda: [self.talk(kind, HEAD % (b"/switch", UPGRADE), b"hello") for kind in ("http", "https")]
        )

    async def test_relays(self) -> None:
        """Relays of TCP, spliced and copied."""
        await self.sweep(lambda: [self.talk(kind, HEAD % (b"/", b"")) for kind in ("tcp", "tls")])
