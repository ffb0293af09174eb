"""The second part, of what a request is: RFC 9113 section 8."""

from __future__ import annotations

from edgegate.http.h2.errors import PROTOCOL_ERROR
from edgegate.http.h2.frames import END_HEADERS
from tests.acceptance.conformance.exchange import Case, case, connection_error, stream_error
from tests.http.h2.messages import Fields, block, data, headers, push_promise, request


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    fields = request(scheme)
    method, its_scheme, path, authority = fields
    wrong = stream_error(PROTOCOL_ERROR)

    def of(section: str, text: str, said: Fields) -> Case:
        return case(section, text, headers(1, block(said)), wrong)

    return [
        *_uploads(scheme),
        of("8.2", "a name in upper case", [*fields, ("X-TEST", "ok")]),
        of("8.3", "an unknown pseudo field", [*fields, (":test", "ok")]),
        of("8.3", "a pseudo field of responses", [*fields, (":status", "200")]),
        of("8.3", "a pseudo field behind a field", [("x-test", "ok"), *fields]),
        of("8.2.2", "a field of the connection", [*fields, ("connection", "keep-alive")]),
        of("8.2.2", "TE other than trailers", [*fields, ("trailers", "test"), ("te", "trailers, deflate")]),
        of("8.3.1", "an empty path", [method, its_scheme, (":path", ""), authority]),
        of("8.3.1", "no method", [its_scheme, path, authority]),
        of("8.3.1", "no scheme", [method, path, authority]),
        of("8.3.1", "no path", [method, its_scheme, authority]),
        of("8.3.1", "the method twice", [*fields, method]),
        of("8.3.1", "the scheme twice", [*fields, its_scheme]),
        of("8.3.1", "the path twice", [*fields, path]),
        case("8.4", "PUSH_PROMISE", push_promise(1, 3, block(fields)), connection_error(PROTOCOL_ERROR)),
    ]


def _uploads(scheme: str) -> list[Case]:
    fields = request(scheme, "POST")
    begun = headers(1, block(fields), END_HEADERS) + data(1, b"test", 0)
    sized = headers(1, block([*fields, ("content-length", "1")]), END_HEADERS)
    wrong = stream_error(PROTOCOL_ERROR)
    return [
        case("8.1", "a second head", begun + headers(1, block([("x-test", "ok")]), END_HEADERS), wrong),
        case("8.1", "a pseudo field in trailers", begun + headers(1, block([(":method", "POST")]), END_HEADERS), wrong),
        case("8.1.1", "more DATA than content-length", sized + data(1, b"test"), wrong),
        case("8.1.1", "more DATA in pieces", sized + data(1, b"test", 0) + data(1, b"test"), wrong),
    ]
