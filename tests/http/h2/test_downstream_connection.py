"""Conversations of HTTP/2 clients with the gateway, in front of HTTP/1 backends: the package h2 is the client."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    BODY_TOO_LARGE,
    CLIENT_BODY_TIMEOUT,
    CLIENT_GONE,
    CLIENT_OVERLOADS,
    DURATION_EXCEEDED,
    INTERNAL,
    OVERLOADED,
    Fault,
)
from edgegate.http.exchange import Exchange
from edgegate.http.h2.downstream_connection import HTTP2DownstreamConnection
from edgegate.http.h2.errors import (
    ENHANCE_YOUR_CALM,
    INTERNAL_ERROR,
    NO_ERROR,
    REFUSED_STREAM,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
)
from edgegate.http.h2.flow import CONNECTION_FULL, FULL
from edgegate.http.h2.frames import (
    DATA,
    INITIAL_WINDOW_SIZE,
    PREFACE,
    RST_STREAM,
    SETTINGS_ACK,
    frame,
    header_frames,
    settings_frame,
    window_update_frame,
)
from edgegate.http.h2.held_back import BEGUN, CROWDED_BEGUN, UNREAD
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.settings import STREAMS
from edgegate.http.interfaces import Dispatcher, IResource
from edgegate.http.limits import Limits
from edgegate.http.overdue import Overdue
from edgegate.model.tls import ServerTLS, TLSRules
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.client_counts import ClientCounts
from edgegate.overload.idle import UNASKED
from tests.http.conversation import (
    NOTHING_LEFT,
    Conversation,
    FakeStream,
    https_chain,
    plain,
    secure,
)
from tests.http.h2.clients import HTTP2Client

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


FIELDS = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"web.example"), (b":path", b"/")]
BLOCK = block_of(FIELDS)


def many(count: int, begin: int = 0) -> bytes:
    """Return requests on as many streams."""
    return b"".join(header_frames(2 * (begin + at) + 1, BLOCK, True) for at in range(count))


def next_turn(stream: FakeStream) -> int:
    """Let others have had their turn; return how much had been put off until then."""
    later, stream.later = stream.later, []
    for call in later:
        call()
    return len(later)


class ConversationTestCase(SynchronousTestCase):
    """Tests with one gateway and one client."""

    def setUp(self) -> None:
        """Connect."""
        self.talk = Conversation()
        self.client = HTTP2Client(self.talk)

    def ended(self, *, left: int = 0) -> list[Exchange]:
        """Return the requests that have ended; nothing is left of them."""
        self.assertEqual({**self.talk.left, "calls": []}, {**NOTHING_LEFT, "active": left})
        ended = self.talk.ended
        self.assertEqual(len({id(exchange) for exchange in ended}), len(ended))
        return ended


class RequestTests(ConversationTestCase):
    """Requests and responses."""

    def test_request(self) -> None:
        """A request goes to the backend by HTTP/1, and its response comes back; the log knows the version."""
        number = self.client.head(b"/a?b=c", b"GET", True, (b"x-a", b"1"), (b"cookie", b"a=1"), (b"cookie", b"b=2"))
        backend = self.talk.backend()
        sent = backend.take()
        self.assertTrue(sent.startswith(b"GET /a?b=c HTTP/1.1\r\nhost: web.example\r\n"), sent)
        self.assertIn(b"\r\nx-a: 1\r\n", sent)
        self.assertIn(b"\r\ncookie: a=1; b=2\r\n", sent)
        backend.deliver(OK)
        answer = self.client.answer(number)
        self.assertEqual((answer.status, answer.body, answer.ended), (b"200", b"hello", True))
        fields = dict(answer.fields)
        self.assertEqual((fields[b"content-length"], fields[b"server"]), (b"5", b"edgegate"))
        self.assertIn(b"date", fields)
        self.assertIn(b"x-envoy-upstream-service-time", fields)
        (exchange,) = self.ended()
        self.assertEqual((exchange.head.version, exchange.status, exchange.sent), ("2", 200, 5))

    def test_many_streams(self) -> None:
        """Requests go on side by side, and are answered in whatever order."""
        numbers = [self.client.head(b"/%d" % each) for each in range(100)]
        backends = [connect.accept() for connect in self.talk.connects]
        for backend in reversed(backends):
            backend.deliver(OK)
        self.assertEqual([self.client.answer(number).body for number in numbers], [b"hello"] * 100)
        self.assertEqual(len(self.ended()), 100)

    def test_trailers(self) -> None:
        """Trailers pass both ways."""
        number = self.client.head(b"/", b"POST", False, (b"te", b"trailers"))
        backend = self.talk.backend()
        self.client.body(number, b"abc")
        self.client.trailers(number, (b"x-sum", b"1"))
        sent = backend.take()
        self.assertIn(b"\r\nte: trailers\r\n", sent)
        self.assertTrue(sent.endswith(b"\r\n3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"), sent)
        backend.deliver(CHUNKED + b"2\r\nok\r\n0\r\nx-t: v\r\n\r\n")
        answer = self.client.answer(number)
        self.assertEqual((answer.body, answer.trailers, answer.ended), (b"ok", [(b"x-t", b"v")], True))

    def test_status_alone(self) -> None:
        """A status of gRPC without messages is one frame, also while the request is under way: else it is not found."""
        number = self.client.head(
            b"/", b"POST", False, (b":authority", b"no.example"), (b"content-type", b"application/grpc")
        )
        answer = self.client.answer(number)
        self.assertEqual((answer.status, dict(answer.fields)[b"grpc-status"], answer.alone), (b"200", b"12", True))
        self.assertEqual(answer.code, NO_ERROR)

    def test_bodiless(self) -> None:
        """HEAD, 204 and 304 have no body, and end with their head."""
        for method, reply in (
            (b"HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n"),
            (b"GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
            (b"GET", b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n"),
            (b"GET", b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ):
            talk = Conversation()
            client = HTTP2Client(talk)
            number = client.head(b"/", method)
            talk.backend().deliver(reply)
            answer = client.answer(number)
            self.assertEqual((answer.status, answer.body, answer.ended), (reply[9:12], b"", True))

    def test_interim(self) -> None:
        """Interim responses pass; the client is told to go on with its body once."""
        number = self.client.head(b"/", b"POST", False, (b"expect", b"100-continue"), (b"content-length", b"3"))
        backend = self.talk.backend()
        self.assertEqual(self.client.answer(number).interim, [b"100"])
        self.client.body(number, b"abc", True)
        backend.deliver(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + OK)
        answer = self.client.answer(number)
        self.assertEqual((answer.interim, answer.status, answer.ended), ([b"100", b"103"], b"200", True))

    def test_own_answers(self) -> None:
        """What the gateway answers itself, it answers here too."""
        for host, status in ((b"nowhere.example", b"404"), (b"moved.example", b"301"), (b"void.example", b"503")):
            number = self.client.head(b"/", b"GET", True, (b":authority", host))
            self.assertEqual((self.client.answer(number).status, self.client.answer(number).ended), (status, True))
        self.assertEqual(len(self.ended()), 3)

    def test_refused_head(self) -> None:
        """A head that HTTP/1 would refuse as well is answered, and the connection goes on."""
        number = self.client.head(b"/", b"GET", True, (b"expect", b"wonders"))
        self.assertEqual((self.client.answer(number).status, self.client.answer(number).ended), (b"417", True))
        self.assertEqual(self.ended()[0].head.version, "2")
        number = self.client.head()
        self.talk.backend().deliver(OK)
        self.assertEqual(self.client.answer(number).body, b"hello")

    def test_early_end(self) -> None:
        """A response that ends before its upload ends the upload too, without an error; the connection goes on."""
        number = self.client.head(b"/", b"POST", False)
        self.client.body(number, b"a" * 1000)
        self.talk.backend().deliver(OK)
        answer = self.client.answer(number)
        self.assertEqual((answer.status, answer.ended, answer.code), (b"200", True, NO_ERROR))
        number = self.client.head()
        self.talk.backend().deliver(OK)
        self.assertEqual(self.client.answer(number).body, b"hello")

    def test_end_that_comes_late(self) -> None:
        """A request whose last byte has come may end behind its response: some clients send the end by itself."""
        number = self.client.head(b"/", b"POST", False, (b"content-length", b"3"))
        self.client.body(number, b"abc")
        self.talk.backend().deliver(OK)
        answer = self.client.answer(number)
        self.assertEqual((answer.status, answer.ended, answer.code), (b"200", True, None))
        connection = self.client.stream.protocol
        self.assertEqual(list(connection.streams), [number])
        self.client.body(number, b"", True)
        self.assertEqual((list(connection.streams), self.client.goaways), ([], []))

    def test_cut(self) -> None:
        """A response that breaks off resets its stream, and no other one."""
        first, second = self.client.head(b"/1"), self.client.head(b"/2")
        one, two = (connect.accept() for connect in self.talk.connects)
        one.deliver(OK[:-2])
        one.finish()
        two.deliver(OK)
        self.assertEqual(self.client.answer(first).code, INTERNAL_ERROR)
        self.assertEqual((self.client.answer(second).body, self.client.goaways), (b"hello", []))
        self.assertEqual(len(self.ended()), 2)

    def test_client_resets(self) -> None:
        """A client that resets a stream ends its request, and no other one."""
        first, second = self.client.head(b"/1"), self.client.head(b"/2")
        one, two = (connect.accept() for connect in self.talk.connects)
        self.client.reset(first)
        self.assertEqual(one.ended, "aborted")
        two.deliver(OK)
        self.assertEqual(self.client.answer(second).body, b"hello")
        self.assertEqual([exchange.fault for exchange in self.ended()], [CLIENT_GONE, None])

    def test_client_goes(self) -> None:
        """A client that goes ends all of its requests."""
        self.client.head(b"/1")
        self.client.head(b"/2")
        self.client.stream.finish()
        self.assertEqual([exchange.fault for exchange in self.ended()], [CLIENT_GONE] * 2)
        self.assertEqual(self.talk.environment.connections, set())


class OverloadTests(SynchronousTestCase):
    """Requests that are too many, or too large."""

    def test_too_many_requests(self) -> None:
        """One request too many is refused with 503, whichever stream it is of."""
        talk = Conversation()
        talk.environment.most_requests = 1
        client = HTTP2Client(talk)
        client.head()
        number = client.head()
        answer = client.answer(number)
        self.assertEqual((answer.status, answer.body), (b"503", b"overloaded (OM)\n"))
        self.assertEqual([exchange.fault for exchange in talk.ended], [OVERLOADED])

    def test_too_many_of_a_client(self) -> None:
        """One request too many of a client is refused on whichever of its connections; no other client's is."""
        talk = Conversation()
        ours, others = (replace(plain(), counts=ClientCounts(client, 2)) for client in ("a", "b"))
        first, second, other = HTTP2Client(talk, ours), HTTP2Client(talk, ours), HTTP2Client(talk, others)
        first.head()
        first.reset(first.head())
        second.head()
        refused = second.answer(second.head())
        self.assertEqual((refused.status, refused.body), (b"503", b"too many requests of one client (OM)\n"))
        self.assertEqual(other.answer(other.head()).status, b"")
        self.assertEqual((ours.counts.requests, others.counts.requests), (2, 1))
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_GONE, CLIENT_OVERLOADS])
        first.stream.reset()
        second.stream.reset()
        self.assertEqual(ours.counts.requests, 0)

    def test_body_too_large(self) -> None:
        """A body that is too large is refused with 413, and nothing beyond the limit goes to the backend."""
        talk = Conversation(limits=Limits(body_bytes=9))
        client = HTTP2Client(talk)
        number = client.head(b"/", b"POST", False)
        client.body(number, b"123456789")
        backend = talk.backend()
        client.body(number, b"0")
        self.assertEqual(client.answer(number).status, b"413")
        self.assertEqual((backend.ended, client.stream.ended), ("aborted", ""))
        self.assertEqual([(exchange.fault, exchange.received) for exchange in talk.ended], [(BODY_TOO_LARGE, 9)])

    def test_last_request(self) -> None:
        """A connection asks its client to go elsewhere with the last request that it may carry."""
        talk = Conversation()
        talk.environment.connection_requests = 2
        client = HTTP2Client(talk)
        client.head()
        self.assertEqual(client.goaways, [])
        fields = [(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"web.example")]
        client.h2.send_headers(3, fields, end_stream=True)
        client.stream.deliver(client.h2.data_to_send())
        self.assertIn(frame(7, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0"), client.stream.sent)
        self.assertEqual((len(talk.connects), client.stream.ended), (2, ""))


class PrefaceTests(SynchronousTestCase):
    """How HTTP/2 is told from HTTP/1."""

    def test_cut_anywhere(self) -> None:
        """The preface is known in whatever pieces it comes."""
        data = PREFACE + settings_frame([])
        for at in range(1, len(data)):
            talk = Conversation()
            stream = talk.client()
            stream.deliver(data[:at])
            stream.deliver(data[at:])
            self.assertIsInstance(stream.protocol, HTTP2DownstreamConnection, at)
            self.assertIn(SETTINGS_ACK, stream.sent)
            self.assertEqual(talk.environment.connections, {stream.protocol})

    def test_behind_a_request(self) -> None:
        """Behind a request it is none, nor after HTTP/1 was agreed on."""
        talk = Conversation()
        stream = talk.client()
        stream.deliver(b"GET / HTTP/1.1\r\nhost: nowhere.example\r\n\r\n" + PREFACE)
        self.assertIn(b" 505 ", stream.sent)
        stream = talk.client(replace(plain(), alpn=b"http/1.1"))
        stream.deliver(PREFACE)
        self.assertIn(b" 505 ", stream.sent)

    def test_alpn(self) -> None:
        """Who has agreed on HTTP/2 must speak it."""
        talk = Conversation()
        stream = talk.client(replace(plain(), alpn=b"h2"))
        self.assertIsInstance(stream.protocol, HTTP2DownstreamConnection)
        stream.deliver(b"GET / HTTP/1.1\r\n\r\n")
        self.assertEqual(stream.ended, "half-closed")

    def test_retired(self) -> None:
        """A connection that was to end with its next response does so in HTTP/2 as well."""
        talk = Conversation()
        stream = talk.client()
        stream.protocol.retire()
        stream.deliver(PREFACE + settings_frame([]))
        connection = stream.protocol
        stream.take()
        connection.begin(1)
        self.assertIn(frame(7, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0"), stream.sent)


class FlowTests(ConversationTestCase):
    """Who does not keep up is waited for, and nobody else is."""

    def test_turns(self) -> None:
        """Of a hundred requests at once 16 are begun in a turn, and those that come meanwhile behind them."""
        stream = self.client.stream
        stream.deliver(many(90))
        self.assertEqual(len(self.talk.connects), BEGUN)
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, 2 * BEGUN))
        stream.deliver(many(100, begin=90))
        self.assertEqual(len(self.talk.connects), 2 * BEGUN)
        while next_turn(stream):
            pass
        self.assertEqual(len(self.talk.connects), 100)  # the others were refused: so many are under way
        self.assertEqual(self.talk.environment.http2_bytes.total, 0)

    def test_taken_back(self) -> None:
        """What a client takes back with its very next bytes is not begun, nor anything for which it closes its room."""
        stream = self.client.stream
        resets = b"".join(frame(RST_STREAM, 0, 2 * at + 1, bytes(4)) for at in range(20, 40))
        stream.deliver(many(60) + resets + settings_frame([(INITIAL_WINDOW_SIZE, 0)]))
        while next_turn(stream):
            pass
        self.assertEqual(len(self.talk.connects), BEGUN)
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 100)]))
        while next_turn(stream):
            pass
        self.assertEqual(len(self.talk.connects), 40)

    def test_refused(self) -> None:
        """Requests that are answered with a fault have their turns, too."""
        stream = self.client.stream
        refused = block_of([*FIELDS, (b"host", b"other.example")])
        stream.deliver(b"".join(header_frames(2 * at + 1, refused, True) for at in range(20)))
        self.assertEqual(len(self.talk.ended), BEGUN)
        self.assertEqual((next_turn(stream), len(self.talk.ended)), (1, 20))
        self.assertEqual({exchange.status for exchange in self.talk.ended}, {400})

    def test_more_than_is_read(self) -> None:
        """A client of whom more waits than is read in a turn is not read, until that is."""
        stream = self.client.stream
        stream.deliver(many(300))
        self.assertTrue(stream.reading)
        stream.deliver(many(1, begin=300))
        self.assertFalse(stream.reading)
        next_turn(stream)
        self.assertTrue(stream.reading)

    def test_crowded(self) -> None:
        """While more are ready than are called at once each begins fewer in its turn."""
        self.talk.environment.lag.crowded = True
        stream = self.client.stream
        stream.deliver(many(20))
        self.assertEqual(len(self.talk.connects), CROWDED_BEGUN)
        next_turn(stream)
        self.assertEqual(len(self.talk.connects), 2 * CROWDED_BEGUN)
        self.talk.environment.lag.crowded = False
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, 20))

    def test_turns_of_one_that_does_not_read(self) -> None:
        """Nothing more is begun for a client that does not read, until it does."""
        stream = self.client.stream
        stream.deliver(many(40))
        self.assertGreater(self.talk.environment.http2_bytes.total, 0)
        stream.producer.pauseProducing()
        self.assertEqual((next_turn(stream), len(self.talk.connects), stream.later), (1, 16, []))
        stream.producer.resumeProducing()
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, 32))
        # nor after the end
        stream.reset()
        self.assertEqual((next_turn(stream), stream.later, len(self.talk.ended)), (1, [], 32))

    def test_turns_and_time(self) -> None:
        """A client whose frames wait for their turn is not late with them."""
        stream = self.client.stream
        # of a client that says nothing but its preface before all its requests at once, and that ours are acknowledged
        block = block_of([*FIELDS[:3], (b":path", b"/" + b"x" * 7000)])
        large = b"".join(header_frames(number, block, True) for number in (1, 3, 5))
        stream.deliver(large + SETTINGS_ACK + frame(1, 4, 99, b"")[:5])
        self.talk.advance(25)
        self.assertEqual(stream.ended, "")
        self.client.read()
        self.assertEqual(self.client.goaways, [])
        next_turn(stream)
        self.talk.advance(11)
        self.client.read()
        self.assertEqual(self.client.goaways, [(ENHANCE_YOUR_CALM, 5)])

    def test_upload_that_nobody_reads(self) -> None:
        """A client is given no room for a body that the backend does not take, and the other streams have theirs."""
        number = self.client.head(b"/", b"POST", False)
        backend = self.talk.backend()
        backend.producer.pauseProducing()
        for _ in range(4):
            self.client.body(number, bytes(16000))
        self.assertLess(self.client.h2.local_flow_control_window(number), 2000)
        other = self.client.head(b"/2")
        self.talk.backend().deliver(OK)
        self.assertEqual(self.client.answer(other).body, b"hello")
        backend.producer.resumeProducing()
        self.client.read()
        self.assertGreater(self.client.h2.local_flow_control_window(number), 60000)
        self.client.body(number, b"", True)
        self.assertEqual(backend.sent.count(b"\0"), 64000)

    def test_client_that_does_not_read(self) -> None:
        """What a client has no room for waits with its stream, and its backend is read no more."""
        self.client.reads = False
        number = self.client.head()
        backend = self.talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 400000\r\n\r\n")
        sent = 0
        while backend.reading and sent < 400000:
            backend.deliver(bytes(10000))
            sent += 10000
        self.assertLess(sent, 65535 + 2 * FULL)
        self.client.reads = True
        answer = self.client.answer(number)
        self.client.h2.acknowledge_received_data(65535, number)
        self.client.send()
        self.client.h2.increment_flow_control_window(1 << 20)
        self.client.h2.increment_flow_control_window(1 << 20, number)
        self.client.send()
        self.assertTrue(backend.reading)
        while sent < 400000:
            backend.deliver(bytes(10000))
            sent += 10000
        self.client.read()
        self.assertEqual((len(answer.body), answer.ended), (400000, True))

    def test_client_that_reads_nothing_of_many(self) -> None:
        """What waits for a client with all of its streams is bounded, and one that it reads goes on all the same."""
        self.client.reads = False
        self.client.h2.increment_flow_control_window(1 << 24)
        numbers = [self.client.head() for _ in range(STREAMS)]
        backends = [connect.accept() for connect in self.talk.connects]
        sent = 0
        for backend in backends:
            backend.deliver(CHUNKED)
            while backend.reading:
                backend.deliver(b"2000\r\n" + bytes(8192) + b"\r\n")
                sent += 8192
        self.assertLessEqual(sent, CONNECTION_FULL + STREAMS * (65535 + 8192))
        self.assertEqual([each.reading for each in backends], [False] * STREAMS)
        self.client.h2.increment_flow_control_window(1 << 20, numbers[-1])
        self.client.send()
        self.assertTrue(backends[-1].reading)
        self.assertEqual([each.reading for each in backends].count(True), 1)

    def test_transport_that_is_full(self) -> None:
        """A transport that takes no more holds bodies back, and nothing is read of its client meanwhile."""
        number = self.client.head()
        backend = self.talk.backend()
        self.client.stream.producer.pauseProducing()
        self.assertFalse(self.client.stream.reading)
        backend.deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n" + bytes(60000))
        self.assertEqual(self.client.answer(number).body, b"")
        self.client.stream.producer.resumeProducing()
        self.assertTrue(self.client.stream.reading)
        answer = self.client.answer(number)
        self.assertEqual((len(answer.body), answer.ended), (60000, True))


