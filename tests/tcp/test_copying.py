from __future__ import annotations

from random import Random
from typing import Any, cast

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IReactorFDSet
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.errors import CLIENT_GONE, CONNECT_REFUSED, NO_ROUTE, STREAM_IDLE, UPSTREAM_CUT_SHORT, Fault
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.origin import Origin
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.observe.observers import Observers
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.stream_pair import CLOSE_TIMEOUT
from edgegate.upstream.registry import ClusterRegistry, EndpointState
from tests.tcp.test_dial import FakeConnecting
from tests.tcp.test_routes import downstream, route
from tests.upstream.resolving import ResolvingReactor

ECHO = TCPAddress("10.0.0.1", 2701)


class FakeStream:
    """A stream that writes down what it is told."""

    local = TCPAddress("10.0.0.254", 40000)
    disconnecting = False

    def __init__(self) -> None:
        self.client = object()
        self.told: list[str] = []
        self.written = b""
        self.producer: object | None = None
        self.protocol: Protocol | None = None

    def start(self, protocol: IProtocol, read: bool = True) -> None:
        self.protocol = cast(Protocol, protocol)
        protocol.makeConnection(self)  # type: ignore[arg-type]

    def switch(self, protocol: IProtocol) -> None:
        self.protocol = cast(Protocol, protocol)

    def write(self, data: bytes) -> None:
        self.written += data

    def registerProducer(self, producer: object, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def loseConnection(self) -> None:
        self.told.append("close")

    def loseWriteConnection(self) -> None:
        self.told.append("finish")

    def abortConnection(self) -> None:
        self.told.append("abort")

    def lose(self, reason: Exception) -> None:
        """End as a network would end it."""
        assert self.protocol is not None
        self.protocol.connectionLost(Failure(reason))

    def finish(self) -> None:
        """End the reading as a peer would."""
        cast(IHalfCloseableProtocol, self.protocol).readConnectionLost()

    def receive(self, data: bytes) -> None:
        """Read."""
        assert self.protocol is not None
        self.protocol.dataReceived(data)


class FakeObserver:
    """Writes down how relays ended."""

    def __init__(self) -> None:
        self.ends: list[tuple[object, Fault | None, object | None, int, int]] = []

    def relay_ended(self, relay: RelayEnd) -> None:
        self.ends.append((relay.connection, relay.fault, relay.upstream, relay.sent, relay.received))


class UnconnectedGateway(TCPGateway):
    """A gateway whose connects are decided by the test."""

    def __init__(self, clock: Clock, observer: FakeObserver, idle_timeout: float) -> None:
        wheel = TimerWheel(clock, 0.5)
        clusters = ClusterRegistry(ResolvingReactor(), wheel, Random(1))
        super().__init__(cast(IReactorFDSet, None), wheel, clusters, Observers([observer]), idle_timeout)
        self.tries: list[FakeConnecting] = []

    def connect(self, *asked: Any, **options: Any) -> Connecting:
        self.tries.append(FakeConnecting(*asked, **options))
        return cast(Connecting, self.tries[-1])


class RelayProtocolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.observer = FakeObserver()
        self.gateway = UnconnectedGateway(self.clock, self.observer, 600.0)
        origin = Origin("echo.yaml", 1, "ServiceEntry default/echo")
        cluster = Cluster("echo", Discovery.STATIC, origin)
        self.gateway.clusters.update({"echo": cluster}, {"echo": (Endpoint(ECHO),)})
        self.down = FakeStream()
        self.up = FakeStream()
        self.client = downstream(route("echo"))

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def accept(self, client: ConnectionInfo | None = None) -> RelayProtocol:
        protocol = RelayProtocol(client or self.client, self.gateway)
        self.down.start(protocol)
        return protocol

    def relay(self) -> RelayProtocol:
        protocol = self.accept()
        self.gateway.tries[0].connected(cast(Stream, self.up))
        self.down.told.clear()
        self.up.told.clear()
        return protocol

    def endpoint(self) -> EndpointState:
        state = self.gateway.clusters.get("echo")
        assert state is not None
        return state.endpoints[0]

    def end(self, fault: Fault | None, sent: int = 0, received: int = 0, upstream: Address | None = ECHO) -> None:
        """Check that the relay ended once, in this way, and left nothing behind."""
        self.assertEqual(self.observer.ends, [(self.client, fault, upstream, sent, received)])
        self.assertEqual(self.gateway.relays, set())
        self.assertEqual(self.endpoint().active, 0)
        # the wheel turns until it has come to where the last deadline lay
        self.advance(700)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_interfaces(self) -> None:
        """Both protocols are told of half-closes."""
        self.assertTrue(verifyObject(IHalfCloseableProtocol, self.relay()))
        self.assertTrue(verifyObject(IHalfCloseableProtocol, self.up.protocol))

    def test_not_read_before_connected(self) -> None:
        """A client is not read before its backend is connected, so that it is held back by the kernel."""
        self.accept()
        self.assertEqual(self.down.told, ["pause"])
        self.gateway.tries[0].connected(cast(Stream, self.up))
        self.assertEqual(self.down.told, ["pause", "resume"])
        self.assertEqual(self.endpoint().active, 1)

    def test_back_pressure(self) -> None:
        """Each side is the other's producer, so that who does not take stops who sends."""
        self.relay()
        self.assertIs(self.down.producer, self.up)
        self.assertIs(self.up.producer, self.down)

    def test_copy(self) -> None:
        """Bytes go both ways, half-closes too, and each is counted where it came from."""
        self.relay()
        self.down.receive(b"ping")
        self.up.receive(b"pong!")
        self.assertEqual((self.up.written, self.down.written), (b"ping", b"pong!"))
        self.down.finish()
        self.assertEqual((self.up.told, self.down.told), (["finish"], []))
        self.up.receive(b"more")
        self.up.finish()
        self.assertEqual((self.up.told, self.down.told), (["finish", "close"], ["close"]))
        self.up.lose(ConnectionDone())
        self.assertEqual(self.observer.ends, [])
        self.down.lose(ConnectionDone())
        self.end(None, sent=9, received=4)

    def test_client_reset(self) -> None:
        """A client's reset is passed on as a reset."""
        self.relay()
        self.down.lose(ConnectionLost())
        self.assertEqual(self.up.told, ["abort"])
        self.up.lose(ConnectionDone())
        self.end(CLIENT_GONE)

    def test_backend_reset(self) -> None:
        """A backend that breaks off, or cuts TLS off, never looks like one that has sent all."""
        self.relay()
        self.up.receive(b"half")
        self.up.lose(ConnectionLost())
        self.assertEqual(self.down.told, ["abort"])
        self.down.lose(ConnectionLost())
        self.end(UPSTREAM_CUT_SHORT, sent=4)

    def test_no_route(self) -> None:
        """A client whom no route takes is closed, and nothing is connected."""
        self.client = downstream()
        self.accept()
        self.assertEqual((self.down.told, self.gateway.tries), (["pause", "close"], []))
        self.down.lose(ConnectionDone())
        self.end(NO_ROUTE, upstream=None)

    def test_refused(self) -> None:
        """A client whose backend cannot be reached is closed in good order."""
        self.accept()
        self.gateway.tries[0].failed(CONNECT_REFUSED)
        self.assertEqual(self.down.told, ["pause", "close"])
        self.down.lose(ConnectionDone())
        self.end(CONNECT_REFUSED, upstream=None)

    def test_refused_client_lingers(self) -> None:
        """A closed client that does not go is reset after a while."""
        self.accept()
        self.gateway.tries[0].failed(CONNECT_REFUSED)
        self.advance(CLOSE_TIMEOUT + 1)
        self.assertEqual(self.down.told, ["pause", "close", "abort"])
        self.down.lose(ConnectionLost())
        self.end(CONNECT_REFUSED, upstream=None)

    def test_client_goes_while_connecting(self) -> None:
        """When the client goes, the connect is given up."""
        self.accept()
        self.down.lose(ConnectionLost())
        self.assertTrue(self.gateway.tries[0].cancelled)
        self.end(CLIENT_GONE, upstream=None)

    def test_finished_while_connecting(self) -> None:
        """A client's end that is told before the backend is there is passed on as soon as it is."""
        self.accept()
        self.down.finish()
        self.assertFalse(self.gateway.tries[0].cancelled)
        self.gateway.tries[0].connected(cast(Stream, self.up))
        self.assertEqual(self.up.told, ["resume", "finish"])

    def test_idle(self) -> None:
        """When no byte comes either way for the idle time, both are reset; any byte begins it anew."""
        self.relay()
        self.advance(500)
        self.down.receive(b"a")
        self.advance(500)
        self.up.receive(b"b")
        self.advance(599)
        self.assertEqual(self.observer.ends + self.up.told + self.down.told, [])
        self.advance(2)
        self.assertEqual((self.up.told, self.down.told), (["abort"], ["abort"]))
        self.up.lose(ConnectionLost())
        self.down.lose(ConnectionLost())
        self.end(STREAM_IDLE, sent=1, received=1)

    def test_close_takes_too_long(self) -> None:
        """A client that does not take the rest of what was sent to it is reset in the end."""
        self.relay()
        self.down.finish()
        self.up.finish()
        self.up.lose(ConnectionDone())
        self.advance(CLOSE_TIMEOUT + 1)
        self.assertEqual(self.down.told, ["close", "abort"])
        self.down.lose(ConnectionLost())
        self.end(STREAM_IDLE)

    def test_abort(self) -> None:
        """At the end of a drain what is left is reset, connected or not."""
        self.relay()
        other = FakeStream()
        other.start(RelayProtocol(downstream(route("echo")), self.gateway))
        self.gateway.abort_all()
        self.assertEqual((self.up.told, self.down.told, other.told), (["abort"], ["abort"], ["pause", "abort"]))
        self.assertTrue(self.gateway.tries[1].cancelled)
        other.lose(ConnectionLost())
        self.down.lose(ConnectionLost())
        self.up.lose(ConnectionLost())
        self.assertEqual([fault for _, fault, *_ in self.observer.ends], [None, None])
        self.assertEqual(self.gateway.relays, set())
