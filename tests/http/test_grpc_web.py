"""Tests of L{edgegate.http.grpc_web}."""

from __future__ import annotations

from base64 import b64encode
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import GRPC_WEB_CUT, GRPC_WEB_TEXT
from edgegate.http.body_filter import ResponseRest
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.grpc_web import LONGEST_MESSAGE, GRPCWebTranslation, TextDecoder, grpc_head, is_grpc_web
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.response import ResponseHead
from tests.http.test_grpc_messages import message

TEXT = b"application/grpc-web-text"
BINARY = b"application/grpc-web"
GRPC: list[Field] = [(b"content-type", b"application/grpc")]


def head(*lines: bytes, method: bytes = b"POST") -> RequestHead:
    """Return the head of a request with a body of 4 bytes."""
    fields = b"".join(line + b"\r\n" for line in lines)
    raw = b"%b /a.B/C HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n%b\r\n" % (method, fields)
    return HeadParser(Limits()).read(raw)


def asked(kind: bytes, accept: bytes = b"*/*", method: bytes = b"POST") -> RequestHead:
    """Return the head of a request of gRPC-Web."""
    return head(b"content-type: " + kind, b"accept: " + accept, method=method)


def ended(translation: GRPCWebTranslation, *trailers: Field) -> ResponseRest:
    """End a response."""
    rest = translation.response_end(list(trailers))
    assert rest is not None
    return rest


class HeadTests(SynchronousTestCase):
    """Requests' heads."""

    def test_told_apart(self) -> None:
        """Four content types are translated, without parameters, as by Envoy."""
        for kind in (BINARY, TEXT, BINARY + b"+proto", TEXT + b"+proto"):
            self.assertTrue(is_grpc_web(asked(kind)), kind)
        for kind in (BINARY + b"+json", BINARY + b";a=b", b"application/grpc", BINARY.upper(), b"text/plain"):
            self.assertFalse(is_grpc_web(asked(kind)), kind)
        self.assertFalse(is_grpc_web(head()))
        raw = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-type: %b\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n" % BINARY
        self.assertFalse(is_grpc_web(HeadParser(Limits()).read(raw)), "it may become another protocol")
        self.assertFalse(is_grpc_web(head(b"content-type: " + BINARY, b"content-type: " + BINARY)))

    def test_sent_on(self) -> None:
        """The backend is asked in gRPC; what else the client says stays."""
        found = grpc_head(head(b"x-a: b", b"content-type: " + TEXT, b"accept: " + TEXT))
        self.assertEqual(
            found.fields,
            [
                (b"x-a", b"b"),
                (b"accept", TEXT),
                (b"content-type", b"application/grpc"),
                (b"grpc-accept-encoding", b"identity"),
                (b"te", b"trailers"),
            ],
        )
        self.assertEqual((found.length, found.sized), (UNKNOWN_LENGTH, False))

    def test_own_encodings(self) -> None:
        """What the client says of encodings counts, and C{te} comes once."""
        found = grpc_head(head(b"content-type: " + BINARY, b"te: trailers", b"grpc-accept-encoding: gzip"))
        self.assertEqual(found.fields[0], (b"grpc-accept-encoding", b"gzip"))
        self.assertEqual([value for name, value in found.fields if name == b"te"], [b"trailers"])


class DecoderTests(SynchronousTestCase):
    """Base64 of requests."""

    @given(st.lists(st.binary(max_size=200)), st.lists(st.integers(0, 2000)))
    def test_any_pieces(self, parts: list[bytes], cuts: list[int]) -> None:
        """What was encoded apart, each with its padding, is decoded wherever it is cut."""
        text = b"".join(map(b64encode, parts))
        places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
        decoder = TextDecoder()
        found = b"".join([decoder.decode(text[a:b]) for a, b in pairwise(places)])
        self.assertEqual(found, b"".join(parts))
        self.assertTrue(decoder.whole)

    def test_invalid(self) -> None:
        """What is no base64 is refused: other letters, padding that is too much or no end, bits of no byte."""
        for text in (
            b"!!!!",
            b"AA A",
            b"AA\n=",
            b"-_-_",
            b"====",
            b"A===",
            b"QQ=A",
            b"QUI=====",
            b"QR==",
            b"QUJ=",
            b"QQ==QQ=Q",
            b"QUI=AQ=A",
            b"\xff\xff\xff\xff",
        ):
            self.assertRaises(ValueError, TextDecoder().decode, text)

    def test_cut(self) -> None:
        """The end of a text can't be in a quad."""
        decoder = TextDecoder()
        self.assertEqual(decoder.decode(b"QUJDQU"), b"ABC")
        self.assertFalse(decoder.whole)