class HeldBackTests(ConversationTestCase):
    """A client that has no room for what would answer it: see also the layer's own tests."""

    def ask(self, count: int) -> FakeStream:
        """Have it ask; return its stream."""
        stream = self.client.stream
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 0)]) + many(count))
        while next_turn(stream):
            pass
        return stream

    def test_backends(self) -> None:
        """Backends hear of few of its requests, of the others once it has room, some in each turn."""
        stream = self.ask(50)
        self.assertEqual(len(self.talk.connects), UNREAD)
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 1000)]))
        self.assertEqual(len(self.talk.connects), UNREAD)
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD + 16))
        while next_turn(stream):
            pass
        self.assertEqual(len(self.talk.connects), 50)

    def test_crowded(self) -> None:
        """While more are ready than are called at once fewer begin in each turn."""
        stream = self.ask(20)
        self.talk.environment.lag.crowded = True
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 1000)]))
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD + 2))

    def test_upload(self) -> None:
        """What came of its uploads leaves when they begin."""
        stream = self.ask(UNREAD)
        number = 2 * UNREAD + 1
        block = block_of([(b":method", b"POST"), *FIELDS[1:]])
        stream.deliver(header_frames(number, block, False) + frame(DATA, 0, number, b"abc"))
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 1000)]))
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD + 1))
        backend = self.talk.connects[-1].accept()
        sent = backend.take()
        self.assertTrue(sent.startswith(b"POST ") and sent.endswith(b"3\r\nabc\r\n"), sent)

    def test_end(self) -> None:
        """Where one of its requests ends another begins; nothing is left of those that never began."""
        stream = self.ask(20)
        stream.deliver(frame(RST_STREAM, 0, 1, bytes(4)))
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD + 1))
        stream.reset()
        next_turn(stream)
        self.assertEqual((len(self.talk.connects), len(self.ended())), (UNREAD + 1, UNREAD + 1))

    def test_does_not_read(self) -> None:
        """None begins for a client that does not even read what it is sent, until it does."""
        stream = self.ask(20)
        stream.producer.pauseProducing()
        self.client.stream.protocol.window_update_came(19, 100)
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD))
        stream.producer.resumeProducing()
        self.assertEqual((next_turn(stream), len(self.talk.connects)), (1, UNREAD + 1))

    def test_moved(self) -> None:
        """They are served by the files that are in force when they begin."""
        stream = self.ask(20)
        downstream = plain()
        self.client.stream.protocol.move(downstream)
        stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 1000)]))
        next_turn(stream)
        stream.reset()
        found = [exchange.connection is downstream for exchange in self.ended()]
        self.assertEqual(found, [False] * UNREAD + [True] * (20 - UNREAD))

    def test_refused(self) -> None:
        """After a minute in which none could begin they are refused, so that the client may ask elsewhere."""
        stream = self.ask(20)
        self.talk.advance(50)
        stream.deliver(frame(RST_STREAM, 0, 1, bytes(4)))
        next_turn(stream)
        self.talk.advance(50)
        self.assertEqual(len(self.client.stream.protocol.streams), 19)
        stream.take()
        self.talk.advance(12)
        refused = frame(RST_STREAM, 0, 39, REFUSED_STREAM.to_bytes(4, "big"))
        self.assertEqual((len(self.client.stream.protocol.streams), refused in stream.take()), (UNREAD, True))

    def test_refused_whatever_else_comes(self) -> None:
        """A client that says something now and then, but gives no room, does not have them wait longer."""
        stream = self.ask(20)
        for _ in range(6):
            self.talk.advance(10)
            stream.deliver(window_update_frame(0, 1))
            next_turn(stream)
        self.talk.advance(2)
        self.assertEqual(len(self.client.stream.protocol.streams), UNREAD)


