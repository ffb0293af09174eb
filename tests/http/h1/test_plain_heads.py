"""
Heads that are taken apart without llhttp, compared with what llhttp and h11 make of them: never more is taken, nor
taken for anything else.
"""

from __future__ import annotations

import random

import h11
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import Fault
from edgegate.http.fields import Underscores, request_roles
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.target import PathNormalisation
from tests.http.h1.heads import any_three, cut, spoiled
from tests.http.recording import RecordingSink

FIREFOX = (
    b"GET /items/4711?q=83&page=7 HTTP/1.1\r\n"
    b"Host: api.example.com\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    b"Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\n"
    b"Connection: keep-alive\r\n"
    b"Cookie: session=9e3779b900000001; theme=dark\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n"
    b"Sec-Fetch-Dest: document\r\n"
    b"\r\n"
)
CURL = b"GET / HTTP/1.1\r\nHost: a:8080\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\nx_y: 1\r\n\r\n"
POST = (
    b"POST /form HTTP/1.1\r\nhost: a.example\r\ncontent-length: 12\r\ncontent-type: a/b\r\norigin: null\r\n"
    b"x-forwarded-for: 192.0.2.1\r\nx-forwarded-proto: https\r\nx-request-id: 1\r\nconnection: close\r\n\r\n"
)
PLAIN = (FIREFOX, CURL, POST)

LINES = (
    b"Host: a",
    b"host: b:1",
    b"Host:a",
    b"Host: ",
    b"Host : a",
    b"Content-Length: 5",
    b"Content-Length: 05",
    b"content-length:5",
    b"Content-Length: 5 ",
    b"Content-Length: 5, 5",
    b"Content-Length: +5",
    b"Content-Length: " + b"9" * 18,
    b"Content-Length: " + b"9" * 20,
    b"Content-Length:",
    b"Transfer-Encoding: chunked",
    b"transfer-encoding: x",
    b"Connection: keep-alive",
    b"Connection: Keep-Alive",
    b"Connection: close",
    b"Connection: Close",
    b"Connection: close, x",
    b"Connection: x-a",
    b"Connection: upgrade",
    b"Connection: host",
    b"Proxy-Connection: close",
    b"Proxy-Connection: keep-alive",
    b"Keep-Alive: 5",
    b"close: yes",
    b"Upgrade: websocket",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAMAAABk",
    b"Expect: 100-continue",
    b"Expect: x",
    b"TE: trailers",
    b"TE: gzip",
    b"X-A: y",
    b"x-a:  y",
    b"x-a: y ",
    b"x-a:\ty",
    b"x-a: y\t",
    b"x-a:",
    b"x-a: ",
    b"x-a",
    b": y",
    b" x-a: y",
    b"\tx-a: y",
    b"x a: y",
    b"x-a: y\rz: 1",
    b"x-a: y\nz: 1",
    b"x-a: caf\xe9",
    b"x-\xe9: y",
    b"X_Forwarded_For: 10.0.0.1",
    b"X-Forwarded-For: 10.0.0.1",
    b"X-Forwarded-Proto: https",
    b"X-Request-Id: 1",
    b"X-Envoy-Original-Path: /",
    b"Cookie: a=b",
    b"Cookie: c=d",
    b"Authorization: Basic eA==",
    b"",
)
FIRSTS = (
    b"GET / HTTP/1.1",
    b"POST /a?b=c?d HTTP/1.1",
    b"HEAD /../x HTTP/1.1",
    b"PUT /%41%2f HTTP/1.1",
    b"DELETE /%00 HTTP/1.1",
    b"PATCH /a%zz HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"OPTIONS / HTTP/1.1",
    b"GET //a\\b HTTP/1.1",
    b'GET /a"<>[]^`{|}~ HTTP/1.1',
    b"GET /a#b HTTP/1.1",
    b"GET /a b HTTP/1.1",
    b"GET  / HTTP/1.1",
    b"GET /  HTTP/1.1",
    b"GET /\tHTTP/1.1",
    b"GET / HTTP/1.0",
    b"GET / HTTP/1.2",
    b"GET / http/1.1",
    b"GET / RTSP/1.1",
    b"GET /",
    b"GET HTTP/1.1",
    b"get / HTTP/1.1",
    b"GET http://b/ HTTP/1.1",
    b"CONNECT a:1 HTTP/1.1",
    b"TRACE / HTTP/1.1",
    b"SOURCE / HTTP/1.1",
    b"BREW / HTTP/1.1",
    b" GET / HTTP/1.1",
    b"\r\nGET / HTTP/1.1",
    b"",
)

Outcome = Fault | dict[str, object]


