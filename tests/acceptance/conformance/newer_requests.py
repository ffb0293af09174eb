"""
What RFC 9113 says of requests beside what the public suite tries.

Whatever is wrong with one of them ends it alone, and the next on its connection
is served. All that are wrong ask for L{MALFORMED}, which no backend may see.
"""

from __future__ import annotations

from edgegate.http.h2.frames import END_HEADERS
from tests.acceptance.conformance.exchange import Case, Step, answered, case, refused
from tests.http.h2.messages import Fields, block, data, headers, request

MALFORMED = "/malformed"


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    return [
        *_names(scheme),
        *_values(scheme),
        *_control(scheme),
        *_authority(scheme),
        *_connect(scheme),
        *_lengths(scheme),
    ]


def _wrong(scheme: str, section: str, text: str, *said: bytes) -> Case:
    next_one = headers(3, block(request(scheme)))
    return case(section, text, b"".join(said), refused(), next_one, answered(3, 200))


def _names(scheme: str) -> list[Case]:
    fields = request(scheme, path=MALFORMED)
    upload = headers(1, block(request(scheme, "POST", MALFORMED)), END_HEADERS)

    def of(section: str, name: str, value: str = "x") -> list[Case]:
        said = block([(name, value)])
        return [
            _wrong(scheme, section, f"a field {name!r}: {value}", headers(1, block(fields) + said)),
            _wrong(scheme, section, f"{name!r} in trailers", upload, data(1, b"x", 0), headers(1, said)),
        ]

    found: list[Case] = []
    for name in ("", "a b", " a", "a ", "a\t", "a\r", "a\n", "a\0", "a\x7f", "aB", "a:b", "ä"):
        found += of("8.2.1", name)
    for name in ("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"):
        found += of("8.2.2", name)
    for name in (":path", ":status", ":x", ":"):
        found += of("8.3", name)
    te = headers(1, block([*request(scheme), ("te", "trailers")]))
    for value in ("gzip", "trailers, gzip", "trailers;q=1", ""):
        found.append(_wrong(scheme, "8.2.2", f"te: {value}", headers(1, block([*fields, ("te", value)]))))
    return [*found, case("8.2.2", "te: trailers", te, answered(1, 200))]


def _values(scheme: str) -> list[Case]:
    fields = block(request(scheme, path=MALFORMED))
    upload = headers(1, block(request(scheme, "POST", MALFORMED)), END_HEADERS)
    found: list[Case] = []
    for value in (" a", "a ", "\ta", "a\t", " ", "a\rb", "a\nb", "a\r\nb: c", "a\0b"):
        said = block([("x-value", value)])
        found.append(_wrong(scheme, "8.2.1", f"a value {value!r}", headers(1, fields + said)))
        found.append(_wrong(scheme, "8.2.1", f"{value!r} in trailers", upload, headers(1, said)))
    for value in ("", "a b\tc", "ÿ"):
        said = block([*request(scheme), ("x-value", value)])
        found.append(case("8.2.1", f"a value {value!r}", headers(1, said), answered(1, 200)))
    crumbs = headers(1, block([*request(scheme), ("cookie", "a=b"), ("x", "y"), ("cookie", "c=d")]))
    return [*found, case("8.2.3", "a cookie in crumbs", crumbs, answered(1, 200))]


def _control(scheme: str) -> list[Case]:
    method, its_scheme, path, authority = request(scheme, path=MALFORMED)

    def wrong(text: str, *said: tuple[str, str]) -> Case:
        return _wrong(scheme, "8.3.1", text, headers(1, block(list(said))))

    stars = request(scheme, "OPTIONS", "*")
    paths = ("", "malformed", "*", "http://a.example/malformed", "/mal formed", "/malformed#x", "/malformed\0", "?a")
    return [
        case("8.3.1", "OPTIONS *", headers(1, block(stars)), answered()),
        *(wrong(f"a path {each!r}", method, its_scheme, (":path", each), authority) for each in paths),
        *(wrong(f"a method {each!r}", (":method", each), its_scheme, path, authority) for each in ("", "G T", "GET ")),
        *(wrong(f"a scheme {each!r}", method, (":scheme", each), path, authority) for each in ("", "h ttp", "http:")),
        *(wrong(f"{each[0]} twice", method, its_scheme, path, authority, each) for each in (authority, path, method)),
        wrong("nothing but fields", ("x", "y")),
        wrong("a response", (":status", "200")),
    ]