class ContainmentTests(ConversationTestCase):
    """What fails ends its own stream."""

    def test_resource_that_fails(self) -> None:
        """An error of ours answers 500, beside a request that goes on."""

        class Failing(Dispatcher):
            def __init__(self, gateway: Dispatcher) -> None:
                self.gateway = gateway

            def resource_for(self, exchange: Exchange) -> IResource:
                if exchange.path == b"/fails":
                    raise ZeroDivisionError
                return self.gateway.resource_for(exchange)

        good = self.client.head(b"/good")
        connection = self.client.stream.protocol
        connection.dispatcher = Failing(self.talk.gateway)
        bad = self.client.head(b"/fails", b"POST", False)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.client.answer(bad).status, b"500")
        self.talk.backend().deliver(OK)
        self.assertEqual((self.client.answer(good).body, self.client.goaways), (b"hello", []))
        self.assertEqual([exchange.fault for exchange in self.ended()], [INTERNAL, None])


class TimeTests(SynchronousTestCase):
    """What takes too long."""

    def setUp(self) -> None:
        """Have a gateway."""
        self.talk = Conversation()

    def test_no_preface(self) -> None:
        """A client that says nothing after its handshake, or not its settings, is waited for as for a head."""
        for data in (b"", PREFACE[:10], PREFACE, PREFACE + settings_frame([])):
            stream = self.talk.client(replace(plain(), alpn=b"h2"))
            stream.deliver(data) if data else None
            self.talk.advance(9)
            self.assertEqual(stream.ended, "")
            self.talk.advance(2)
            self.assertEqual(stream.ended, "half-closed")
            self.assertEqual(stream.sent[-4:], SETTINGS_TIMEOUT.to_bytes(4, "big"))
            self.talk.advance(6)
            self.assertEqual(stream.ended, "aborted")

    def test_idle(self) -> None:
        """A connection without requests is kept for a while, whatever else comes on it."""
        client = HTTP2Client(self.talk)
        for _ in range(7):
            self.talk.advance(9)
            client.h2.ping(b"12345678")
            client.send()
        self.assertEqual(client.goaways, [])
        self.talk.advance(10)
        client.read()
        self.assertEqual((client.goaways, client.stream.ended), ([(NO_ERROR, 0)], "half-closed"))

    def test_head_that_drips(self) -> None:
        """A head that does not become whole ends the connection, however steadily it drips."""
        client = HTTP2Client(self.talk)
        block = frame(1, 4, 1, bytes(100))
        for at in range(21):
            if client.stream.ended:
                break
            client.stream.deliver(block[at : at + 1])
            self.talk.advance(1)
        client.read()
        self.assertEqual([code for code, _ in client.goaways], [ENHANCE_YOUR_CALM])

    def test_upload_that_stops(self) -> None:
        """An upload that stops is answered 408, and its stream ends alone."""
        client = HTTP2Client(self.talk)
        number = client.head(b"/", b"POST", False)
        client.body(number, b"a")
        self.talk.advance(50)
        other = client.head(b"/2")
        self.talk.advance(12)
        answer = client.answer(number)
        self.assertEqual((answer.status, answer.code), (b"408", NO_ERROR))
        self.assertEqual(self.talk.ended[0].fault, CLIENT_BODY_TIMEOUT)
        self.talk.backend().deliver(OK)
        self.assertEqual(client.answer(other).body, b"hello")

    def test_end_that_does_not_come(self) -> None:
        """A request whose end alone is missing is not waited for for ever."""
        client = HTTP2Client(self.talk)
        number = client.head(b"/", b"POST", False, (b"content-length", b"3"))
        client.body(number, b"abc")
        self.talk.backend().deliver(OK)
        self.talk.advance(74)
        self.assertEqual(client.answer(number).code, NO_ERROR)

    def test_request_that_lasts(self) -> None:
        """A request that takes too long in all ends, and no other; a response that has begun is cut off."""
        client = HTTP2Client(self.talk)
        numbers = [client.head(b"/%d" % each) for each in range(2)]
        self.talk.backend().deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1234")
        grpc = client.head(b"/3", b"POST", False, (b"content-type", b"application/grpc"))
        (connection,) = self.talk.environment.connections
        connection.end_overdue(Overdue(monotonic() + 61.0, 60.0, inf))
        asked, begun, call = (client.answer(number) for number in (*numbers, grpc))
        self.assertEqual((asked.status, asked.body), (b"504", b"request took too long (DT)\n"))
        self.assertEqual((begun.status, begun.code), (b"200", INTERNAL_ERROR))
        self.assertEqual((call.status, call.code, client.goaways), (b"", None, []))
        self.assertEqual([exchange.fault for exchange in self.talk.ended], [DURATION_EXCEEDED] * 2)

    def test_broken_end_of_a_request(self) -> None:
        """An error of ours in ending one ends that one."""

        class Broken(Overdue):
            def fault_of(self, exchange: Exchange) -> Fault | None:
                if exchange.path == b"/":
                    raise ZeroDivisionError
                return None

        client = HTTP2Client(self.talk)
        numbers = client.head(), client.head(b"/2")
        (connection,) = self.talk.environment.connections
        connection.end_overdue(Broken(0.0, 0.0, 0.0))
        self.assertEqual([client.answer(number).status for number in numbers], [b"500", b""])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_window_that_stays_shut(self) -> None:
        """Row 52: a client that gives no room for a response loses its stream."""
        client = HTTP2Client(self.talk, reads=False)
        number = client.head()
        self.talk.backend().deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + bytes(100000))
        client.h2.increment_flow_control_window(1 << 20)
        client.send()
        self.talk.advance(62)
        self.assertEqual(client.answer(number).code, INTERNAL_ERROR)
        self.assertEqual(client.goaways, [])

    def test_client_that_stops_reading(self) -> None:
        """A client that reads nothing of what it was sent is reset."""
        client = HTTP2Client(self.talk)
        client.head()
        client.stream.producer.pauseProducing()
        self.talk.advance(62)
        self.assertEqual(client.stream.ended, "aborted")


