"""Tests of L{edgegate.http.grpc_messages}."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.grpc_messages import MessageCounter, MessageCounts
from edgegate.http.response import ResponseHead
from edgegate.model.clusters import HTTPVersion
from tests.http.conversation import Conversation, to_web
from tests.http.h2.backend import Backend

HEAD = b"POST /a.B/C HTTP/1.1\r\nhost: web.example\r\ncontent-type: %b\r\ntransfer-encoding: chunked\r\n\r\n"


def message(data: bytes) -> bytes:
    """Return a message of gRPC."""
    return b"\0" + len(data).to_bytes(4, "big") + data


class CounterTests(SynchronousTestCase):
    """Messages in a body."""

    @given(st.lists(st.binary(max_size=300)), st.lists(st.integers(0, 2000)))
    def test_any_pieces(self, messages: list[bytes], cuts: list[int]) -> None:
        """Messages are counted, in whatever pieces the body comes, empty ones too."""
        body = b"".join(map(message, messages))
        counter = MessageCounter()
        places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
        for start, end in pairwise(places):
            counter.take(body[start:end])
        self.assertEqual(counter.count, len(messages))
        self.assertTrue(counter.between)

    def test_begun(self) -> None:
        """A message counts with its first byte, as in Envoy."""
        counter = MessageCounter()
        for piece, count, between in ((b"\0", 1, False), (b"\0\0\0\1", 1, False), (b"a", 1, True), (b"\1\0", 2, False)):
            counter.take(piece)
            self.assertEqual((counter.count, counter.between), (count, between))

    def test_ends(self) -> None:
        """Where messages end can be told."""
        counter = MessageCounter()
        body = message(b"abc") + message(b"") + message(b"x")[:5]
        self.assertEqual((counter.next_end(body, 0), counter.between), (8, True))
        self.assertEqual((counter.next_end(body, 8), counter.between), (13, True))
        self.assertEqual((counter.next_end(body, 13), counter.between), (18, False))


class CountsTests(SynchronousTestCase):
    """What observers are told at the end of a request."""

    def asked(self, kind: bytes, **settings: object) -> tuple[Conversation, Backend]:
        """Send a request with two messages."""
        talk = Conversation(to_web(), http=HTTPVersion.HTTP2, **settings)  # type: ignore[arg-type]
        client = talk.ask(HEAD % kind)
        backend = Backend(talk.backend())
        for piece in (message(b"one")[:3], message(b"one")[3:] + message(b"two")):
            client.deliver(b"%x\r\n%b\r\n" % (len(piece), piece))
        client.deliver(b"0\r\n\r\n")
        self.assertEqual(backend.body(1), message(b"one") + message(b"two"))
        return talk, backend

    def counts(self, talk: Conversation) -> tuple[int, int]:
        """Return what was told."""
        (ended,) = talk.ended
        return ended.request_messages, ended.response_messages

    def test_both_ways(self) -> None:
        """The messages of request and response are counted, and arrive as they are."""
        talk, backend = self.asked(b"application/grpc+proto")
        body = message(b"a") + message(b"") + message(b"c")
        backend.respond(1, body, [(b"content-type", b"application/grpc")])
        self.assertEqual(self.counts(talk), (2, 3))
        self.assertEqual(talk.ended[0].sent, len(body))

    def test_other_response(self) -> None:
        """What is no response of gRPC has no messages."""
        talk, backend = self.asked(b"application/grpc")
        backend.respond(1, b"<html>hello</html>", [(b"content-type", b"text/html")])
        self.assertEqual(self.counts(talk), (2, 0))

    def test_other_request(self) -> None:
        """Nothing looks at the bodies of other requests."""
        talk, backend = self.asked(b"application/json")
        backend.respond(1, message(b"a"), [(b"content-type", b"application/grpc")])
        self.assertEqual(self.counts(talk), (0, 0))
        self.assertIsNone(talk.ended[0].bodies)

    def test_status(self) -> None:
        """The status is that of the trailers, or of a head that has nothing behind it; else there is none."""
        for fields, trailers, status in (
            ([], [(b"grpc-status", b"7")], "7"),
            ([(b"grpc-status", b"16")], [], "16"),
            ([], [(b"grpc-status", b"-1")], "2"),
            ([], [(b"grpc-message", b"no")], ""),
        ):
            counts = MessageCounts()
            counts.response_head(ResponseHead(200, b"OK", [(b"content-type", b"application/grpc"), *fields]), ())
            counts.response_end(trailers)
            self.assertEqual(counts.grpc_status, status)
