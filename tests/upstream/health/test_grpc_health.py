"""Tests of L{edgegate.upstream.health.grpc_health}; the other side is h2's own server."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.health.grpc_health import HealthCheck, NotServing, question, response_of

SERVING = b"\0\0\0\0\2\x08\1"


class MessageTests(SynchronousTestCase):
    """Messages by hand."""

    def test_question(self) -> None:
        """The name of a service, framed."""
        self.assertEqual(question(""), b"\0\0\0\0\0")
        self.assertEqual(question("shop"), b"\0\0\0\0\6\n\4shop")
        self.assertEqual(question("s" * 200)[:8], b"\0\0\0\0\xcb\n\xc8\1")

    def test_answer(self) -> None:
        """The status, which is 0 where nothing is said."""
        self.assertEqual(
            [response_of(SERVING), response_of(b"\0\0\0\0\0"), response_of(b"\0\0\0\0\2\x08\2")], [1, 0, 2]
        )

    @given(st.binary(max_size=12))
    def test_anything(self, body: bytes) -> None:
        """Whatever comes is a status or refused."""
        try:
            self.assertTrue(0 <= response_of(body) < 256)
        except NotServing:
            pass


class CheckTests(SynchronousTestCase):
    """A question and its answer."""

    def setUp(self) -> None:
        self.transport = StringTransport()
        self.check = HealthCheck("shop")
        self.check.makeConnection(self.transport)
        self.server = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.server.initiate_connection()
        self.events = self.server.receive_data(self.transport.value())

    def answer(
        self, fields: list[tuple[str, str]], body: bytes = b"", trailers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.server.send_headers(1, fields, end_stream=not trailers)
        if trailers:
            self.server.send_data(1, body)
            self.server.send_headers(1, trailers, end_stream=True)
        for number in range(0, len(data := self.server.data_to_send()), 7):
            if not self.transport.disconnecting:
                self.check.dataReceived(data[number : number + 7])

    def failure(self) -> str:
        return str(self.failureResultOf(self.check.result, NotServing).value)

    def test_question(self) -> None:
        """A server understands what it is asked."""
        (request,) = [event for event in self.events if isinstance(event, RequestReceived)]
        fields = dict(request.headers)
        self.assertEqual(fields[":path"], "/grpc.health.v1.Health/Check")
        (data,) = [event for event in self.events if isinstance(event, DataReceived)]
        self.assertEqual(data.data, question("shop"))
        self.assertTrue(any(isinstance(event, StreamEnded) for event in self.events))

    def test_serving(self) -> None:
        """It serves."""
        self.answer([(":status", "200"), ("content-type", "application/grpc")], SERVING, (("grpc-status", "0"),))
        self.successResultOf(self.check.result)

    def test_not_serving(self) -> None:
        """Anything else is no health, and says what it is."""
        self.answer([(":status", "200")], b"\0\0\0\0\2\x08\2", (("grpc-status", "0"),))
        self.assertEqual(self.failure(), "it answers NOT_SERVING")

    def test_unknown_service(self) -> None:
        """A service that the server does not know is not healthy."""
        self.answer([(":status", "200"), ("grpc-status", "5")])
        self.assertEqual(self.failure(), "it answers gRPC status 5")

    def test_status(self) -> None:
        """A server that knows no gRPC is not healthy."""
        self.answer([(":status", "404")])
        self.assertEqual(self.failure(), "it answers 404")

    def test_no_http2(self) -> None:
        """Nor is one that speaks something else."""
        self.check.dataReceived(bytes(64))
        self.assertEqual(self.failure(), "it does not speak HTTP/2")

    def test_too_long(self) -> None:
        """An answer without an end is not read to the end."""
        self.answer([(":status", "200")], bytes(5000), (("grpc-status", "0"),))
        self.assertEqual(self.failure(), "its answer is too long")

    def test_broken_off(self) -> None:
        """A connection that ends early is a failure, once."""
        self.check.connectionLost(Failure(ConnectionDone()))
        self.check.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(self.failure(), "it closed the connection")

    def test_reset(self) -> None:
        """So is a call that is reset."""
        self.server.reset_stream(1)
        self.check.dataReceived(self.server.data_to_send())
        self.assertEqual(self.failure(), "it broke the call off")

    def test_cancelled(self) -> None:
        """Who does not want to wait any more closes the connection."""
        result: Deferred[None] = self.check.result
        result.cancel()
        self.assertTrue(self.transport.disconnecting or self.transport.aborting)
        self.failureResultOf(result)