class EndTests(ConversationTestCase):
    """Drains."""

    def test_drain(self) -> None:
        """A drain takes what was on its way, answers what is under way, and ends."""
        number = self.client.head(b"/1")
        self.client.stream.protocol.drain()
        late = self.client.h2.get_next_available_stream_id()
        sent = self.client.stream.take()
        self.assertIn(frame(7, 0, 0, b"\x7f\xff\xff\xff\0\0\0\0"), sent)
        self.client.head(b"/2")
        self.client.stream.deliver(frame(6, 1, 0, b"draining"))
        self.assertIn(frame(7, 0, 0, late.to_bytes(4, "big") + bytes(4)), self.client.stream.take())
        self.assertEqual(self.client.stream.ended, "")
        for connect in self.talk.connects:
            connect.accept().deliver(OK)
        self.assertEqual([exchange.status for exchange in self.ended()], [200, 200])
        self.assertEqual(self.client.stream.ended, "half-closed")
        self.client.stream.finish()
        self.assertEqual(self.talk.environment.connections, set())
        self.assertEqual(number, 1)

    def test_client_that_does_not_answer(self) -> None:
        """A client that answers no PING is waited for as long as for a head."""
        self.client.stream.protocol.drain()
        self.client.stream.take()
        self.talk.advance(11)
        self.assertEqual(self.client.stream.ended, "half-closed")

    def test_abort(self) -> None:
        """The end of a drain resets who has a request under way, and tells the others to go."""
        idle: FakeStream = HTTP2Client(self.talk).stream
        self.client.head()
        self.talk.gateway.abort()
        self.assertEqual((self.client.stream.ended, idle.ended), ("aborted", "closed"))

    def test_gives_way(self) -> None:
        """A connection without streams gives way behind a GOAWAY; a new one has a while, one with a stream as long."""
        kept, unread, leaving = (HTTP2Client(self.talk) for _ in range(3))
        for client in (kept, unread, leaving):
            client.head(b"/", b"GET", True, (b":authority", b"nowhere.example"))
            client.read()
        fresh = HTTP2Client(self.talk)
        self.client.head()
        unread.stream.unread = True
        leaving.stream.deliver(frame(7, 0, 0, bytes(8)))
        clients = [each.stream for each in (kept, self.client, unread, leaving, fresh)]
        now = self.talk.clock.seconds()
        idle = [client.protocol.idle_since() <= now for client in clients]
        self.assertEqual(idle, [True, False, True, False, False])
        fresh.stream.deliver(b"\0\0")
        self.assertGreater(fresh.stream.protocol.idle_since(), now)
        self.talk.advance(UNASKED)
        now = self.talk.clock.seconds()
        idle = [client.protocol.idle_since() <= now for client in clients]
        self.assertEqual(idle, [True, False, True, True, True])
        ending = [client.protocol.give_way() for client in clients]
        self.assertEqual(ending, [True, False, False, True, True])
        self.assertEqual([client.ended for client in clients], ["closed", "", "", "closed", "closed"])
        kept.read()
        self.assertEqual([code for code, _ in kept.goaways], [0])

    def test_client_leaves(self) -> None:
        """A client that has sent GOAWAY has its answers, and is let go."""
        number = self.client.head()
        self.client.stream.deliver(frame(7, 0, 0, bytes(8)))
        self.assertEqual(self.client.stream.ended, "")
        self.talk.backend().deliver(OK)
        self.assertEqual((self.client.answer(number).body, self.client.stream.ended), (b"hello", "half-closed"))

    def test_error_in_the_layer(self) -> None:
        """An error of ours that belongs to no stream ends the connection, and each request once."""
        self.client.head()
        connection = self.client.stream.protocol
        connection.streams[1].connection = connection
        connection.broke()
        self.assertEqual(self.client.stream.ended, "aborted")
        self.client.stream.settle()
        self.assertEqual([exchange.fault for exchange in self.ended()], [INTERNAL])

    def test_closed_stream(self) -> None:
        """DATA for a stream that is over ends the connection with the right code."""
        self.client.head(b"/", b"GET", True, (b":authority", b"nowhere.example"))
        self.client.stream.deliver(frame(0, 0, 1, b"x"))
        self.client.read()
        self.assertEqual([code for code, _ in self.client.goaways], [STREAM_CLOSED])


