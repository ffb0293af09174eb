"""Tests of L{edgegate.replay.logged_request}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_HOST, BAD_PATH, BAD_REQUEST, METHOD_UNKNOWN, Fault
from edgegate.http.request import HostMemory
from edgegate.http.target import PathNormalisation
from edgegate.replay.formats import columns
from edgegate.replay.formats.escapes import Escapes
from edgegate.replay.formats.reading import NO_REQUEST
from edgegate.replay.logged_request import Answer, Defaults, LoggedRequest, RequestReader
from edgegate.replay.possible_routes import AUTHORITY, QUERY, header_subject

LINE: dict[str, bytes | None] = {
    columns.METHOD: b"GET",
    columns.PATH: b"/a",
    columns.QUERY: b"?b=1",
    columns.PROTOCOL: b"HTTP/1.1",
    columns.AUTHORITY: b"shop.example",
}


def request(
    line: dict[str, bytes | None], defaults: Defaults | None = None, escapes: Escapes = Escapes.BACKSLASH
) -> LoggedRequest:
    """Return the request of a line."""
    reader = RequestReader(tuple(line), tuple(line), escapes, defaults or Defaults())
    found = reader.request(tuple(line.values()))
    assert isinstance(found, LoggedRequest), found
    return found


def head(found: LoggedRequest) -> object:
    """Return what the gateway makes of a request: its path, or the fault."""
    made = found.head(HostMemory(), PathNormalisation.BASE)
    return made if isinstance(made, Fault) else made.path


class LoggedRequestTests(SynchronousTestCase):
    """What a line says, and what it leaves open."""

    def test_request_line(self) -> None:
        """The target is put together; escapes are read."""
        found = request({**LINE, columns.PATH: rb"/\x22\"\\"})
        self.assertEqual(found.target, b'/""\\?b=1')
        self.assertEqual(found.shown(), r'GET http://shop.example/""\?b=1')
        self.assertEqual(found.known, {QUERY, AUTHORITY})

    def test_shown(self) -> None:
        """What a client sent does nothing to the terminal that shows it."""
        found = request({**LINE, columns.PATH: rb"/\x1b[2J\xff"})
        self.assertEqual(found.shown(), r"GET http://shop.example/\x1b[2J\xff?b=1")

    def test_no_request(self) -> None:
        """Lines of relays have dashes, or nothing at all."""
        for method in (b"-", None):
            line = {**LINE, columns.METHOD: method}
            reader = RequestReader(tuple(line), tuple(line), Escapes.NONE, Defaults())
            self.assertEqual(reader.request(tuple(line.values())), NO_REQUEST)

    def test_refused(self) -> None:
        """What the gateway refuses it refuses here, too, with the same fault."""
        for changed, fault in (
            ({columns.METHOD: b"BREW"}, METHOD_UNKNOWN),
            ({columns.PATH: b"/%zz"}, BAD_PATH),
            ({columns.PATH: b"/\xc3\xbc"}, BAD_REQUEST),
            ({columns.AUTHORITY: b"a b"}, BAD_HOST),
            ({columns.AUTHORITY: b"-"}, BAD_HOST),
        ):
            self.assertEqual(head(request({**LINE, **changed}, escapes=Escapes.NONE)), fault)
        self.assertEqual(head(request({**LINE, columns.PATH: b"/x/../y"})), b"/y")
        self.assertEqual(head(request({**LINE, columns.AUTHORITY: b"-", columns.PROTOCOL: b"HTTP/1.0"})), b"/a")

    def test_headers(self) -> None:
        """A dash may be one, or stand for a header that was empty or not there; null is no header."""
        agent, user, empty = (header_subject(name) for name in ("user-agent", "x-user", "x-empty"))
        found = request(
            {
                **LINE,
                columns.header("User-Agent"): b"-",
                columns.header("x-user"): None,
                columns.header("x-empty"): b"",
                columns.header("x-there"): rb"a\"b",
            }
        )
        self.assertEqual(found.variants, {agent: ((), (b"",), (b"-",)), empty: ((), (b"",))})
        self.assertEqual(found.fields, [(b"x-there", b'a"b')])
        self.assertEqual(found.known, {QUERY, AUTHORITY, user, header_subject("x-there")})

    def test_set_anew(self) -> None:
        """Headers that the gateway sets itself are not in a log what routes saw."""
        names = ("x-request-id", "connection", "x-envoy-external-address", "x-forwarded-for")
        line = {**LINE, **{columns.header(name): b"x" for name in names}}
        self.assertEqual(request(line).fields, [])
        gateway = {**line, columns.FLAGS: b"-"}
        self.assertEqual(request(gateway).fields, [(b"x-forwarded-for", b"x")])
        several = {**gateway, columns.header("x-forwarded-for"): b"x, y"}
        self.assertEqual(request(several).fields, [])

    def test_host(self) -> None:
        """Who logs the host alone leaves open whether its port was asked for; a user may say it."""
        line = {**LINE, columns.HOST: b"other.example", columns.PORT: b"8080"}
        self.assertEqual(request(line).authority, b"shop.example")
        del line[columns.AUTHORITY]
        found = request(line)
        self.assertEqual(found.authority, b"other.example")
        self.assertEqual(found.variants[AUTHORITY], ((b"other.example",), (b"other.example:8080",)))
        self.assertEqual(request(line, Defaults(b"said.example")).authority, b"said.example")

    def test_connection(self) -> None:
        """Port, scheme and SNI, as far as they are said; the port that was bound becomes that of the files."""
        for said, expected in (
            ({}, (None, None, None)),
            ({columns.PORT: b"443"}, (443, None, None)),
            ({columns.LOCAL: b"[::1]:8443"}, (443, None, None)),
            ({columns.LOCAL: b"/run/gw.sock"}, (None, None, None)),
            ({columns.SCHEME: b"https"}, (None, True, None)),
            ({columns.SCHEME: b"http"}, (None, False, None)),
            ({columns.SNI: b"Shop.example"}, (None, True, "shop.example")),
            ({columns.SNI: b"-"}, (None, None, "")),
            ({columns.SNI: b"?"}, (None, None, None)),
        ):
            found = request({**LINE, **said}, Defaults(ports={8443: 443}))
            self.assertEqual((found.port, found.tls, found.server_name), expected)
        self.assertEqual(request(LINE, Defaults(port=80)).port, 80)

    def test_answer(self) -> None:
        """What the log says of the answer; a cluster that is a dash is none, one that is not there unknown."""
        self.assertEqual(request(LINE).answer, Answer())
        found = request({**LINE, columns.STATUS: b"404", columns.FLAGS: b"NR", columns.CLUSTER: b"-"})
        self.assertEqual(found.answer, Answer(404, "NR", "", ""))
