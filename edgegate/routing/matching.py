# Hot path: decides each request's route.
"""
Conditions of routes (Istio's C{HTTPMatchRequest} and C{StringMatch}) and how a request is matched against them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Protocol

MAX_REGEX = 1024
"""Characters of a regular expression, as Istio's validation has it."""


class Kind(Enum):
    """The three forms of Istio's C{StringMatch}, and presence (C{{}} for headers)."""

    EXACT = "exact"
    PREFIX = "prefix"
    REGEX = "regex"
    PRESENT = "present"

    __hash__ = object.__hash__  # Enum's own is slow, and matches are hashed by the thousand when files are read


@dataclass(frozen=True, slots=True)
class StringMatch:
    """A condition on a text. A regular expression is RE2 and must match the whole text."""

    kind: Kind
    value: str = ""
    ignore_case: bool = False  # exact and prefix only


@dataclass(frozen=True, slots=True)
class HTTPMatch:
    """
    Conditions that must all hold; one that is L{None} or empty always holds.

    Of several fields of one name each is looked at alone, and one that fits
    is enough (Envoy's C{match_headers_individually}); those of the names in
    L{JOINED} are one value. A pseudo-header of HTTP/2 is a header, too:
    C{:path} is the target with its query.

    @ivar stat_prefix: What statistics of the requests would be called; no condition.
    """

    uri: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: tuple[tuple[str, StringMatch], ...] = ()  # names in lower case
    port: int | None = None  # the server's number in the Gateway
    scheme: StringMatch | None = None
    without_headers: tuple[tuple[str, StringMatch], ...] = ()  # none of these may hold
    query_params: tuple[tuple[str, StringMatch], ...] = ()
    stat_prefix: str = ""


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


Condition = Callable[[Request], bool]


@lru_cache(maxsize=1024)  # the expressions of thousands of routes are few, and each is checked twice
def check_regex(expression: str) -> None:
    """
    @raise ValueError: Not a regular expression of RE2, or longer than L{MAX_REGEX}.
    """
    if len(expression) > MAX_REGEX:
        raise ValueError(f"longer than {MAX_REGEX} characters")
    _compile(expression)


def text_condition(match: StringMatch) -> Callable[[bytes], bool]:
    """Return a function that tells whether a text satisfies a L{StringMatch}."""
    if match.kind is Kind.PRESENT:
        return lambda text: True
    if match.kind is Kind.REGEX:
        full = _compile(match.value).fullmatch
        return lambda text: full(text) is not None
    value = match.value.encode()
    if match.ignore_case:
        value = value.lower()
        if match.kind is Kind.EXACT:
            return lambda text: text.lower() == value
        return lambda text: text.lower().startswith(value)
    if match.kind is Kind.EXACT:
        return value.__eq__
    return lambda text: text.startswith(value)


def condition(match: HTTPMatch) -> Condition | None:
    """Return a function that tells whether a request satisfies all of a match; L{None} where every request does."""
    path = [] if match.uri is None or any_path(match.uri) else [_path(match.uri)]
    return _all([*path, *_other_conditions(match)])


def other_condition(match: HTTPMatch) -> Condition | None:
    """Return a function that tells whether a request satisfies all of a match but its path; see L{condition}."""
    return _all(_other_conditions(match))


def any_path(uri: StringMatch) -> bool:
    """Whether a condition on the path holds for every path, in one of the ways to say so that Istio knows, too."""
    return uri.kind is Kind.PRESENT or (uri.kind, uri.value) in _ANY_PATH


_ANY_PATH = ((Kind.PREFIX, ""), (Kind.PREFIX, "/"), (Kind.REGEX, ".*"))


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
    C{treat_missing_header_as_empty}, which Istio sets for C{withoutHeaders}).
    """
    values = _values(name)
    if match.kind is Kind.PRESENT:
        return lambda request: not values(request)
    holds = text_condition(match)
    joint = JOINED.get(name)

    def check(request: Request) -> bool:
        given = values(request) or [b""]
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
    values = _values(name)
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


def _values(name: bytes) -> Callable[[Request], list[bytes]]:
    """Return a function that finds the values of a header's fields."""
    if name[:1] == b":":
        part = _PSEUDO.get(name, _nothing)
        return lambda request: [value for value in (part(request),) if value is not None]

    def find(request: Request) -> list[bytes]:
        return [value.rstrip(b" \t") for key, value in request.headers if key == name]

    return find


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


