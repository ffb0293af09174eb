"""An open port of which the test sees what becomes of each connection."""

from __future__ import annotations

import socket
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.downstream.dispatch import Dispatch
from edgegate.downstream.listener import DownstreamListener
from edgegate.downstream.listener_filter import Serving
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.model.tls import TLSRules
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RejectedConnection
from edgegate.observe.observers import Observers
from edgegate.overload.connections import ConnectionCounts
from edgegate.overload.limits import OverloadLimits
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.sni import ContextMap
from tests.net.pairs import Recorder
from tests.tls.handshakes import naming, secrets, server_tls

HERE = Origin("shop.yaml", 5, "Gateway default/gw")
BIND = TCPAddress("127.0.0.1", 0)
PLAIN = FilterChain("http.80", HERE, ("*",), http=HostTable())
TCP = FilterChain("tcp.80", HERE, ("*",), tcp=())
SECURE = FilterChain("https.443", HERE, ("a.example",), naming(server_tls()), HostTable())
RULES = TLSRules(ciphers=("ECDHE-ECDSA-AES128-GCM-SHA256",))
STRICT = FilterChain("https.443.strict", HERE, ("b.example",), naming(server_tls(rules=RULES)), HostTable())
PASSED = FilterChain("tls.443", HERE, ("c.example",), tcp=())
SNI = HostTable([("a.example", SECURE), ("b.example", STRICT), ("c.example", PASSED)])


def listener(plain: FilterChain | None = PLAIN, secure: HostTable[FilterChain] | None = None) -> Listener:
    """Return a listener."""
    return Listener(str(BIND), BIND, 443, HERE, plain, secure or HostTable())


class RecordingChannel(Recorder):
    """An HTTP connection."""

    retired = False

    def retire(self) -> None:
        """Remember it."""
        self.retired = True


class RecordingHTTP:
    """Makes connections of HTTP that write down what they hear."""

    def __init__(self) -> None:
        self.connections: list[tuple[ConnectionInfo, RecordingChannel]] = []

    def connection(self, downstream: ConnectionInfo) -> RecordingChannel:
        """Make one."""
        self.connections.append((downstream, RecordingChannel()))
        return self.connections[-1][1]


class RecordingTCP(Dispatch):
    """Takes sockets that are to be relayed, and leaves HTTP to another."""

    def __init__(self, http: RecordingHTTP) -> None:
        super().__init__(cast(Any, http), cast(Any, None))
        self.sockets: list[tuple[ConnectionInfo, socket.socket]] = []

    def relay_socket(self, downstream: ConnectionInfo, sock: socket.socket) -> None:
        """Take one."""
        self.sockets.append((downstream, sock))


class RecordingObserver:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.taken = self.refused = 0
        self.rejected: list[RejectedConnection] = []

    def connection_taken(self) -> None:
        """One more."""
        self.taken += 1

    def connection_refused(self) -> None:
        """One too many."""
        self.refused += 1

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """One that came to nothing."""
        self.rejected.append(rejected)


class ArrivingCase(TestCase):
    """Tests of a port that is open."""

    def setUp(self) -> None:
        """Make the parts behind the port."""
        self.clock = Clock()
        self.http = RecordingHTTP()
        self.tcp = RecordingTCP(self.http)
        self.observer = RecordingObserver()
        self.limits = OverloadLimits()

    def open(self, served: Listener, proxy_protocol: ProxyProtocolRules | None = None) -> DownstreamListener:
        """Open the port."""
        limits = self.limits.settled(1000)
        assert limits.handshakes is not None
        self.ended: list[tuple[object, object]] = []

        def end_idle(count: int, port: object, client: object) -> int:
            self.ended.append((port, client))
            return 0

        counts = ConnectionCounts(limits, self.clock, end_idle)
        self.addCleanup(counts.stop)
        parts: Any = (self.tcp, Observers([self.observer]))
        self.port = DownstreamListener(
            reactor,
            TimerWheel(self.clock, 0.5),
            Serving(served, ContextMap(served, secrets())),
            *parts,
            counts,
            proxy_protocol or ProxyProtocolRules(),
            handshakes=limits.handshakes,
        )
        self.port.bind()
        self.port.accept()
        self.addCleanup(self.clean)
        return self.port

    def clean(self) -> None:
        """Close everything."""
        self.port.close()
        self.port.abort()
        for _, connection in self.http.connections:
            if connection.transport is not None:
                connection.transport.abortConnection()
        for _, sock in self.tcp.sockets:
            sock.close()

    def connect(self) -> socket.socket:
        """Connect to it."""
        local = self.port.local
        assert isinstance(local, TCPAddress)
        sock = socket.create_connection((local.host, local.port), 10)
        self.addCleanup(sock.close)
        return sock