def parser_of(paths: PathNormalisation = PathNormalisation.BASE) -> HeadParser:
    """Return a parser of a gateway behind trusted proxies, to which most fields say something."""
    return HeadParser(Limits(head_fields=20), paths, request_roles(True, Underscores.REJECT))


def said(head: RequestHead) -> dict[str, object]:
    """Return all that a head says."""
    # compiled, a class has no __slots__
    own = [name for name, kind in vars(type(head)).items() if name[0] != "_" and not callable(kind)]
    return {name: getattr(head, name) for name in own if name not in ("lines", "sent", "sent_by")}


def plain(parser: HeadParser, raw: bytes) -> Outcome | None:
    """Return what is made of a head without llhttp; L{None}: nothing is."""
    try:
        head = parser.plain(raw)
    except RequestRefused as refused:
        return refused.fault
    return None if head is None else said(head)


def judged(raw: bytes, paths: PathNormalisation = PathNormalisation.BASE) -> Outcome:
    """Return what is made of it by llhttp, in a parser of its own."""
    try:
        return said(parser_of(paths)._parse(raw))
    except RequestRefused as refused:
        return refused.fault


def outcome(parser: HeadParser, raw: bytes, last: bytes = b"", before: RequestHead | None = None) -> Outcome:
    """Return what comes of a head, that comes behind another on one connection or behind none."""
    try:
        return said(parser.read(raw, last, before))
    except RequestRefused as refused:
        return refused.fault