@lru_cache(maxsize=4096)  # asked for with each path
def substitution(expression: str, replacement: str) -> Callable[[bytes], bytes]:
    """
    Return a function that replaces everything in a text that an expression of RE2 finds.

    @param replacement: C{\\0} is what was found, C{\\1} to C{\\9} are groups of it, C{\\\\} is a backslash.
    @raise ValueError: The expression is none, or the replacement names a group that it has not.
    """
    compiled = _re2(expression)
    parts = _parts(replacement, compiled.groups)

    def substitute(text: bytes) -> bytes:
        pieces: list[bytes] = []
        end = 0
        for found in compiled.finditer(text):
            start, stop = found.span()
            # RE2's GlobalReplace finds nothing empty where something ended; this module's own substitution would
            if start == stop == end and pieces:
                continue
            pieces.append(text[end:start])
            pieces += ((found.group(part) or b"") if isinstance(part, int) else part for part in parts)
            end = stop
        pieces.append(text[end:])
        return b"".join(pieces)

    return substitute


def _parts(replacement: str, groups: int) -> list[bytes | int]:
    """Tell texts from numbers of groups in a replacement."""
    parts: list[bytes | int] = []
    for text, escaped in re.findall(r"([^\\]*)(\\.?)?", replacement, re.DOTALL):
        parts.append(text.encode())
        if escaped == "\\\\":
            parts.append(b"\\")
        elif escaped[1:] in tuple("0123456789") and int(escaped[1:]) <= groups:
            parts.append(int(escaped[1:]))
        elif escaped:
            what = f"there is no group {escaped[1:]}" if escaped[1:].isdecimal() else "write \\\\ for a backslash"
            raise ValueError(f"{escaped}: {what}")
    return [part for part in parts if part != b""]


class _Found(Protocol):
    def group(self, number: int, /) -> bytes | None: ...
    def span(self) -> tuple[int, int]: ...


class _Pattern(Protocol):
    def fullmatch(self, text: bytes, /) -> object: ...


class _Substitutes(_Pattern, Protocol):
    @property
    def groups(self) -> int: ...
    def finditer(self, text: bytes, /) -> Iterator[_Found]: ...


# Quantifiers, alternation and groups are what a backtracking engine can be slow at. An expression of single characters
# and classes, of which one at most is repeated, goes back over the text once at most and compares the short rest: that
# is linear on either engine, and `re` is much faster to call. Only what both read alike is let through.
_LITERAL = r"[A-Za-z0-9/_~=,;:@%!&'<>\" -]|\\[./-]"
_CLASS = r"\.|\\[dw]|\[(?:[A-Za-z0-9_.](?:-[A-Za-z0-9_.])?)+-?\]"
_LINEAR = re.compile(rf"(?:{_LITERAL}|(?:{_CLASS})(?![*+?{{]))*(?:(?:{_CLASS})[*+](?:{_LITERAL}){{0,64}})?")


def _compile(expression: str) -> _Pattern:
    compiled = _re2(expression)
    if _LINEAR.fullmatch(expression) and expression.isascii():
        # RE2's `.` matches no newline either; \d and \w on bytes are ASCII in both (\s differs).
        return re.compile(expression.encode())
    return compiled


def _re2(expression: str) -> _Substitutes:
    import re2  # noqa: PLC0415 (megabytes, for files with expressions that need it)

    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    try:
        compiled: _Substitutes = re2.compile(expression.encode(), options)
    except re2.error as error:
        detail = error.args[0]
        raise ValueError(detail.decode() if isinstance(detail, bytes) else str(detail)) from error
    return compiled
