"""Tunnels on streams of HTTP/2, to HTTP/1 backends: the package h2 is the client."""

from __future__ import annotations

import re
from math import inf
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, DURATION_EXCEEDED, STREAM_IDLE, UPSTREAM_CUT_SHORT
from edgegate.http.exchange import Exchange
from edgegate.http.h2.errors import CONNECT_ERROR
from edgegate.http.overdue import Overdue
from edgegate.http.upgrade import accept
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream
from tests.http.h2.clients import HTTP2Client

CONNECT = (
    (b":method", b"CONNECT"),
    (b":protocol", b"websocket"),
    (b"sec-websocket-version", b"13"),
)


class TunnelTests(SynchronousTestCase):
    """WebSocket by extended CONNECT (RFC 8441)."""

    def setUp(self) -> None:
        """Connect."""
        self.talk = Conversation()
        self.client = HTTP2Client(self.talk)

    def ask(self) -> int:
        """Ask for a tunnel."""
        return self.client.head(b"/chat", b"CONNECT", False, *CONNECT)

    def switched(self) -> tuple[int, FakeStream]:
        """Ask for a tunnel, and let the backend agree."""
        number = self.ask()
        backend = self.talk.backend()
        sent = backend.take()
        self.assertTrue(sent.startswith(b"GET /chat HTTP/1.1\r\nhost: web.example\r\n"), sent)
        self.assertIn(b"\r\nconnection: upgrade\r\nupgrade: websocket\r\n", sent)
        key = re.search(rb"\r\nsec-websocket-key: ([^\r]+)\r\n", sent)
        assert key is not None
        backend.deliver(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-accept: %b\r\nsec-websocket-protocol: chat\r\n\r\nhello" % accept(key[1])
        )
        return number, backend

    def ended(self) -> Exchange:
        """Return the only request, which has ended."""
        self.assertEqual(self.talk.left, NOTHING_LEFT)
        (exchange,) = self.talk.ended
        return exchange

    def test_offered(self) -> None:
        """The settings say that it may be asked for."""
        self.assertTrue(self.client.h2.remote_settings.enable_connect_protocol)

    def test_lasts(self) -> None:
        """A tunnel may take any time; a request for one may not."""
        agreed, _ = self.switched()
        asked = self.ask()
        (connection,) = self.talk.environment.connections
        connection.end_overdue(Overdue(monotonic() + 61.0, 60.0, inf))
        self.assertEqual([self.client.answer(number).status for number in (agreed, asked)], [b"200", b"504"])
        self.assertEqual([exchange.fault for exchange in self.talk.ended], [DURATION_EXCEEDED])

    def test_both_ways(self) -> None:
        """What each side says the other one gets, until both have ended."""
        number, backend = self.switched()
        answer = self.client.answer(number)
        fields = dict(answer.fields)
        self.assertEqual(
            (answer.status, answer.body, fields.get(b"sec-websocket-protocol")), (b"200", b"hello", b"chat")
        )
        self.assertNotIn(b"sec-websocket-accept", fields)
        self.client.body(number, b"ping")
        backend.deliver(b"pong")
        self.assertEqual((backend.take(), self.client.answer(number).body), (b"ping", b"hellopong"))
        self.client.body(number, b"bye", True)
        self.assertEqual((backend.take(), backend.ended), (b"bye", "half-closed"))
        backend.half_close()
        self.assertTrue(self.client.answer(number).ended)
        backend.finish()
        exchange = self.ended()
        self.assertEqual((exchange.fault, exchange.received, exchange.sent, exchange.status), (None, 7, 9, 101))
        self.assertEqual(self.client.stream.protocol.streams, {})

    def test_early(self) -> None:
        """What the client sends before the backend has agreed is the first of the tunnel."""
        number = self.ask()
        self.client.body(number, b"early")
        backend = self.talk.backend()
        sent = backend.take()
        self.assertTrue(sent.endswith(b"\r\n\r\n"), sent)
        key = re.search(rb"\r\nsec-websocket-key: ([^\r]+)\r\n", sent)
        assert key is not None
        backend.deliver(
            b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-accept: %b\r\n\r\n" % accept(key[1])
        )
        self.assertEqual(backend.take(), b"early")

    def test_refused(self) -> None:
        """A backend that does not agree has its answer passed on, and the stream ends with it."""
        number = self.ask()
        self.client.body(number, b"early")
        self.talk.backend().deliver(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        answer = self.client.answer(number)
        self.assertEqual((answer.status, answer.body, answer.ended), (b"403", b"no", True))
        self.assertEqual((self.ended().status, self.client.stream.protocol.streams), (403, {}))

    def test_client_resets(self) -> None:
        """A client that resets its stream ends the backend's connection, and no other."""
        number, backend = self.switched()
        self.client.reset(number)
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual((self.ended().fault, self.client.goaways), (CLIENT_GONE, []))

    def test_client_goes(self) -> None:
        """So does one that goes."""
        _, backend = self.switched()
        self.client.stream.finish()
        self.assertEqual((backend.ended, self.ended().fault), ("aborted", CLIENT_GONE))

    def test_backend_goes(self) -> None:
        """A backend that is cut off has the stream reset."""
        number, backend = self.switched()
        backend.reset()
        self.assertEqual((self.client.answer(number).code, self.client.goaways), (CONNECT_ERROR, []))
        self.assertEqual(self.ended().fault, UPSTREAM_CUT_SHORT)

    def test_idle(self) -> None:
        """A tunnel without a byte for five minutes ends."""
        number, backend = self.switched()
        self.talk.advance(200)
        backend.deliver(b"x")
        self.talk.advance(200)
        self.assertEqual(backend.ended, "")
        self.talk.advance(180)
        self.assertEqual((backend.ended, self.client.answer(number).code), ("aborted", CONNECT_ERROR))
        self.assertEqual(self.ended().fault, STREAM_IDLE)

    def test_back_pressure(self) -> None:
        """Who does not read stops the other side, both ways."""
        number, backend = self.switched()
        self.client.reads = False
        self.client.read()
        sent = 0
        while backend.reading and sent < 400000:
            backend.deliver(bytes(10000))
            sent += 10000
        self.assertLess(sent, 65535 + 2 * 65536)
        self.client.h2.increment_flow_control_window(1 << 20)
        self.client.h2.increment_flow_control_window(1 << 20, number)
        self.client.send()
        self.assertTrue(backend.reading)
        backend.producer.pauseProducing()
        for _ in range(4):
            self.client.body(number, bytes(16000))
        self.assertLess(self.client.h2.local_flow_control_window(number), 2000)
        backend.producer.resumeProducing()
        self.client.read()
        self.assertGreater(self.client.h2.local_flow_control_window(number), 60000)
