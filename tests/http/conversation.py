"""
A client, the gateway and backends without a socket: what one side sends, the other sees, in the same turn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from ipaddress import ip_network
from random import Random
from typing import Any, cast

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from edgegate.errors import Fault
from edgegate.http.connector import HTTPConnector
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.explained_response import Explainer
from edgegate.http.filters.interfaces import IHTTPFilterFactory
from edgegate.http.gateway import HTTPGateway
from edgegate.http.h1.downstream_connection import HTTP1DownstreamConnection
from edgegate.http.interfaces import Dispatcher
from edgegate.http.limits import Limits
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, PoolLimits
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.model.tls import ServerTLS
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.client_counts import ClientCounts
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.wheel import TimerWheel
from edgegate.observe.observers import Observers
from edgegate.overload.limits import NO_LIMIT
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, VirtualHost
from edgegate.upstream.registry import ClusterRegistry

MIRROR = TCPAddress("10.0.1.1", 80)
ORIGIN = Origin("coolstore.yaml", 1, "VirtualService default/coolstore")
TICK = 0.5


class FakeStream:
    """
    A stream whose other side is the test.

    @ivar turn: Gets what is to be called at the end of the turn; L{None}: every call is a turn of its own.
    """

    local = TCPAddress("10.0.0.254", 40000)
    peer = TCPAddress("10.0.0.1", 80)
    detachable = False
    disconnecting = False
    acknowledged = 0  # what the other side has read, as far as its system says
    buffered = 0
    unread = False  # whether something has come that was not delivered yet
    key: Hashable = None
    client: Hashable = None
    secured: Any = None

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = 0
        self.protocol: Any = None
        self.producer: Any = None
        self.writes: list[bytes] = []
        self.later: list[Callable[[], None]] = []  # what was put off
        self.reading = True
        self.ended = ""  # how our side ended it
        self.over = False
        self.turn: list[Callable[[], None]] | None = None

    def start(self, protocol: Any) -> None:
        self.protocol = protocol
        protocol.makeConnection(self)

    def switch(self, protocol: Any) -> None:
        self.protocol = protocol

    @property
    def disconnected(self) -> bool:
        return self.over

    # what a protocol does with its transport

    def write(self, data: bytes) -> None:
        assert isinstance(data, bytes)
        if not self.ended and not self.over:
            self.writes.append(data)
            self.bytes_out += len(data)

    def writeSequence(self, pieces: list[bytes]) -> None:
        self.write(b"".join(pieces))

    def run_to(self, sink: Any, count: int, moved: Callable[[int], None]) -> bool:
        return False

    def at_turn_end(self, call: Callable[[], None]) -> None:
        if self.turn is None:
            call()
        else:
            self.turn.append(call)

    def put_off(self, call: Callable[[], None], whose: object) -> None:
        """Call it when the test lets the next turn begin."""
        self.later.append(call)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.reading = False

    def resumeProducing(self) -> None:
        self.reading = True

    def loseConnection(self) -> None:
        if self.ended != "aborted":
            self.ended = "closed"

    def loseWriteConnection(self) -> None:
        self.ended = self.ended or "half-closed"

    def doWrite(self) -> None:
        """Nothing waits to be written."""

    def abortConnection(self) -> None:
        self.ended = "aborted"

    # what the other side does

    @property
    def sent(self) -> bytes:
        return b"".join(self.writes)

    def take(self) -> bytes:
        """Return what was sent since the last time."""
        sent = self.sent
        self.writes.clear()
        return sent

    def deliver(self, data: bytes) -> None:
        assert not self.over
        self.bytes_in += len(data)
        self.protocol.dataReceived(data)

    def half_close(self) -> None:
        """The other side says no more."""
        self.protocol.readConnectionLost()

    def finish(self, error: type[Exception] = ConnectionDone) -> None:
        """The connection ends; by our side's doing where it ended it."""
        if not self.over:
            self.over = True
            self.protocol.connectionLost(Failure(error()))

    def settle(self) -> None:
        """Let the end that our side asked for happen."""
        if self.ended in ("closed", "aborted"):
            self.finish(ConnectionDone if self.ended == "closed" else ConnectionAborted)

    def reset(self) -> None:
        self.finish(ConnectionLost)