class RequestTests(SynchronousTestCase):
    """Requests' bodies."""

    def test_text(self) -> None:
        """Text is decoded, and its messages are counted."""
        translation = GRPCWebTranslation(asked(TEXT))
        text = b64encode(message(b"one")) + b64encode(message(b""))
        self.assertEqual(translation.request_body(text[:7]), message(b"one")[:3])
        self.assertEqual(translation.request_body(text[7:]), message(b"one")[3:] + message(b""))
        translation.request_end()
        self.assertEqual(translation.request_messages, 2)

    def test_binary(self) -> None:
        """Binary passes as it is."""
        translation = GRPCWebTranslation(asked(BINARY))
        self.assertEqual(translation.request_body(message(b"one")), message(b"one"))
        translation.request_end()
        self.assertEqual(translation.request_messages, 1)

    def test_refused(self) -> None:
        """What is no base64 fails with what is wrong with it."""
        translation = GRPCWebTranslation(asked(TEXT))
        error = self.assertRaises(RequestRefused, translation.request_body, b"!!!!")
        self.assertIs(error.fault, GRPC_WEB_TEXT)
        translation = GRPCWebTranslation(asked(TEXT))
        translation.request_body(b"QQ")
        self.assertIs(self.assertRaises(RequestRefused, translation.request_end).fault, GRPC_WEB_CUT)