class ThreatTests(ConversationTestCase):
    """Floods that reach backends: each ends its connection, and leaves nothing behind."""

    def flooded(self) -> int:
        """Return how many requests there were; the connection has ended with the right code."""
        sent = self.client.stream.take()
        self.assertEqual(sent[-17:-8], frame(7, 0, 0, bytes(8))[:9])
        self.assertEqual(int.from_bytes(sent[-4:], "big"), ENHANCE_YOUR_CALM)
        self.assertEqual(self.client.stream.ended, "half-closed")
        return len(self.ended())

    def begin(self, number: int) -> bytes:
        """Return the HEADERS of a request without its end."""
        fields = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"web.example"), (b":path", b"/")]
        block = block_of(fields)
        return frame(1, 4, number, block)

    def test_rapid_reset(self) -> None:
        """Row 47: requests that are reset at once."""
        for number in range(1, 1000, 2):
            if not self.client.stream.ended:
                self.client.stream.deliver(self.begin(number) + frame(3, 0, number, b"\0\0\0\x08"))
        self.assertLess(self.flooded(), 202)

    def test_made_you_reset(self) -> None:
        """Row 48: requests that the gateway has to reset."""
        for number in range(1, 1000, 2):
            if not self.client.stream.ended:
                self.client.stream.deliver(self.begin(number) + frame(8, 0, number, bytes(4)))
        self.assertLess(self.flooded(), 202)

    def test_too_many_streams(self) -> None:
        """Streams above the limit are refused, and asked of no backend."""
        for number in range(1, 1000, 2):
            if not self.client.stream.ended:
                self.client.stream.deliver(self.begin(number))
        self.assertEqual((self.flooded(), len(self.talk.connects)), (100, 100))


