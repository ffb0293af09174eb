"""Tests of L{edgegate.http.h1.head_parser}; what heads mean is tested with L{edgegate.http.h1.request_reader}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_REQUEST, HEAD_TOO_LARGE, Fault
from edgegate.http.h1.head_parser import HeadParser, looks_like_a_method
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused

HEADS = [
    b"%b\r\nhost: a.example\r\n%b\r\n" % (line, fields)
    for line in (
        b"GET /a?b HTTP/1.1",
        b"POST /c HTTP/1.1",
        b"HEAD / HTTP/1.0",
        b"CONNECT a:1 HTTP/1.1",
        b"PRI * HTTP/2.0",
    )
    for fields in (
        b"",
        b"connection: close\r\n",
        b"connection: keep-alive\r\n",
        b"content-length: 5\r\n",
        b"content-length: 0\r\n",
        b"transfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 5\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\ntransfer-encoding: chunked\r\n",
        b"a: " + b"x" * 3000 + b"\r\n",
        b"broken\r\n",
        b" folded: yes\r\n",
        b"nul: \0\r\n",
    )
] + [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"NONSENSE / HTTP/1.1\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n"]


def outcome(parser: HeadParser, raw: bytes) -> Fault | tuple[object, ...]:
    """Return what comes of a head."""
    try:
        head = parser.read(raw)
    except RequestRefused as refused:
        return refused.fault
    return head.method, head.target, head.version, head.keep, head.length, head.host, head.fields


class HeadParserTests(SynchronousTestCase):
    """One parser for all connections."""

    @settings(max_examples=200, deadline=None)
    @given(st.lists(st.sampled_from(HEADS), min_size=2, max_size=8))
    def test_nothing_is_left(self, heads: list[bytes]) -> None:
        """Whatever came before a head, on whatever connection, it is parsed as by a parser of its own."""
        shared = HeadParser(Limits())
        self.assertEqual([outcome(shared, raw) for raw in heads], [outcome(HeadParser(Limits()), raw) for raw in heads])

    def test_used_again(self) -> None:
        """llhttp's is used again after what has no body and keeps its connection, and after nothing else."""
        parser = HeadParser(Limits())
        for fields, kept in (
            (b"", True),
            (b"content-length: 0\r\n", True),
            (b"connection: close\r\n", False),
            (b"content-length: 1\r\n", False),
            (b"transfer-encoding: chunked\r\n", False),
            (b"connection: upgrade\r\nupgrade: x\r\n", False),
            (b"broken\r\n", False),
        ):
            outcome(parser, b"GET / HTTP/1.1\r\nhost: a.example\r\nnot-plain:\r\n%b\r\n" % fields)
            self.assertEqual(parser._parser is not None, kept, fields)

    def test_heads_do_not_share(self) -> None:
        """The fields of one head stay its own."""
        parser = HeadParser(Limits())
        made: list[RequestHead] = [
            parser.read(b"GET /%d HTTP/1.1\r\nhost: a.example\r\nx: %d\r\n\r\n" % (n, n)) for n in range(3)
        ]
        self.assertEqual([head.target for head in made], [b"/0", b"/1", b"/2"])
        self.assertEqual([(b"x", b"%d" % n) in head.fields for n, head in enumerate(made)], [True, True, True])

    def test_known(self) -> None:
        """A head that came twice is not parsed a third time; its limits are those of every other."""
        parser = HeadParser(Limits(head_fields=2))
        raw = b"POST / HTTP/1.1\r\nhost: a\r\nx: y\r\n%b\r\n"
        parser.read(raw % b"")
        twice = parser.read(raw % b"")
        self.assertIs(parser.read(raw % b""), twice)
        for _ in range(3):
            self.assertEqual(outcome(parser, raw % b"transfer-encoding: chunked\r\n"), HEAD_TOO_LARGE)

    def test_short_line(self) -> None:
        """A first line too short for a version, as HTTP/0.9 has it, is refused like any other."""
        parser = HeadParser(Limits())
        for size in range(13):
            raw = b"GET /version"[:size] + b"\r\n\r\n"
            self.assertEqual(outcome(parser, raw), BAD_REQUEST, raw)

    def test_method(self) -> None:
        """Where a request line may begin."""
        for data, may in ((b"GET /", True), (b"GE", True), (b"\x16\x03", False), (b"", False), (b"A" * 40, False)):
            self.assertIs(looks_like_a_method(data), may, data)
