"""Tests of L{edgegate.http.h2.request_heads}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    BAD_HOST,
    BAD_PATH,
    BAD_REQUEST,
    EXPECTATION_FAILED,
    METHOD_REFUSED,
    METHOD_UNKNOWN,
    NO_ROUTE,
    Fault,
)
from edgegate.http.fields import UNKNOWN_LENGTH, Field, Underscores, request_roles
from edgegate.http.h1.head_parser import METHODS, HeadParser
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.target import PathNormalisation

CONNECT: list[Field] = [
    (b":method", b"CONNECT"),
    (b":protocol", b"websocket"),
    (b":scheme", b"https"),
    (b":authority", b"a.example"),
    (b":path", b"/chat"),
]


def request(*fields: Field, **pseudo: bytes | None) -> list[Field]:
    """Return the fields of a request; a pseudo field of L{None} is left out."""
    values: dict[str, bytes | None] = {"method": b"GET", "scheme": b"https", "authority": b"a.example", "path": b"/"}
    values.update(pseudo)
    return [(b":" + name.encode(), value) for name, value in values.items() if value is not None] + list(fields)


class RequestHeadsTests(SynchronousTestCase):
    """Fields of requests."""

    def setUp(self) -> None:
        self.heads = RequestHeads(METHODS)

    def head(self, fields: list[Field], ends: bool = True) -> RequestHead:
        """Return what fields say."""
        return self.heads.head(fields, ends, True)

    def outcome(self, fields: list[Field], ends: bool = True) -> Fault | None:
        """Return the fault with which fields are refused; L{None}: they are malformed."""
        try:
            self.head(fields, ends)
        except RequestRefused as refused:
            return refused.fault
        except Malformed:
            return None
        raise AssertionError(f"{fields} passed")

    def test_pseudo(self) -> None:
        """The pseudo fields become what every version has; no field of their names goes on."""
        head = self.head(request((b"accept", b"*/*"), path=b"/a/../b?c", authority=b"A.example:8443"))
        self.assertEqual((head.method, head.target, head.path), (b"GET", b"/b?c", b"/b"))
        self.assertEqual((head.authority, head.host, head.version), (b"A.example:8443", "a.example", "2"))
        self.assertEqual(head.fields, [(b"accept", b"*/*")])
        self.assertTrue(head.keep)

    def test_as_http1(self) -> None:
        """What HTTP/1 makes of the same request is the same."""
        fields = [
            (b"user-agent", b"x"),
            (b"x-forwarded-for", b"1.2.3.4"),
            (b"x-forwarded-proto", b"https"),
            (b"x-request-id", b"7"),
            (b"x-envoy-internal", b"true"),
            (b"forwarded", b"for=me"),
            (b"http2-settings", b"x"),
            (b"te", b"trailers"),
            (b"expect", b"100-continue"),
            (b"content-length", b"5"),
        ]
        lines = b"".join(b"%b: %b\r\n" % field for field in fields) + b"connection: te\r\n"
        other = HeadParser(Limits()).read(b"PUT /a%%2Fb?c HTTP/1.1\r\nhost: a.example\r\n%b\r\n" % lines)
        head = self.head(request(*fields, method=b"PUT", path=b"/a%2Fb?c"), False)
        differing = {"version", "special"}
        for name in RequestHead.__slots__:
            if name not in differing:
                self.assertEqual(getattr(head, name), getattr(other, name), name)

    def test_length(self) -> None:
        """How long a body is: by its field, none where the head is all there is, else until its end."""
        for fields, ends, length, sized in (
            ([], True, 0, False),
            ([], False, UNKNOWN_LENGTH, False),
            ([(b"content-length", b"5")], False, 5, True),
            ([(b"content-length", b"0")], True, 0, True),
            ([(b"content-length", b"0")], False, 0, True),
        ):
            head = self.head(request(*fields, method=b"POST"), ends)
            self.assertEqual((head.length, head.sized), (length, sized))

    def test_bad_length(self) -> None:
        """A length that is none, that is there twice, or that the end belies is malformed."""
        for values, ends in (([b"5"], True), ([b"+5"], False), ([b""], False), ([b"5", b"5"], False), ([b"-1"], False)):
            self.assertIsNone(self.outcome(request(*((b"content-length", value) for value in values)), ends))

    def test_malformed(self) -> None:
        """Pseudo fields that are missing, unknown, there twice, or behind others (row 58)."""
        for fields in (
            request(method=None),
            request(scheme=None),
            request(path=None),
            request(path=b""),
            request(method=b""),
            request(scheme=b""),
            request((b":path", b"/")),
            request((b":authority", b"a.example")),
            request((b":status", b"200")),
            request((b":unknown", b"")),
            request((b":protocol", b"websocket")),
            [(b"accept", b"*/*"), *request()],
        ):
            self.assertIsNone(self.outcome(fields), fields)

    def test_connection_specific(self) -> None:
        """Fields of an HTTP/1 connection, and TE that says more than trailers (row 54)."""
        for field in (
            (b"connection", b"close"),
            (b"keep-alive", b"1"),
            (b"proxy-connection", b"close"),
            (b"transfer-encoding", b"chunked"),
            (b"upgrade", b"websocket"),
            (b"te", b"gzip"),
            (b"te", b"trailers, gzip"),
        ):
            self.assertIsNone(self.outcome(request(field)), field)
            self.assertRaises(Malformed, self.heads.trailers, [field] if field[0] != b"te" else [(b":path", b"/")])
        self.assertEqual(self.head(request((b"te", b"trailers"))).fields, [(b"te", b"trailers")])

    def test_request_line(self) -> None:
        """Nothing gets into the line of an HTTP/1 request that it does not have (rows 55 and 56)."""
        for fields, fault in (
            (request(path=b"a"), BAD_REQUEST),
            (request(path=b"https://a.example/"), BAD_REQUEST),
            (request(path=b"*"), BAD_REQUEST),
            (request(path=b"/a b"), BAD_REQUEST),
            (request(path=b"/?a HTTP/1.1"), BAD_REQUEST),
            (request(path=b"/?\xc3\xa9"), BAD_REQUEST),
            (request(path=b"/a#b"), BAD_REQUEST),
            (request(path=b"/%00"), BAD_PATH),
            (request(path=b"/%x"), BAD_PATH),
            (request(scheme=b"http://x/?"), BAD_REQUEST),
            (request(scheme=b"ftp"), BAD_REQUEST),
            (request(method=b"GET?"), METHOD_UNKNOWN),
            (request(method=b"get"), METHOD_UNKNOWN),
            (request(method=b"GET / HTTP/1.1"), METHOD_UNKNOWN),
            (request(method=b"TRACE"), METHOD_REFUSED),
        ):
            self.assertEqual(self.outcome(fields), fault, fields)

    def test_asterisk(self) -> None:
        """OPTIONS may ask of the server as a whole."""
        head = self.head(request(method=b"OPTIONS", path=b"*"))
        self.assertEqual((head.target, head.path, head.special), (b"*", b"*", True))

    def test_https(self) -> None:
        """A URL of https is told, which is not served in the clear."""
        self.assertTrue(self.head(request()).special)
        self.assertFalse(self.head(request(scheme=b"http")).special)

    def test_authority(self) -> None:
        """Host may stand for the authority, or be the same; who is asked never depends on who reads it (row 57)."""
        for authority, hosts in (
            (None, [b"a.example"]),
            (b"a.example", [b"a.example"]),
            (b"a.example", [b"A.Example"]),
            (b"a.example", []),
        ):
            head = self.head(request(*((b"host", host) for host in hosts), authority=authority))
            self.assertEqual((head.host, head.authority, head.fields), ("a.example", b"a.example", []))
        for authority, hosts in (
            (None, []),
            (b"a.example", [b"b.example"]),
            (b"a.example", [b"a.example:1"]),
            (b"a.example", [b""]),
            (b"a.example", [b"a.example", b"a.example"]),
            (None, [b"a.example", b"a.example"]),
            (b"", []),
            (b"user@a.example", []),
            (b"a.example/b", []),
            (b"a b", []),
        ):
            fields = request(*((b"host", host) for host in hosts), authority=authority)
            self.assertEqual(self.outcome(fields), BAD_HOST, fields)

    def test_cookies(self) -> None:
        """The crumbs of a cookie are one field again (RFC 9113 section 8.2.3)."""
        head = self.head(
            request((b"cookie", b"a=1"), (b"accept", b"*/*"), (b"cookie", b"b=2"), (b"cookie", b"c=3"), (b"x", b""))
        )
        self.assertEqual(head.fields, [(b"cookie", b"a=1; b=2; c=3"), (b"accept", b"*/*"), (b"x", b"")])

    def test_expect(self) -> None:
        """Of the expectations there is one that is known."""
        self.assertTrue(self.head(request((b"expect", b"100-Continue"))).expects_continue)
        self.assertEqual(self.outcome(request((b"expect", b"x"))), EXPECTATION_FAILED)

    def test_connect(self) -> None:
        """CONNECT has no route; with a scheme or a path it is malformed (RFC 9113 section 8.5)."""
        self.assertEqual(self.outcome([(b":method", b"CONNECT"), (b":authority", b"a:1")]), NO_ROUTE)
        for fields in (request(method=b"CONNECT"), [(b":method", b"CONNECT")]):
            self.assertIsNone(self.outcome(fields), fields)

    def test_extended_connect(self) -> None:
        """Extended CONNECT becomes what Upgrade is: GET, and a protocol that the client would rather speak."""
        head = self.head(CONNECT, False)
        self.assertEqual((head.method, head.path, head.upgrade, head.length), (b"GET", b"/chat", (b"websocket",), 0))
        for missing in range(1, 5):
            if missing != 3:
                fields = [field for at, field in enumerate(CONNECT) if at != missing]
                self.assertIsNone(self.outcome(fields, False), fields)
        for protocol in (b"h2c", b"", b"a b", b"a, b"):
            fields = [(name, protocol if name == b":protocol" else value) for name, value in CONNECT]
            self.assertEqual(self.outcome(fields, False), BAD_REQUEST, protocol)
        self.assertIsNone(self.outcome([*CONNECT, (b"content-length", b"1")], False))
        self.assertRaises(Malformed, self.heads.head, CONNECT, False, False)

    def test_underscores(self) -> None:
        """Names with underscores may be refused, in trailers as well."""
        self.heads = RequestHeads(METHODS, roles=request_roles(False, Underscores.REJECT))
        self.assertEqual(self.outcome(request((b"a_b", b""))), BAD_REQUEST)
        self.assertRaises(Malformed, self.heads.trailers, [(b"a_b", b"")])

    def test_paths(self) -> None:
        """A path is brought to the form that is asked for."""
        self.heads = RequestHeads(METHODS, PathNormalisation.MERGE_SLASHES)
        self.assertEqual(self.head(request(path=b"//a//b")).path, b"/a/b")

    def test_trailers(self) -> None:
        """Trailers go on but for what is the gateway's to say; none of them directs the request (row 61)."""
        fields = [(b"grpc-message", b"x"), (b"x-forwarded-for", b"1"), (b"content-length", b"1"), (b"host", b"x")]
        self.assertEqual(self.heads.trailers(fields), [(b"grpc-message", b"x")])
        self.assertRaises(Malformed, self.heads.trailers, [(b":path", b"/")])

    def test_remembered(self) -> None:
        """A head that came twice is the same object from then on, with its end and without, and on all connections."""
        fields = request((b"x", b"y"))
        first, second, third = (self.head(list(fields)) for _ in range(3))
        self.assertIsNot(first, second)
        self.assertIs(second, third)
        self.assertEqual(self.head(list(fields), False).length, UNKNOWN_LENGTH)

    def test_not_remembered(self) -> None:
        """What carries a secret, or becomes a tunnel, is not kept."""
        for fields in (request((b"cookie", b"x")), request((b"authorization", b"x")), CONNECT):
            made = [self.head(list(fields), False) for _ in range(3)]
            self.assertIsNot(made[1], made[2])