def _authority(scheme: str) -> list[Case]:
    method, its_scheme, path, authority = request(scheme)
    bad_path = (":path", MALFORMED)

    def right(text: str, *said: tuple[str, str]) -> Case:
        return case("8.3.1", text, headers(1, block([method, its_scheme, path, *said])), answered(1, 200))

    def wrong(text: str, *said: tuple[str, str]) -> Case:
        return _wrong(scheme, "8.3.1", text, headers(1, block([method, its_scheme, bad_path, *said])))

    authorities = ("", "user@a.example", "a.example/x", "a example", "a.example:x", "a.example:99999", "a\0", "[::1")
    return [
        right("Host as :authority", authority, ("host", "a.example")),
        right("Host in other letters", authority, ("host", "A.Example")),
        right("Host without :authority", ("host", "a.example")),
        wrong("another Host", authority, ("host", "b.example")),
        wrong("another Host first", ("host", "b.example"), authority),
        wrong("Host twice", authority, ("host", "a.example"), ("host", "a.example")),
        wrong("an empty Host", authority, ("host", "")),
        wrong("neither"),
        *(wrong(f":authority {each!r}", (":authority", each)) for each in authorities),
    ]


def _connect(scheme: str) -> list[Case]:
    authority = (":authority", "a.example")
    its_scheme, path, protocol = (":scheme", scheme), (":path", MALFORMED), (":protocol", "websocket")

    def wrong(section: str, text: str, *said: tuple[str, str], ends: bool = False) -> Case:
        block_ = block([(":method", "CONNECT"), *said])
        return _wrong(scheme, section, text, headers(1, block_, END_HEADERS | ends))

    get = headers(1, block([*request(scheme, path=MALFORMED), protocol]))
    return [
        wrong("8.5", "CONNECT", authority),
        wrong("8.5", "CONNECT without :authority"),
        wrong("8.5", "CONNECT with :scheme", authority, its_scheme),
        wrong("8.5", "CONNECT with :path", authority, path),
        wrong("RFC 8441 4", "extended CONNECT without :path", authority, its_scheme, protocol),
        wrong("RFC 8441 4", "without :scheme", authority, path, protocol),
        wrong("RFC 8441 4", "without :authority", its_scheme, path, protocol),
        wrong("RFC 8441 4", ":protocol twice", authority, its_scheme, path, protocol, protocol),
        wrong("RFC 8441 4", "an empty :protocol", authority, its_scheme, path, (":protocol", "")),
        _wrong(scheme, "RFC 8441 4", ":protocol of GET", get),
    ]


def _lengths(scheme: str) -> list[Case]:
    """Section 8.1.1: what content-length says is how many bytes of DATA there are."""

    def head(path: str, *lengths: str) -> Fields:
        return [*request(scheme, "POST", path), *(("content-length", each) for each in lengths)]

    def upload(text: str, size: str, *pieces: bytes) -> Case:
        begun = headers(1, block(head(MALFORMED, size)), END_HEADERS)
        return _wrong(scheme, "8.1.1", text, begun, *pieces)

    trailers = headers(1, block([("x-sum", "1")]))
    whole = headers(1, block(head("/", "4")), END_HEADERS)
    last: tuple[Step, ...] = (answered(1, 200),)
    found = [
        case("8.1.1", "as many bytes", whole + data(1, b"te", 0) + data(1, b"st"), *last),
        case("8.1.1", "and an empty end", whole + data(1, b"test", 0) + data(1, b""), *last),
        case("8.1.1", "and trailers", whole + data(1, b"test", 0) + trailers, *last),
        case("8.1.1", "none", headers(1, block(head("/", "0"))), *last),
        upload("fewer bytes", "5", data(1, b"test")),
        upload("fewer in pieces", "5", data(1, b"te", 0), data(1, b"st")),
        upload("fewer and trailers", "5", data(1, b"test", 0), trailers),
        upload("more, without an end", "3", data(1, b"test", 0)),
        upload("more than none", "0", data(1, b"test")),
        _wrong(scheme, "8.1.1", "bytes that never come", headers(1, block(head(MALFORMED, "4")))),
    ]
    for value in ("", "+4", "-4", "4.0", "0x4", "4 ", " 4", "four", "4,5", "٤", "9" * 40):
        found.append(upload(f"content-length: {value!r}", value, data(1, b"test")))
    for lengths in (("4", "5"), ("5", "4")):
        begun = headers(1, block(head(MALFORMED, *lengths)), END_HEADERS)
        found.append(_wrong(scheme, "8.1.1", f"content-length: {lengths}", begun, data(1, b"test")))
    return found
