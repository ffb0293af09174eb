"""Tests for L{edgegate.http.h1.request_reader} and, through it, for L{edgegate.http.request}."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_REQUEST, CODING_UNKNOWN, HEAD_TOO_LARGE, METHOD_UNKNOWN, VERSION_REFUSED
from edgegate.http.h1.request_reader import State
from edgegate.http.limits import Limits
from tests.http.recording import RecordingSink, read

STREAM = (
    b"GET /one?a=1 HTTP/1.1\r\nHost: a.example\r\n\r\n"
    b"POST /two HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello"
    b"POST /three HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 5\r\n\r\n"
    b"\r\nGET /four HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n\r\n"
    b"DELETE /five HTTP/1.1\r\nHost: a.example\r\nContent-Length: 0\r\n\r\n"
)
REQUESTS = [
    (b"GET", b"/one?a=1", b""),
    (b"POST", b"/two", b"hello"),
    (b"POST", b"/three", b"abcde"),
    (b"GET", b"/four", b""),
    (b"DELETE", b"/five", b""),
]


class RequestReaderTests(SynchronousTestCase):
    """Requests come out of bytes."""

    def test_pipelined_requests(self) -> None:
        """Requests of all framings follow each other on one connection."""
        sink = read(STREAM)
        self.assertEqual(sink.faults, [])
        self.assertEqual(sink.seen, REQUESTS)
        self.assertEqual(sink.trailers[2], [(b"x-sum", b"5")])

    @settings(max_examples=60, deadline=None)
    @given(st.sets(st.integers(1, len(STREAM) - 1), max_size=12))
    def test_any_cuts(self, cuts: set[int]) -> None:
        """However the bytes are cut into reads, the requests are the same."""
        sink = RecordingSink()
        places = sorted({0, *cuts, len(STREAM)})
        for start, end in itertools.pairwise(places):
            sink.reader.receive(STREAM[start:end])
        self.assertEqual(sink.faults, [])
        self.assertEqual(sink.seen, REQUESTS)

    def test_byte_by_byte(self) -> None:
        """A client that sends single bytes is served."""
        sink = RecordingSink()
        for at in range(len(STREAM)):
            sink.reader.receive(STREAM[at : at + 1])
        self.assertEqual(sink.seen, REQUESTS)

    def test_the_next_request_waits(self) -> None:
        """A request behind one that is not answered is neither parsed nor lost."""
        sink = RecordingSink(wait=True)
        sink.reader.receive(STREAM)
        self.assertEqual(len(sink.heads), 1)
        self.assertIs(sink.reader.state, State.WAITING)
        waiting = sink.reader.waiting
        self.assertGreater(waiting, 0)
        sink.reader.resume()
        self.assertEqual(len(sink.heads), 2)
        self.assertLess(sink.reader.waiting, waiting)

    def test_many_pipelined_requests_do_not_recurse(self) -> None:
        """A thousand small requests in one read are served one after the other."""
        sink = read(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2000)
        self.assertEqual(len(sink.seen), 2000)

    def test_connection_close_is_seen(self) -> None:
        """C{Connection: close}, and HTTP/1.0 without keep-alive, end the connection."""
        cases = {
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n": True,
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n": False,
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n": False,
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1\r\n\r\n": False,
            b"GET / HTTP/1.0\r\n\r\n": False,
            b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n": True,
        }
        for data, keep in cases.items():
            self.assertEqual(read(data).heads[0].keep, keep, data)

    def test_stop_in_the_middle(self) -> None:
        """After C{stop} nothing is read any more."""
        sink = RecordingSink(wait=True)
        sink.reader.receive(STREAM)
        sink.reader.stop()
        sink.reader.receive(STREAM)
        sink.reader.resume()
        self.assertEqual(len(sink.heads), 1)


class RefusedTests(SynchronousTestCase):
    """What is no request is refused, and nothing behind it is read."""

    def assert_refused(self, data: bytes, fault: object = BAD_REQUEST) -> None:
        """Assert that some bytes are refused, in one piece and byte by byte."""
        sink = read(data + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertEqual(sink.faults, [fault], data)
        self.assertEqual(sink.seen, [], data)
        drip = RecordingSink()
        for at in range(len(data)):
            drip.reader.receive(data[at : at + 1])
        self.assertEqual(drip.faults, [fault], data)

    def test_framing(self) -> None:
        """Heads whose body could be read in two ways are refused."""
        for fields in (
            b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            b"Content-Length: 5\r\nContent-Length: 5\r\n",
            b"Content-Length: 5\r\nContent-Length: 6\r\n",
            b"Content-Length: 5, 5\r\n",
            b"Content-Length: +5\r\n",
            b"Content-Length: -1\r\n",
            b"Content-Length: 0x10\r\n",
            b"Content-Length: 1_0\r\n",
            b"Content-Length: \r\n",
            b"Content-Length: %d\r\n" % 2**64,
            b"Content-Length: " + b"9" * 5000 + b"\r\n",
            b"Content-Length : 5\r\n",
            b" Content-Length: 5\r\n",
            b"Transfer-Encoding: gzip\r\nContent-Length: 5\r\n",
            b"Content-Length: 5\r\nTransfer-Encoding: identity\r\n",
            b"Transfer-Encoding: \x0bchunked\r\n",
            b"Transfer-Encoding:\x00chunked\r\n",
            b"X: folded\r\n line\r\n",
            b"X: bare\rreturn\r\n",
            b"X: nul\x00\r\n",
            b"X@: bad name\r\n",
            b"X: bare line feed\n",
        ):
            self.assert_refused(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n")

    def test_codings(self) -> None:
        """What is a coding, but not chunked alone, is told to be unknown."""
        for value in (
            b"gzip",
            b"chunked, chunked",
            b"chunked, identity",
            b"xchunked",
            b"chunked;q=1",
            b'"chunked"',
            b"",
        ):
            fields = b"Transfer-Encoding: " + value + b"\r\n"
            self.assert_refused(b"POST / HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n", CODING_UNKNOWN)
        twice = b"Transfer-Encoding: chunked\r\n" * 2
        self.assert_refused(b"POST / HTTP/1.1\r\nHost: a\r\n" + twice + b"\r\n", CODING_UNKNOWN)

    def test_white_space_around_values(self) -> None:
        """It is no part of them."""
        sink = read(b"POST / HTTP/1.1\r\nHost:\t a\t \r\nX: y \t\r\nContent-Length: 1 \r\nZ:  \r\n\r\nb")
        self.assertEqual(sink.faults, [])
        self.assertEqual((sink.heads[0].authority, sink.heads[0].fields), (b"a", [(b"x", b"y"), (b"z", b"")]))

    def test_trailers(self) -> None:
        """Trailer fields go by the rules for header fields: what a client may not say does not pass."""
        data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        data += b"X-Sum: 1\r\nX-Forwarded-Host: b\r\nx_y: 2\r\n\r\n"
        self.assertEqual(read(data).trailers, [[(b"x-sum", b"1"), (b"x_y", b"2")]])

    def test_transfer_encoding_in_http_1_0(self) -> None:
        """HTTP/1.0 has no transfer codings."""
        self.assert_refused(b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")

    def test_chunks(self) -> None:
        """Chunked bodies that could be read in two ways are refused."""
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for body in (
            b"3\nabc\r\n0\r\n\r\n",
            b"3\r\nabc\n0\r\n\r\n",
            b"3\r\nabcXX0\r\n\r\n",
            b"+3\r\nabc\r\n0\r\n\r\n",
            b"0x3\r\nabc\r\n0\r\n\r\n",
            b"0_2e\r\n",
            b"f" * 40 + b"\r\n",
            b";a\r\n",
            b"\r\n",
            b"3;a\x00\r\nabc\r\n0\r\n\r\n",
            b"0\r\nbad name: x\r\n\r\n",
        ):
            sink = read(head + body + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(sink.faults, [BAD_REQUEST], body)
            self.assertEqual(sink.seen, [], body)

    def test_request_lines(self) -> None:
        """Request lines that are none are refused."""
        for line in (
            b"GET /\x7f HTTP/1.1",
            b"GET /\xc3\xa4 HTTP/1.1",
            b"GET /\x01 HTTP/1.1",
            b"GET /a#b HTTP/1.1",
            b"GET * HTTP/1.1",
            b"OPTIONS */x HTTP/1.1",
            b"GET a HTTP/1.1",
            b"GET /",
            b"GET ftp://a/ HTTP/1.1",
            b"GET http:///x HTTP/1.1",
            b"\x16\x03\x01\x02\x00",
            b"(GET) / HTTP/1.1",
        ):
            self.assert_refused(line + b"\r\nHost: a\r\n\r\n")

    def test_methods_and_versions(self) -> None:
        """Methods and versions that are well-formed but unknown have answers of their own."""
        for method in (b"BREW", b"get", b"M-SEARCH", b"QUERY"):
            self.assert_refused(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n", METHOD_UNKNOWN)
        for version in (b"2.0", b"1.2", b"0.9", b"3.0"):
            self.assert_refused(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n", VERSION_REFUSED)
        for protocol in (b"RTSP/1.0", b"ICE/1.0", b"http/1.1", b"HTTP/1.10", b"HTTP/1", b"XHTTP/1.1"):
            self.assert_refused(b"GET / " + protocol + b"\r\nHost: a\r\n\r\n")
        self.assertEqual(len(read(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").faults), 1)

    def test_bare_line_feeds_do_not_wait_for_a_deadline(self) -> None:
        """A head with bare line feeds never ends; it is refused as soon as one is seen."""
        self.assertEqual(read(b"GET / HTTP/1.1\nHost: a\n").faults, [BAD_REQUEST])

    def test_tls_on_a_plain_port(self) -> None:
        """A ClientHello is refused at its first byte."""
        self.assertEqual(read(b"\x16").faults, [BAD_REQUEST])

    def test_head_too_large(self) -> None:
        """A head may have so many bytes, and so many fields, and not one more."""
        limits = Limits(head_bytes=200, head_fields=3)
        fits = b"GET / HTTP/1.1\r\nHost: a\r\nX: "
        fits += b"a" * (200 - len(fits) - 4) + b"\r\n\r\n"
        self.assertEqual(len(fits), 200)
        self.assertEqual(len(read(fits, limits).seen), 1)
        self.assertEqual(read(fits.replace(b"X: a", b"X: aa"), limits).faults, [HEAD_TOO_LARGE])
        self.assertEqual(read(b"GET / HTTP/1.1\r\nX: " + b"a" * 300, limits).faults, [HEAD_TOO_LARGE])
        many = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 3 + b"\r\n"
        self.assertEqual(read(many, limits).faults, [HEAD_TOO_LARGE])

    def test_too_many_trailers(self) -> None:
        """Trailer fields are counted too."""
        data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"x: y\r\n" * 101 + b"\r\n"
        self.assertEqual(read(data).faults, [HEAD_TOO_LARGE])

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=300), st.integers(0, len(STREAM)))
    def test_noise(self, noise: bytes, at: int) -> None:
        """Whatever comes, the reader refuses or reads; it does not break."""
        sink = read(STREAM[:at] + noise + STREAM[at:])
        self.assertLessEqual(len(sink.faults), 1)
