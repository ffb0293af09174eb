"""Tests of L{edgegate.http.connector}."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.connector import HTTPConnector
from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.h2.upstream_connection import HTTP2UpstreamConnection
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import PoolLimits
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from tests.http.conversation import FakeStream
from tests.upstream.members import member


class HTTPConnectorTests(SynchronousTestCase):
    """Who makes connections to backends."""

    def setUp(self) -> None:
        """Keep what is connected to."""
        self.asked: list[tuple[Any, ...]] = []
        self.connector = HTTPConnector(self.connect, TimerWheel(Clock(), 0.5), Limits())

    def connect(self, *asked: Any) -> Any:
        """Stand for a connect."""
        self.asked.append(asked)

    def test_connect(self) -> None:
        """It connects as it was told to."""
        address = TCPAddress("10.0.0.1", 80)
        self.connector.connect(address, 2.0, cast(Any, "connected"), cast(Any, "failed"), None)
        self.assertEqual(self.asked, [(address, 2.0, "connected", "failed", None)])

    def test_stream(self) -> None:
        """A connection speaks HTTP/1 from its start on."""
        connection, endpoint = FakeStream(), member(1)
        stream = self.connector.stream(cast(Any, connection), endpoint, None)
        assert isinstance(stream, HTTP1UpstreamConnection)
        self.assertIs(connection.protocol, stream)
        self.assertEqual((stream.endpoint, stream.local), (endpoint, connection.local))

    def test_share(self) -> None:
        """One that is to be shared speaks HTTP/2, unless its backend has chosen HTTP/1.1."""
        for alpn in (None, b"h2", b""):
            connection, endpoint = FakeStream(), member(1)
            connection.secured = None if alpn is None else SimpleNamespace(get_alpn_proto_negotiated=lambda a=alpn: a)
            shared = self.connector.share(cast(Any, connection), endpoint, None)
            assert isinstance(shared, HTTP2UpstreamConnection)
            self.assertIs(connection.protocol, shared)
        connection = FakeStream()
        connection.secured = SimpleNamespace(get_alpn_proto_negotiated=lambda: b"http/1.1")
        self.assertIsNone(self.connector.share(cast(Any, connection), member(1), None))
        self.assertIsNone(connection.protocol)

    def test_broken(self) -> None:
        """One that can't be started is counted by whoever wanted it."""

        class Broken(FakeStream):
            def start(self, protocol: Any) -> None:
                self.protocol = protocol
                raise ZeroDivisionError

        for make in (self.connector.stream, self.connector.share):
            connection, counted = Broken(), CircuitBreaker(PoolLimits(connections=1))
            counted.connect()
            self.assertRaises(ZeroDivisionError, make, cast(Any, connection), member(1), counted)
            connection.finish()
            self.assertEqual(counted.connections, 1)