class Connect:
    """A connect that was asked for."""

    def __init__(
        self,
        address: Address,
        timeout: float,
        connected: Callable[[Any], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None = None,
    ) -> None:
        self.options = options
        self.address = address
        self.timeout = timeout
        self.cancelled = False
        self.pending = True
        self._failed = failed
        self._connected = connected

    def cancel(self) -> None:
        self.cancelled = True
        self.pending = False

    def failed(self, fault: Fault) -> None:
        assert self.pending
        self.pending = False
        self._failed(fault)

    def accept(self) -> FakeStream:
        assert self.pending
        self.pending = False
        stream = FakeStream()
        if self.options is not None:
            stream.key = self.options.key
        self._connected(stream)
        return stream


class Conversation:
    """
    One gateway with the hosts C{web.example} (backends 10.0.0.1 to 3 port 80 at C{/}), C{slow.example} (a timeout of 5
    seconds), C{moved.example} (redirected to https), C{void.example} (a route to no cluster).

    Where routes are given, C{web.example} has these; besides the cluster C{web} there is C{mirror} with one endpoint,
    10.0.1.1 port 80.
    """

    def __init__(
        self,
        *routes: HTTPRoute,
        endpoints: int = 1,
        limits: Limits | None = None,
        hops: int = 0,
        seed: int = 1,
        filters: tuple[IHTTPFilterFactory, ...] = (),
        pool: PoolLimits = PoolLimits(),  # noqa: B008 (frozen)
        observers: tuple[Any, ...] = (),
        debug_from: str = "",
        **cluster: Any,
    ) -> None:
        """
        @param seed: Of what draws shares and waits.
        @param filters: Of embedders, before those of edgegate's own.
        @param observers: Are told besides the conversation.
        @param debug_from: A network of clients that may ask which way their requests took.
        @param pool: The limits of the cluster; C{cluster} are further fields of it.
        """
        self._downstream = routed(*routes) if routes else plain()
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, TICK)
        self.clusters = ClusterRegistry(cast(Any, None), self.wheel, Random(seed))
        members = tuple(Endpoint(TCPAddress(f"10.0.0.{n + 1}", 80)) for n in range(endpoints))
        mirror = (Endpoint(MIRROR),)
        self.clusters.update(
            {
                "web": Cluster("web", Discovery.STATIC, ORIGIN, 2.0, limits=pool, **cluster),
                "mirror": Cluster("mirror", Discovery.STATIC, ORIGIN, 2.0),
            },
            {"web": members, "mirror": mirror},
        )
        self.connects: list[Connect] = []
        self.ended: list[Exchange] = []
        self.environment = HTTPEnvironment(
            HTTPConnector(cast(Any, self._connect), self.wheel, limits or Limits()),
            self.wheel,
            self.clusters,
            Observers([self, *observers]),
            hops,
            limits or Limits(),
        )
        explainer = Explainer((ip_network(debug_from),), hops) if debug_from else None
        self.gateway = HTTPGateway(self.environment, filters=filters, explainer=explainer)

    def _connect(self, *args: Any) -> Connect:
        self.connects.append(Connect(*args))
        return self.connects[-1]

    def request_ended(self, exchange: Exchange) -> None:
        self.ended.append(exchange)

    def advance(self, seconds: float) -> None:
        """Let time pass, a tick at a time."""
        self.clock.pump([TICK] * int(seconds / TICK + 2))

    def client(self, downstream: ConnectionInfo | None = None) -> FakeStream:
        """A client connects."""
        stream = FakeStream()
        stream.start(self.gateway.connection(downstream or self._downstream))
        return stream

    def client_of(self, dispatcher: Dispatcher) -> FakeStream:
        """A client connects, whom somebody else answers."""
        stream = FakeStream()
        stream.start(HTTP1DownstreamConnection(self._downstream, self.environment, self.gateway.heads, dispatcher))
        return stream

    def ask(self, request: bytes) -> FakeStream:
        """A client connects and sends something."""
        client = self.client()
        client.deliver(request)
        return client

    def asked(self, request: bytes) -> bytes:
        """Return what a backend gets that is sent a request on a new connection, without what differs each time."""
        self.ask(request)
        return without_ids(self.backend().sent)

    def retry(self) -> None:
        """Let the wait before the next try pass."""
        self.clock.advance(1.0)

    def backend(self) -> FakeStream:
        """The last connect succeeds."""
        return self.connects[-1].accept()

    def connect_to(self, address: Address) -> Connect:
        """Return the last connect to an address."""
        return [connect for connect in self.connects if connect.address == address][-1]

    @property
    def left(self) -> dict[str, object]:
        """What is left of requests: all empty or zero, when there are none and the time of old deadlines has passed."""
        endpoints = [endpoint for cluster in self.clusters for endpoint in cluster.endpoints]
        return {
            "shadows": set(self.environment.shadows),
            "active": sum(endpoint.active for endpoint in endpoints),
            "calls": [call for call in self.clock.getDelayedCalls() if not _of_a_wheel(call)],
            "connects": [connect for connect in self.connects if connect.pending],
            "requests": self._downstream.counts.requests,
        }


