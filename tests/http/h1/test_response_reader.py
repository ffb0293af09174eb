"""Tests for L{edgegate.http.h1.response_reader}."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import UPSTREAM_HEAD_TOO_LARGE, UPSTREAM_PROTOCOL
from edgegate.http.h1.response_reader import NOBODY, ResponseReader, State
from edgegate.http.limits import Limits
from edgegate.http.response import ResponseHead

SIZED = b"HTTP/1.1 200 OK\r\nDate: today\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nx-sum: 5\r\n\r\n"


class RecordingSink:
    """Keeps what an L{ResponseReader} tells."""

    def __init__(self) -> None:
        self.interims: list[int] = []
        self.heads: list[ResponseHead] = []
        self.body = b""

    def response_interim(self, head: ResponseHead) -> None:
        self.interims.append(head.status)

    def response_head(self, head: ResponseHead) -> None:
        self.heads.append(head)

    def response_body(self, data: bytes) -> None:
        assert data
        self.body += data


def read(data: bytes, *, is_head: bool = False, limits: Limits | None = None) -> tuple[ResponseReader, RecordingSink]:
    """Read some bytes in one piece."""
    reader, sink = ResponseReader(limits or Limits()), RecordingSink()
    reader.expect(is_head, sink)
    reader.receive(data)
    return reader, sink


class AnswerReaderTests(SynchronousTestCase):
    """Answers come out of bytes."""

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from([SIZED, CHUNKED]), st.sets(st.integers(1, 90), max_size=8))
    def test_any_cuts(self, answer: bytes, cuts: set[int]) -> None:
        """However a response is cut into reads, it is the same."""
        reader, sink = ResponseReader(Limits()), RecordingSink()
        reader.expect(False, sink)
        data = b"HTTP/1.1 103 Early Hints\r\n\r\n" + answer
        for start, end in pairwise(sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})):
            reader.receive(data[start:end])
        self.assertIs(reader.state, State.WHOLE)
        self.assertEqual((sink.interims, sink.body, reader.keep), ([103], b"hello", True))

    def test_same_head_is_parsed_once(self) -> None:
        """A head that is the one before, byte for byte, is the same object; any other is not."""
        reader, sink = ResponseReader(Limits()), RecordingSink()
        for answer in (SIZED, SIZED, SIZED.replace(b"today", b"later"), SIZED):
            reader.expect(False, sink)
            reader.receive(answer)
            self.assertIs(reader.state, State.WHOLE)
        self.assertIs(sink.heads[0], sink.heads[1])
        self.assertIsNot(sink.heads[1], sink.heads[2])
        self.assertIsNot(sink.heads[2], sink.heads[3])
        self.assertEqual(sink.body, b"hello" * 4)

    def test_same_head_to_another_question(self) -> None:
        """A remembered head is read anew for HEAD and for GET: one has no body, the other has."""
        reader, sink = ResponseReader(Limits()), RecordingSink()
        head, _, _ = SIZED.partition(b"hello")
        for is_head, data in ((True, head), (False, SIZED), (True, head)):
            reader.expect(is_head, sink)
            reader.receive(data)
            self.assertIs(reader.state, State.WHOLE)
            self.assertTrue(reader.keep)
        self.assertEqual(sink.body, b"hello")

    def test_remembered_heads_are_small(self) -> None:
        """A large head is not kept for the life of a connection."""
        reader, sink = ResponseReader(Limits()), RecordingSink()
        large = SIZED.replace(b"today", b"x" * 3000)
        for _ in range(2):
            reader.expect(False, sink)
            reader.receive(large)
        self.assertIsNot(sink.heads[0], sink.heads[1])

    def test_bytes_behind_the_answer(self) -> None:
        """What comes behind a response is not passed on, and spoils the connection."""
        for answer in (
            SIZED,
            CHUNKED,
            b"HTTP/1.1 304 Not Modified\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        ):
            reader, sink = read(answer + b"HTTP/1.1 200 OK\r\n\r\nforged")
            self.assertIs(reader.state, State.WHOLE)
            self.assertFalse(reader.keep, answer)
            self.assertNotIn(b"forged", sink.body)

    def test_switching(self) -> None:
        """Wherever a 101 is cut, its head and what is behind it come out; what is behind it is nothing of HTTP's."""
        head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n"
        data = b"HTTP/1.1 103 Early Hints\r\n\r\n" + head + b"HTTP/1.1 200 OK\r\n\r\n"
        for cut in range(1, len(data)):
            reader, sink = ResponseReader(Limits()), RecordingSink()
            reader.expect(False, sink)
            reader.receive(data[:cut])
            behind = b""
            if reader.state is State.HEAD:
                reader.receive(data[cut:])
            else:
                behind = data[cut:]
            self.assertIs(reader.state, State.SWITCHED)
            assert reader.switched is not None
            switched, rest = reader.switched
            self.assertEqual((switched.status, switched.upgrade), (101, (b"chat",)))
            self.assertEqual(rest + behind, b"HTTP/1.1 200 OK\r\n\r\n")
            self.assertEqual((sink.interims, sink.heads, reader.keep), ([103], [], False))

    def test_switching_http_1_0(self) -> None:
        """HTTP/1.0 knows no 101."""
        reader, _ = read(b"HTTP/1.0 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: chat\r\n\r\n")
        self.assertEqual((reader.state, reader.fault), (State.REFUSED, UPSTREAM_PROTOCOL))

    def test_status_lines(self) -> None:
        """A status line is HTTP's to the letter (RFC 9112 section 4), and no status is below 100 or above 599."""
        good = (b"HTTP/1.1 200 OK", b"HTTP/1.1 200 ", b"HTTP/1.1 200", b"HTTP/1.1 599 A\tB \xff", b"HTTP/1.0 200 OK")
        for line in good:
            reader, sink = read(line + b"\r\nContent-Length: 2\r\n\r\nok")
            self.assertEqual((reader.state, sink.body), (State.WHOLE, b"ok"), line)
        statuses = (b"000", b"099", b"600", b"999", b"1000", b"0200", b"20", b"+20", b"-20", b"2e2", b"OK", b"")
        versions = (b"HTTP/2.0", b"HTTP/2", b"HTTP/3.7", b"HTTP/1.2", b"HTTP/0.9", b"HTTP/01.1", b"http/1.1", b"ICY")
        versions += (b"RTSP/1.0", b"RTSP/1.1", b"ICE/1.0", b"ICE/1.1")
        bad = [
            *(b"HTTP/1.1 %b x" % status for status in statuses),
            *(b"%b 200 OK" % version for version in versions),
            *(b"HTTP/1.1 200 a%cb" % control for control in (*range(9), 11, 12, *range(14, 32), 127)),
            *(b"HTTP/1.1%b200%bOK" % gaps for gaps in ((b"  ", b" "), (b"\t", b" "), (b" ", b"\t"), (b" ", b""))),
            *(before + b"HTTP/1.1 200 OK" for before in (b" ", b"\r\n", b"\r\n\r\n")),
            *(b"HTTP/1.1 200%b" % behind for behind in (b"\rOK", b" O\rK", b" O\nK")),
        ]
        for line in bad:
            reader, sink = read(line + b"\r\nContent-Length: 2\r\n\r\nok")
            self.assertEqual((reader.state, reader.fault), (State.REFUSED, UPSTREAM_PROTOCOL), line)
            self.assertEqual((sink.interims, sink.heads, sink.body), ([], [], b""), line)

    def test_framing_that_has_no_place(self) -> None:
        """HTTP/1.0 knows no chunks and no interim responses; these and 204 have no body (RFC 9112 section 6)."""
        behind = b"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        for head in (
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            b"HTTP/1.0 103 Early Hints",
            b"HTTP/1.0 100 Continue",
            *(
                b"HTTP/1.1 %d x\r\nConnection: upgrade\r\nUpgrade: x\r\n%b" % (status, framing)
                for status in (100, 101, 103, 204)
                for framing in (b"Transfer-Encoding: chunked", b"Content-Length: 5")
            ),
        ):
            reader, sink = read(head + behind)
            self.assertEqual((reader.state, reader.fault), (State.REFUSED, UPSTREAM_PROTOCOL), head)
            self.assertEqual((sink.interims, sink.heads), ([], []), head)
        # a length of nothing is passed over
        reader, sink = read(b"HTTP/1.1 103 Early Hints\r\nContent-Length: 0" + behind)
        self.assertEqual((reader.state, sink.interims), (State.WHOLE, [103]))
        reader, sink = read(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual((reader.state, sink.heads[0].length), (State.WHOLE, None))

    def test_fields(self) -> None:
        """A field that is folded, has no name, or holds what ends a line for somebody, spoils the response."""
        for field in (
            b"a: b\r\n c",
            b"a: b\r\n\tc",
            b"a:\r\n b",
            b" a: b",
            b"a : b",
            b"a b: c",
            b": b",
            b"a",
            b"a\x00: b",
            *(b"a: b%cc" % control for control in (*range(9), *range(10, 32), 127)),
            b"Content-Length: 2\r\nContent-Length: 3",
            b"Content-Length: 2, 3",
            b"Content-Length: 2\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: identity",
        ):
            reader, sink = read(b"HTTP/1.1 200 OK\r\n" + field + b"\r\nX: y\r\n\r\nok")
            self.assertEqual((reader.state, reader.fault), (State.REFUSED, UPSTREAM_PROTOCOL), field)
            self.assertEqual(sink.heads, [], field)

    def test_until_close(self) -> None:
        """A response without a length is whole when its connection ends; a sized one is not."""
        reader, sink = read(b"HTTP/1.1 200 OK\r\n\r\nabc")
        self.assertEqual((sink.body, reader.keep), (b"abc", False))
        self.assertTrue(reader.finish())
        reader, _ = read(SIZED[:-1])
        self.assertFalse(reader.finish())
        reader, _ = read(SIZED[:20])
        self.assertFalse(reader.finish())

    def test_trailers(self) -> None:
        """Of trailer fields those pass which would pass in a head."""
        reader, _ = read(CHUNKED.replace(b"x-sum: 5", b"X-Sum: 5\r\nServer: x\r\nKeep-Alive: y"))
        self.assertEqual(reader.trailers, [(b"x-sum", b"5")])

    def test_refused_at_the_first_bytes(self) -> None:
        """What can be no response is refused without waiting for the end of its head."""
        for data in (b"SSH-2.0", b"\x16\x03\x01", b"HTTP/2", b"HTTP/1.1 200 OK\nContent-"):
            reader, _ = read(data)
            self.assertIs(reader.state, State.REFUSED, data)
            self.assertEqual(reader.fault, UPSTREAM_PROTOCOL)

    def test_limits(self) -> None:
        """Heads, fields, interim responses and trailers are bounded."""
        limits = Limits(response_head_bytes=200, response_fields=5, interim_responses=2)
        many = b"".join(b"a%d: b\r\n" % n for n in range(6))
        cases = {
            b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200: UPSTREAM_HEAD_TOO_LARGE,
            b"HTTP/1.1 200 OK\r\nx: " + b"y" * 200 + b"\r\n\r\n": UPSTREAM_HEAD_TOO_LARGE,
            b"HTTP/1.1 200 OK\r\n" + many + b"\r\n": UPSTREAM_HEAD_TOO_LARGE,
            b"HTTP/1.1 103 Hints\r\n\r\n" * 3: UPSTREAM_PROTOCOL,
            CHUNKED.replace(b"x-sum: 5\r\n", many): UPSTREAM_HEAD_TOO_LARGE,
            CHUNKED.partition(b"x-sum: ")[0] + b"x: ": None,
        }
        for data, fault in cases.items():
            reader, _ = read(data, limits=limits)
            self.assertEqual(reader.fault, fault, data)
        # the last one's trailer field goes on and on
        for _ in range(5):
            self.assertIsNone(reader.fault)
            reader.receive(b"y" * 50)
        self.assertEqual(reader.fault, UPSTREAM_HEAD_TOO_LARGE)

    def test_left(self) -> None:
        """How much of a body is to come is known where its length is."""
        for data, left in (
            (b"HTTP/1.1 200 OK\r\n", None),
            (SIZED[:-5], 5),
            (SIZED[:-1], 1),
            (SIZED, 0),
            (CHUNKED[:-5], None),
            (CHUNKED, 0),
            (b"HTTP/1.1 200 OK\r\n\r\n", None),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 0),
            (b"nonsense\r\n\r\n", None),
        ):
            self.assertEqual(read(data)[0].left, left, data)

    def test_another_listener(self) -> None:
        """Who hears of a response may be replaced from inside its head: the rest is no longer the first one's."""

        class Leaves(RecordingSink):
            """Hears no more than the head."""

            def response_head(self, head: ResponseHead) -> None:
                super().response_head(head)
                reader.sink = NOBODY

        for answer in (SIZED, CHUNKED):
            reader, sink = ResponseReader(Limits()), Leaves()
            reader.expect(False, sink)
            reader.receive(answer)
            self.assertEqual((len(sink.heads), sink.body), (1, b""))
            self.assertIs(reader.state, State.WHOLE)
            self.assertTrue(reader.keep)

    def test_grpc_status(self) -> None:
        """The status of a gRPC response without a body is in its head."""
        _, sink = read(b"HTTP/1.1 200 OK\r\nGrpc-Status: 14\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual((sink.heads[0].grpc_status, sink.heads[0].fields), (b"14", [(b"grpc-status", b"14")]))