class PlainTests(SynchronousTestCase):
    """One parser reads all heads, so that it remembers lines of those before."""

    def setUp(self) -> None:
        """Make it."""
        self.parser = parser_of()

    def compare(self, raw: bytes) -> Outcome | None:
        """
        Compare what is made of a head, and return that if something is without llhttp.

        What comes of it in the end is the same, too, whatever is remembered of heads before.
        """
        found, expected = plain(self.parser, raw), judged(raw)
        if found is not None:
            self.assertEqual(found, expected, raw)
        if raw.find(b"\r\n\r\n") == len(raw) - 4:
            self.assertEqual(outcome(self.parser, raw), expected, raw)
        return found

    def test_taken(self) -> None:
        """Heads of browsers and programs need no llhttp; what the lines say stays the same once they are remembered."""
        for _ in range(4):
            for raw in PLAIN[:1] + PLAIN[2:]:
                self.assertIsInstance(self.compare(raw), dict)
        self.assertEqual(plain(HeadParser(Limits()), CURL), said(HeadParser(Limits())._parse(CURL)))
        self.assertIn(b"User-Agent: Mozilla/5.0", b"\n".join(self.parser._lines.known))
        self.assertEqual(len(self.parser._rests), 1)

    def test_lines(self) -> None:
        """The lines that go on are those of the fields that go on, wherever they come from."""
        for raw in PLAIN:
            parser = HeadParser(Limits())
            first = parser.plain(raw)
            assert first is not None
            self.assertEqual(first.lines, [b"%b: %b\r\n" % field for field in first.fields])
            for number in range(4):
                head = parser.read(raw.replace(b" /", b" /%d/" % number, 1))
                if head.lines is not None:
                    self.assertEqual(b"".join(head.lines), b"".join(first.lines))
            other = parser.read(raw.replace(b" /", b" /other/", 1), raw, first)
            self.assertIs(other.lines, first.lines)

    def test_cut(self) -> None:
        """A head that is cut off at any byte, and whose end then comes, is not taken for more than it is."""
        for raw in PLAIN:
            for each in cut(raw):
                self.compare(each)

    def test_spoiled(self) -> None:
        """Nor is one with any of the bytes that mean something, or nothing, at any place."""
        taken = 0
        for raw in PLAIN:
            for _ in range(3):
                self.compare(raw)
            for each in spoiled(raw):
                taken += self.compare(each) is not None
        self.assertGreater(taken, 5000)

    def test_made_up(self) -> None:
        """Nor are heads of lines that mean something, in any order."""
        rnd = random.Random(21)
        taken = 0
        for _ in range(6000):
            lines = [rnd.choice(FIRSTS), b"Host: a"][: rnd.choice((1, 2, 2, 2))]
            lines += rnd.choices(LINES, k=rnd.randint(0, 4))
            taken += self.compare(b"\r\n".join([*lines, b"", b""])) is not None
        self.assertGreater(taken, 200)

    def test_each_line(self) -> None:
        """Nor is one with any of them alone, or twice; with every way in which paths are brought to their form."""
        for paths in PathNormalisation:
            self.parser = parser_of(paths)
            for first in FIRSTS:
                raw = first + b"\r\nHost: a\r\n\r\n"
                found = plain(self.parser, raw)
                if found is not None:
                    self.assertEqual(found, judged(raw, paths), raw)
        for line in LINES:
            for count in (1, 2):
                self.compare(b"POST / HTTP/1.1\r\nHost: a\r\n" + (line + b"\r\n") * count + b"\r\n")

    @any_three
    def test_any_bytes(self, target: bytes, name: bytes, value: bytes) -> None:
        """Whatever bytes stand in the target, in a name or in a value."""
        self.compare(b"GET /%b HTTP/1.1\r\nhost: a\r\n%b: %b\r\n\r\n" % (target, name, value))

    def test_every_byte(self) -> None:
        """Each byte, wherever one may stand."""
        for byte in range(256):
            each = bytes((byte,))
            for raw in (
                b"GET /%b HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET /?%b HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET%b/ HTTP/1.1\r\nhost: a\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a\r\nx%b: y\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a\r\nx%b y\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a\r\nx: y%bz\r\n\r\n",
                b"GET / HTTP/1.1\r\nhost: a%b\r\n\r\n",
            ):
                self.compare(raw % each)

    def test_rests(self) -> None:
        """
        Heads that differ in their first line and their cookie are read as by llhttp: wherever the cookie stands,
        whatever is in it, and where there is none or another one.
        """
        lines = [line for line in FIREFOX.split(b"\r\n") if line and not line.startswith((b"GET ", b"Cookie: "))]
        cookies = [
            [b"Cookie: %b" % value] for value in (b"a=b", b"c=d; e", b"", b" a", b"a ", b"a\t", b"\xe9", b"a\x7fb")
        ]
        cookies += [
            [],
            [b"cookie: a"],
            [b"Cookie:a"],
            [b"Cookie : a"],
            [b"Cookie: a", b"Cookie: b"],
            [b"Cookie: a\nb: c"],
        ]
        for at in (0, 1, 5, len(lines)):
            for cookie in (*cookies, *cookies):
                for first in FIRSTS:
                    self.compare(b"\r\n".join([first, *lines[:at], *cookie, *lines[at:], b"", b""]))

    def test_too_many(self) -> None:
        """A head with more fields than one may have is not taken."""
        self.assertIsNone(self.compare(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 20 + b"\r\n"))
        self.assertIsNotNone(self.compare(b"GET / HTTP/1.1\r\nhost: a\r\n" + b"x: y\r\n" * 19 + b"\r\n"))

    def test_h11(self) -> None:
        """h11 has nothing against the heads that are taken either, and reads the same in them."""
        rnd = random.Random(11)
        for raw in (*PLAIN, *(_mixed(rnd) for _ in range(300))):
            try:
                head = HeadParser(Limits()).plain(raw)
            except RequestRefused:
                continue
            if head is None:
                continue
            peer = h11.Connection(h11.SERVER)
            peer.receive_data(raw)
            event = peer.next_event()
            assert isinstance(event, h11.Request), raw
            self.assertEqual(event.method, head.method)
            heard = [(name, value) for name, value in event.headers if (name, value) in head.fields]
            self.assertEqual(heard, head.fields, raw)

    def test_same_fields(self) -> None:
        """A head that differs from the one before in its first line is read as by a parser of its own."""
        rests = [raw[raw.index(b"\r\n") :] for raw in PLAIN] + [b"\r\nHost: a\r\nTE: trailers\r\n\r\n", b"\r\n\r\n"]
        for rest in rests:
            for first in FIRSTS:
                for second in FIRSTS:
                    self.compare_behind(first + rest, second + rest)
        for one in rests:
            for other in rests:
                self.compare_behind(b"GET / HTTP/1.1" + one, b"GET / HTTP/1.1" + other)
                self.compare_behind(b"GET / HTTP/1.1" + one, b"POST /a HTTP/1.1" + other)

    def compare_behind(self, first: bytes, second: bytes) -> None:
        """Compare what is made of a head that comes behind another with what is made of it alone."""
        parser = parser_of()
        try:
            before = parser.read(first)
        except RequestRefused:
            return
        self.assertEqual(outcome(parser, second, first, before), judged(second), (first, second))

    def test_in_pieces(self) -> None:
        """It makes no difference where a head is cut into reads."""
        for raw in PLAIN:
            for at in range(1, len(raw)):
                sink = RecordingSink()
                sink.reader.receive(raw[:at])
                sink.reader.receive(raw[at:])
                self.assertEqual([said(head) for head in sink.heads], [said(HeadParser(Limits())._parse(raw))])


def _mixed(rnd: random.Random) -> bytes:
    lines = [rnd.choice(FIRSTS[:9]), b"Host: a", *rnd.choices(LINES[:-1], k=rnd.randint(0, 3))]
    return b"\r\n".join([*lines, b"", b""])