class CoalescingTests(SynchronousTestCase):
    """One connection for several names."""

    def connection(self, *, same: bool) -> ConnectionInfo:
        """Return a connection to a.example, beside b.example with the same TLS rules or others."""
        own, other = ServerTLS(("a",), TLSRules()), ServerTLS(("b",), TLSRules(ciphers=() if same else ("X",)))
        found = secure(
            {"a.example": https_chain("a.example", own), "b.example": https_chain("b.example", other)}, "a.example"
        )
        return replace(found, alpn=b"h2")

    def test_same_rules(self) -> None:
        """A request for another server's host is served where both have the same TLS rules."""
        talk = Conversation()
        client = HTTP2Client(talk, self.connection(same=True))
        number = client.head(b"/", b"GET", True, (b":authority", b"b.example"))
        talk.backend().deliver(OK)
        self.assertEqual(client.answer(number).status, b"200")

    def test_other_rules(self) -> None:
        """Row 67: else it is misdirected, and the connection goes on for its own host."""
        talk = Conversation()
        client = HTTP2Client(talk, self.connection(same=False))
        number = client.head(b"/", b"GET", True, (b":authority", b"b.example"))
        self.assertEqual(client.answer(number).status, b"421")
        number = client.head(b"/", b"GET", True, (b":authority", b"a.example"))
        talk.backend().deliver(OK)
        self.assertEqual(client.answer(number).status, b"200")