class ResponseTests(SynchronousTestCase):
    """Responses."""

    def test_binary(self) -> None:
        """Trailers stand behind the last message, in a frame of their own."""
        translation = GRPCWebTranslation(asked(BINARY))
        found = translation.response_head(ResponseHead(200, b"OK", [*GRPC, (b"x", b"y")], 8), ())
        assert found is not None
        self.assertEqual(found.fields, [(b"x", b"y"), (b"content-type", b"application/grpc-web+proto")])
        self.assertIsNone(found.length)
        self.assertEqual(translation.response_body(message(b"one")), message(b"one"))
        rest = ended(translation, (b"grpc-status", b"0"), (b"a", b"b"))
        self.assertEqual(rest.body, b"\x80\0\0\0\x14grpc-status:0\r\na:b\r\n")
        self.assertEqual((rest.head, rest.trailers), (None, []))
        self.assertEqual(translation.response_messages, 1)

    @given(st.lists(st.binary(max_size=50), min_size=1), st.lists(st.integers(0, 500)))
    def test_text(self, messages: list[bytes], cuts: list[int]) -> None:
        """Each message is encoded by itself, and has gone when its last byte has come; the same letters as Envoy's."""
        translation = GRPCWebTranslation(asked(BINARY, TEXT))
        found = translation.response_head(ResponseHead(200, b"OK", list(GRPC)), ())
        assert found is not None
        self.assertEqual(found.fields, [(b"content-type", b"application/grpc-web-text+proto")])
        sent = b""
        for number, each in enumerate(messages):
            body = message(each)
            places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
            for start, end in pairwise(places):
                sent += translation.response_body(body[start:end])
            self.assertEqual(sent, b"".join(b64encode(message(one)) for one in messages[: number + 1]))
        self.assertEqual(translation.response_messages, len(messages))
        rest = ended(translation, (b"grpc-status", b"0"))
        self.assertEqual(rest.body, b64encode(b"\x80\0\0\0\x0fgrpc-status:0\r\n"))

    def test_many_in_one_piece(self) -> None:
        """Messages that come together are encoded each by itself; one that is cut short is sent as far as it came."""
        translation = GRPCWebTranslation(asked(BINARY, TEXT))
        translation.response_head(ResponseHead(200, b"OK", list(GRPC)), ())
        sent = translation.response_body(message(b"a") + message(b"bc") + b"\0\0\0\0\x05ab")
        sent += ended(translation).body
        self.assertEqual(sent, b64encode(message(b"a")) + b64encode(message(b"bc")) + b64encode(b"\0\0\0\0\x05ab"))

    def test_trailers_only(self) -> None:
        """A status without messages stays in the head."""
        translation = GRPCWebTranslation(asked(BINARY))
        only = ResponseHead(200, b"OK", [*GRPC, (b"grpc-status", b"5")], 0)
        found = translation.response_head(only, ())
        assert found is not None
        wanted = [(b"grpc-status", b"5"), (b"content-type", b"application/grpc-web+proto")]
        self.assertEqual((found.fields, found.length), (wanted, 0))
        self.assertEqual(ended(translation).body, b"")

    def test_none_of_grpc(self) -> None:
        """What is no gRPC is held back, and its body becomes a message; its status stays."""
        translation = GRPCWebTranslation(asked(BINARY, TEXT))
        self.assertIsNone(translation.response_head(ResponseHead(503, b"", [(b"content-type", b"text/html")], 9), ()))
        self.assertEqual([translation.response_body(b"bad "), translation.response_body(b"\xc3\xa4!\n")], [b"", b""])
        rest = ended(translation, (b"x", b"y"))
        assert rest.head is not None
        self.assertEqual(
            (rest.head.status, rest.head.fields, rest.head.length, rest.body, rest.trailers),
            (
                503,
                [
                    (b"content-type", b"application/grpc-web-text+proto"),
                    (b"grpc-status", b"14"),
                    (b"grpc-message", b"bad %C3%A4!%0A"),
                ],
                0,
                b"",
                [],
            ),
        )

    def test_limit(self) -> None:
        """No more of such a body is kept than a message may have."""
        translation = GRPCWebTranslation(asked(BINARY))
        translation.response_head(ResponseHead(500, b"", [(b"content-type", b"text/html")]), ())
        for _ in range(5):
            translation.response_body(b"x" * 10_000)
        rest = ended(translation)
        assert rest.head is not None
        self.assertEqual(dict(rest.head.fields)[b"grpc-message"], b"x" * LONGEST_MESSAGE)

    def test_none_of_grpc_without_a_body(self) -> None:
        """Where there is nothing to say nothing is said."""
        for length in (0, None):
            translation = GRPCWebTranslation(asked(BINARY))
            found = translation.response_head(ResponseHead(404, b"", [(b"x", b"y")], length), ())
            found = ended(translation).head if found is None else found
            assert found is not None
            self.assertEqual(found.fields, [(b"x", b"y"), (b"content-type", b"application/grpc-web+proto")])
            self.assertEqual(found.length, 0)

    def test_head(self) -> None:
        """HEAD is answered by the head, whose length would be another."""
        translation = GRPCWebTranslation(asked(BINARY, method=b"HEAD"))
        found = translation.response_head(ResponseHead(200, b"OK", [(b"content-type", b"text/html")], 12), ())
        assert found is not None
        self.assertIsNone(found.length)

    def test_cut(self) -> None:
        """An error page that breaks off is an error all the same; messages that break off are cut."""
        translation = GRPCWebTranslation(asked(BINARY))
        translation.response_head(ResponseHead(500, b"", [(b"content-type", b"text/html")], 9), ())
        translation.response_body(b"bad")
        rest = translation.response_cut()
        assert rest is not None
        assert rest.head is not None
        self.assertIn((b"grpc-message", b"bad"), rest.head.fields)
        translation = GRPCWebTranslation(asked(BINARY))
        translation.response_head(ResponseHead(200, b"OK", list(GRPC)), ())
        self.assertIsNone(translation.response_cut())

    def test_web_backend(self) -> None:
        """What a backend says in gRPC-Web itself passes, in base64 for clients that want that."""
        body = message(b"a") + b"\x80\0\0\0\x0fgrpc-status:0\r\n"
        web = [(b"content-type", b"application/grpc-web+proto; charset=x")]
        for accept, wanted in ((BINARY, body), (TEXT, b64encode(body[:6]) + b64encode(body[6:]))):
            translation = GRPCWebTranslation(asked(BINARY, accept))
            self.assertIsNotNone(translation.response_head(ResponseHead(200, b"OK", list(web)), ()))
            self.assertEqual(translation.response_body(body) + ended(translation).body, wanted)
            self.assertEqual(translation.response_messages, 0)
