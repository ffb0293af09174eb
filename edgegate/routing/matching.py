# Hot path: decides each request's route.
"""How requests are matched against the conditions of routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from edgegate.model.claims import MARK, claim_at, claim_path, texts_of
from edgegate.model.matching import HTTPMatch, Kind, StringMatch, any_path, text_condition


class Request(Protocol):
    """What a request shows to the conditions."""

    @property
    def method(self) -> bytes: ...
    @property
    def path(self) -> bytes:
        """The target without its query."""

    @property
    def query(self) -> bytes:
        """What stands behind the path's question mark."""

    @property
    def scheme(self) -> bytes:
        """C{http} or C{https}."""

    @property
    def authority(self) -> bytes: ...
    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """In the order of arrival, names in lower case."""

    @property
    def port(self) -> int: ...
    @property
    def claims(self) -> Mapping[str, Any]:
        """Those of its token, if it has one that was verified."""


Condition = Callable[[Request], bool]


def condition(match: HTTPMatch) -> Condition | None:
    """Return a function that tells whether a request satisfies all of a match; L{None} where every request does."""
    path = [] if match.uri is None or any_path(match.uri) else [_path(match.uri)]
    return _all([*path, *_other_conditions(match)])


def other_condition(match: HTTPMatch) -> Condition | None:
    """Return a function that tells whether a request satisfies all of a match but its path; see L{condition}."""
    return _all(_other_conditions(match))


def _all(conditions: list[Condition]) -> Condition | None:
    if not conditions:
        return None
    if len(conditions) == 1:
        return conditions[0]
    return lambda request: all(holds(request) for holds in conditions)


def _other_conditions(match: HTTPMatch) -> list[Condition]:
    """Return the conditions on all but the path, the cheaper ones first."""
    conditions: list[Condition] = []
    if match.port is not None:
        conditions.append(_port(match.port))
    if match.method is not None:
        conditions.append(_method(text_condition(match.method)))
    if match.scheme is not None:
        conditions.append(_scheme(text_condition(match.scheme)))
    if match.authority is not None:
        conditions.append(_authority(text_condition(match.authority)))
    conditions.extend(_header(name.encode("latin-1"), text_condition(value)) for name, value in match.headers)
    conditions.extend(_no_header(name.encode("latin-1"), value) for name, value in match.without_headers)
    if match.query_params:
        conditions.append(_query([(name.encode(), text_condition(value)) for name, value in match.query_params]))
    return conditions


def first_params(query: bytes) -> dict[bytes, bytes]:
    """Return the parameters of a query as they came, escapes included; of several of one name the first (as Envoy)."""
    found: dict[bytes, bytes] = {}
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        found.setdefault(name, value)
    return found


def _path(match: StringMatch) -> Condition:
    holds = text_condition(match)
    return lambda request: holds(request.path)


def _method(holds: Callable[[bytes], bool]) -> Condition:
    return lambda request: holds(request.method)


def _authority(holds: Callable[[bytes], bool]) -> Condition:
    return lambda request: holds(request.authority)


def _scheme(holds: Callable[[bytes], bool]) -> Condition:
    return lambda request: holds(request.scheme)


def _no_header(name: bytes, match: StringMatch) -> Condition:
    """
    Return the negation of a condition on a header: no field of the name may satisfy it, nor all of them together.

    To a condition on its value a header that is not there is empty (Envoy's
    C{treat_missing_header_as_empty}, which Istio sets for C{withoutHeaders}). A
    claim that is not there is nothing.
    """
    values = values_of(name)
    missing = [] if name[:1] == _CLAIM else [b""]
    if match.kind is Kind.PRESENT:
        return lambda request: not values(request)
    holds = text_condition(match)
    joint = JOINED.get(name)

    def check(request: Request) -> bool:
        given = values(request) or missing
        if any(holds(value) for value in given):
            return False
        return joint is None or len(given) == 1 or not holds(joint.join(given))

    return check


def _query(params: Sequence[tuple[bytes, Callable[[bytes], bool]]]) -> Condition:
    def check(request: Request) -> bool:
        given = first_params(request.query)
        return all(name in given and holds(given[name]) for name, holds in params)

    return check


def _port(number: int) -> Condition:
    return lambda request: request.port == number


def _header(name: bytes, holds: Callable[[bytes], bool]) -> Condition:
    values = values_of(name)
    joint = JOINED.get(name)

    if joint is None:
        return lambda request: any(holds(value) for value in values(request))
    between = joint

    def check(request: Request) -> bool:
        given = values(request)
        return bool(given) and holds(between.join(given))

    return check


JOINED: dict[bytes, bytes] = {
    # RFC 9113 section 8.2.3: a cookie may come in pieces
    b"cookie": b"; ",
    **dict.fromkeys(
        (
            *(b"accept", b"accept-encoding", b"access-control-request-headers", b"access-control-request-method"),
            *(b"authorization", b"cache-control", b"content-encoding", b"content-type", b"expect", b"grpc-timeout"),
            *(b"if-match", b"if-modified-since", b"if-none-match", b"if-range", b"origin", b"pragma", b"referer"),
            *(b"user-agent", b"via", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port"),
        ),
        b",",
    ),
}
"""Headers of which several fields are one value, with what stands between them: those that Envoy keeps joined."""


def values_of(name: bytes) -> Callable[[Request], list[bytes]]:
    """Return a function that finds the values of a header's fields, or of a claim."""
    if name[:1] == b":":
        part = _PSEUDO.get(name, _nothing)
        return lambda request: [value for value in (part(request),) if value is not None]

    if name[:1] == _CLAIM:
        path = claim_path(name.decode("latin-1"))
        return lambda request: [text.encode() for text in texts_of(claim_at(request.claims, path))]

    def find(request: Request) -> list[bytes]:
        return [value.rstrip(b" \t") for key, value in request.headers if key == name]

    return find


_CLAIM = MARK.encode("ascii")


def _nothing(request: Request) -> bytes | None:
    return None


def _target(request: Request) -> bytes:
    query = request.query
    return b"%b?%b" % (request.path, query) if query else request.path


_PSEUDO: dict[bytes, Callable[[Request], bytes | None]] = {
    b":authority": lambda request: request.authority,
    b":method": lambda request: request.method,
    b":path": _target,
    b":scheme": lambda request: request.scheme,
}
"""Headers that are parts of the request line of HTTP/1."""