NOTHING_LEFT: dict[str, object] = {"shadows": set(), "active": 0, "calls": [], "connects": [], "requests": 0}


def _of_a_wheel(call: Any) -> bool:
    return isinstance(getattr(call.func, "__self__", None), TimerWheel)


def without_ids(sent: bytes) -> bytes:
    """Return a head with C{ID} in place of random request ids."""
    return re.sub(rb"(?<=x-request-id: )[0-9a-f-]{36}", b"ID", sent)


def connection_of(stream: FakeStream) -> HTTP1DownstreamConnection:
    """Return the connection at the gateway's end."""
    return cast(HTTP1DownstreamConnection, stream.protocol)


def hosts(*names: str) -> HostTable[VirtualHost]:
    """Make a route table of hosts with one route each."""
    return HostTable((name, host(name)) for name in names)


def host(name: str, timeout: float | None = None, cluster: str = "web") -> VirtualHost:
    """Make a virtual host with one route."""
    return VirtualHost(name, (HTTPRoute("r", ORIGIN, (WeightedCluster(cluster, 1),), timeout=timeout),))


def to_web(**what: Any) -> HTTPRoute:
    """
    Make a route to the cluster C{web} that does something.

    @param what: Fields of the route; C{request} and C{response} are changes that its destination makes.
    """
    changes = {side: what.pop(side) for side in ("request", "response") if side in what}
    return HTTPRoute("r", ORIGIN, (WeightedCluster("web", 1, **changes),), **what)


def routed(*routes: HTTPRoute, name: str = "web.example", port: int = 80, grpc_web: bool = False) -> ConnectionInfo:
    """Make a client's connection in the clear to a gateway that has these routes for a host."""
    return _in_the_clear(HostTable([(name, VirtualHost(name, routes))]), port, grpc_web)


def plain() -> ConnectionInfo:
    """Make a client's connection in the clear."""
    table = HostTable(
        [
            ("web.example", host("web.example")),
            ("slow.example", host("slow.example", 5.0)),
            ("void.example", host("void.example", cluster="void")),
            ("moved.example", VirtualHost("moved.example", redirect_port=443)),
            ("moved-far.example", VirtualHost("moved-far.example", redirect_port=8443)),
        ]
    )
    return _in_the_clear(table, 80)


def _in_the_clear(table: HostTable[VirtualHost], port: int, grpc_web: bool = False) -> ConnectionInfo:
    chain = FilterChain("http", ORIGIN, http=table, grpc_web=grpc_web)
    listener = Listener("http", TCPAddress("::", 8080), port, ORIGIN, plain=chain)
    peer, local = TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8080)
    return ConnectionInfo(listener, chain, peer, local, counts=ClientCounts(peer.host, NO_LIMIT))


def secure(chains: dict[str, FilterChain], name: str) -> ConnectionInfo:
    """Make a client's connection whose SNI name chose a chain."""
    listener = Listener("https", TCPAddress("::", 8443), 443, ORIGIN, secure=HostTable(chains.items()))
    peer, local = TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8443)
    return ConnectionInfo(listener, chains[name], peer, local, server_name=name, tls=True)


def https_chain(name: str, tls: ServerTLS) -> FilterChain:
    """Make the filter chain of one HTTPS server."""
    return FilterChain(name, ORIGIN, (name,), tls, hosts(name))
