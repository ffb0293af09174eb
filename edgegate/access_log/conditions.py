# Hot path: asked of each request where a log has a filter.
"""
Filters of access logs: expressions of CEL (L{edgegate.model.cel}) made into functions, once.

What CEL calls an error, such as an attribute that is not there, and what is no boolean, means that nothing is logged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import random
from typing import Any, Final

from edgegate.access_log.record import LogRecord
from edgegate.access_log.values import Value, getter
from edgegate.errors import response_flags
from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.model.cel import (
    Attribute,
    Binary,
    Call,
    Conditional,
    Constant,
    Has,
    Item,
    Node,
    Not,
    found_in_any,
    parse,
)
from edgegate.model.expressions import compiled
from edgegate.model.operators import operator

Condition = Callable[[LogRecord], bool]

_Evaluate = Callable[[LogRecord], Any]
"""Gives a value of CEL, or raises L{_Failed}."""


class _Failed(Exception):
    """CEL's error."""


class _Seconds:
    """A duration."""

    __slots__ = ("value",)

    def __init__(self, value: float) -> None:
        self.value = value


class _Fields:
    """A map of headers: one that comes several times is the values with commas between them."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = fields

    def find(self, name: object) -> str | None:
        """Return the value of a header."""
        if not isinstance(name, str):
            return None
        wanted = name.lower().encode()
        values = [value for key, value in self._fields if key == wanted]
        return b",".join(values).decode("utf-8", "backslashreplace") if values else None

    def __len__(self) -> int:
        return len({name for name, _ in self._fields})


def condition(expression: str) -> Condition:
    """
    Return what tells whether something is logged.

    @raise edgegate.model.cel.BadExpression: It is no expression.
    """
    evaluate = _compiled(parse(expression))

    def holds(record: LogRecord) -> bool:
        try:
            return evaluate(record) is True
        except _Failed:
            return False

    return holds


def _compiled(node: Node) -> _Evaluate:  # noqa: PLR0911 (a kind of node each)
    if isinstance(node, Constant):
        value = node.value
        return lambda record: value
    if isinstance(node, Attribute):
        return _attribute(node)
    if isinstance(node, Item):
        return _item(node)
    if isinstance(node, Has):
        return _has(node)
    if isinstance(node, Not):
        return _not(_compiled(node.what))
    if isinstance(node, Binary):
        return _binary(node)
    if isinstance(node, Conditional):
        return _conditional(node)
    if isinstance(node, Call):
        return _call(node)
    items = [_compiled(each) for each in node.items]
    return lambda record: [each(record) for each in items]


def _boolean(value: Any) -> bool:
    if value is True or value is False:
        return bool(value)
    raise _Failed


def _not(what: _Evaluate) -> _Evaluate:
    return lambda record: not _boolean(what(record))


def _conditional(node: Conditional) -> _Evaluate:
    asked, then, otherwise = _compiled(node.condition), _compiled(node.then), _compiled(node.otherwise)
    return lambda record: then(record) if _boolean(asked(record)) else otherwise(record)


def _has(node: Has) -> _Evaluate:
    what = _compiled(node.what)

    def there(record: LogRecord) -> Any:
        try:
            what(record)
        except _Failed:
            return False
        return True

    return there


def _item(node: Item) -> _Evaluate:
    of, key = _compiled(node.of), _compiled(node.key)

    def item(record: LogRecord) -> Any:
        container, wanted = of(record), key(record)
        found: Any = None
        if isinstance(container, _Fields):
            found = container.find(wanted)
        elif isinstance(container, list) and type(wanted) is int and 0 <= wanted < len(container):
            return container[wanted]
        if found is None:
            raise _Failed
        return found

    return item


# Operators ------------------------------------------------------------------------------------------------------------


def _binary(node: Binary) -> _Evaluate:
    left, right = _compiled(node.left), _compiled(node.right)
    if node.operator == "&&":
        return _forgiving(left, right, False)
    if node.operator == "||":
        return _forgiving(left, right, True)
    operate = _OPERATORS[node.operator]
    return lambda record: operate(left(record), right(record))


def _forgiving(left: _Evaluate, right: _Evaluate, decisive: bool) -> _Evaluate:
    """Of two sides one that decides does so, whatever is wrong with the other."""

    def both(record: LogRecord) -> Any:
        try:
            first = _boolean(left(record))
        except _Failed:
            if _boolean(right(record)) is decisive:
                return decisive
            raise
        return decisive if first is decisive else _boolean(right(record))

    return both


def _equal(left: Any, right: Any) -> bool:
    # true is no 1
    if (left is True or left is False) is not (right is True or right is False):
        return False
    return bool(_bare(left) == _bare(right)) and isinstance(left, _Seconds) is isinstance(right, _Seconds)


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, _Seconds) else value


def _kind(value: Any) -> str:
    if value is True or value is False:
        return "bool"
    if isinstance(value, _Seconds):
        return "duration"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    raise _Failed


def _same_kind(left: Any, right: Any) -> None:
    if _kind(left) != _kind(right):
        raise _Failed


def _less(left: Any, right: Any) -> Any:
    _same_kind(left, right)
    return _bare(left) < _bare(right)


def _at_most(left: Any, right: Any) -> Any:
    _same_kind(left, right)
    return _bare(left) <= _bare(right)


def _sum(left: Any, right: Any) -> Any:
    if isinstance(left, list) and isinstance(right, list):
        return left + right
    if _kind(left) == "bool":
        raise _Failed
    _same_kind(left, right)
    try:
        total = _bare(left) + _bare(right)
    except OverflowError:
        raise _Failed from None
    return _Seconds(total) if isinstance(left, _Seconds) else total


def _within(left: Any, right: Any) -> Any:
    if isinstance(right, _Fields):
        return right.find(left) is not None
    if isinstance(right, list):
        return any(_equal(left, each) for each in right)
    raise _Failed


_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _less,
    "<=": _at_most,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _at_most(right, left),
    "+": _sum,
    "in": _within,
}

# Functions ------------------------------------------------------------------------------------------------------------


def _call(node: Call) -> _Evaluate:
    if node.function == "sample":
        (share,) = node.arguments
        assert isinstance(share, Constant) and isinstance(share.value, int | float)
        part = share.value / 100
        return lambda record: random() < part
    if node.function == "matches":
        expression = node.arguments[1]
        assert isinstance(expression, Constant)
        return _matches(_compiled(node.arguments[0]), expression.value)
    called = _FUNCTIONS[node.function]
    arguments = [_compiled(each) for each in node.arguments]
    return lambda record: called(*[each(record) for each in arguments])


def _matches(what: _Evaluate, expression: Any) -> _Evaluate:
    """An expression of RE2 that finds something anywhere."""
    pattern = compiled(found_in_any(expression))

    def matches(record: LogRecord) -> Any:
        return pattern.fullmatch(_text(what(record)).encode()) is not None

    return matches


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise _Failed


def _size(value: Any) -> int:
    if isinstance(value, str | list | _Fields):
        return len(value)
    raise _Failed


def _int(value: Any) -> int:
    _kind(value)
    if isinstance(value, _Seconds):
        raise _Failed
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise _Failed from None


def _double(value: Any) -> float:
    if _kind(value) not in ("number", "string"):
        raise _Failed
    try:
        return float(value)
    except (ValueError, OverflowError):
        raise _Failed from None


def _string(value: Any) -> str:
    kind = _kind(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "duration":
        return f"{value.value:g}s"
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        raise _Failed from None


_UNITS: Final = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def _duration(value: Any) -> _Seconds:
    text = _text(value)
    number = text.rstrip("nuhms")
    try:
        return _Seconds(float(number) * _UNITS[text[len(number) :]])
    except (ValueError, KeyError):
        raise _Failed from None


_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "contains": lambda text, part: _text(part) in _text(text),
    "startsWith": lambda text, part: _text(text).startswith(_text(part)),
    "endsWith": lambda text, part: _text(text).endswith(_text(part)),
    "size": _size,
    "int": _int,
    "double": _double,
    "string": _string,
    "duration": _duration,
}

# Attributes -----------------------------------------------------------------------------------------------------------


def _attribute(node: Attribute) -> _Evaluate:
    special = _SPECIAL.get((node.owner, node.name))
    if special is not None:
        return special
    only_requests, name, argument = _BY_OPERATOR[node.owner, node.name]
    find = getter(operator(name, argument))

    def attribute(record: LogRecord) -> Any:
        if only_requests and not record.is_request:
            raise _Failed
        return _of_cel(find(record))

    return attribute


def _of_cel(value: Value) -> Any:
    if value is None:
        raise _Failed
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value


def _request(record: LogRecord) -> LogRecord:
    if not record.is_request:
        raise _Failed
    return record


def _code(record: LogRecord) -> Any:
    status = _request(record).stream.status
    if not status:
        raise _Failed
    return status


def _grpc_status(record: LogRecord) -> Any:
    return _of_cel(_GRPC(record))


_GRPC: Final = getter(operator("GRPC_STATUS_NUMBER"))


def _flag_names(record: LogRecord) -> Any:
    stream = record.stream
    return list(response_flags(stream.fault, stream.flags))


def _flags(record: LogRecord) -> Any:
    return sum([1 << _BITS[flag] for flag in _flag_names(record) if flag in _BITS])


_BITS: Final = {
    flag: bit
    for bit, flag in enumerate(
        (
            *("LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX"),
            *("SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR"),
        )
    )
}
"""Of Envoy's response flags (C{envoy/stream_info/stream_info.h})."""


def _backend_latency(record: LogRecord) -> Any:
    stream = record.stream
    if not stream.asked_at or not stream.responded_at:
        raise _Failed
    return _Seconds(stream.responded_at - stream.asked_at)


def _mtls(record: LogRecord) -> Any:
    return bool(record.stream.connection.client_certificate)


def _port(record: LogRecord) -> Any:
    peer = record.stream.connection.peer
    if isinstance(peer, TCPAddress):
        return peer.port
    raise _Failed


_SPECIAL: Final[dict[tuple[str, str], _Evaluate]] = {
    ("request", "headers"): lambda record: _Fields(_request(record).request_fields()),
    ("request", "duration"): lambda record: _Seconds(record.duration),
    ("request", "size"): lambda record: record.stream.received,
    ("response", "code"): _code,
    ("response", "flags"): _flags,
    ("response", "short_flags"): _flag_names,
    ("response", "grpc_status"): _grpc_status,
    ("response", "headers"): lambda record: _Fields(_request(record).response_fields()),
    ("response", "trailers"): lambda record: _Fields(_request(record).stream.trailers or ()),
    ("response", "size"): lambda record: record.stream.sent,
    ("response", "backend_latency"): _backend_latency,
    ("connection", "mtls"): _mtls,
    ("source", "port"): _port,
    ("destination", "port"): lambda record: record.stream.port,
}

_BY_OPERATOR: Final[dict[tuple[str, str], tuple[bool, str, str]]] = {
    ("request", "path"): (True, "REQ", ":path"),
    ("request", "url_path"): (True, "PATH", "NQ:PATH"),
    ("request", "host"): (True, "REQ", ":authority"),
    ("request", "scheme"): (True, "REQ", ":scheme"),
    ("request", "method"): (True, "REQ", ":method"),
    ("request", "referer"): (True, "REQ", "referer"),
    ("request", "useragent"): (True, "REQ", "user-agent"),
    ("request", "id"): (True, "STREAM_ID", ""),
    ("request", "protocol"): (True, "PROTOCOL", ""),
    ("request", "query"): (True, "QUERY_PARAMS", ""),
    ("response", "code_details"): (True, "RESPONSE_CODE_DETAILS", ""),
    ("connection", "requested_server_name"): (False, "REQUESTED_SERVER_NAME", ""),
    ("connection", "tls_version"): (False, "DOWNSTREAM_TLS_VERSION", ""),
    ("connection", "id"): (False, "CONNECTION_ID", ""),
    ("connection", "termination_details"): (False, "CONNECTION_TERMINATION_DETAILS", ""),
    ("connection", "transport_failure_reason"): (False, "DOWNSTREAM_TRANSPORT_FAILURE_REASON", ""),
    ("connection", "subject_peer_certificate"): (False, "DOWNSTREAM_PEER_SUBJECT", ""),
    ("connection", "subject_local_certificate"): (False, "DOWNSTREAM_LOCAL_SUBJECT", ""),
    ("connection", "dns_san_peer_certificate"): (False, "DOWNSTREAM_PEER_DNS_SAN", ""),
    ("connection", "uri_san_peer_certificate"): (False, "DOWNSTREAM_PEER_URI_SAN", ""),
    ("connection", "sha256_peer_certificate_digest"): (False, "DOWNSTREAM_PEER_FINGERPRINT_256", ""),
    ("source", "address"): (False, "DOWNSTREAM_REMOTE_ADDRESS", ""),
    ("destination", "address"): (False, "DOWNSTREAM_LOCAL_ADDRESS", ""),
    ("upstream", "address"): (False, "UPSTREAM_HOST", ""),
    ("upstream", "port"): (False, "UPSTREAM_REMOTE_PORT", ""),
    ("upstream", "local_address"): (False, "UPSTREAM_LOCAL_ADDRESS", ""),
    ("upstream", "transport_failure_reason"): (False, "UPSTREAM_TRANSPORT_FAILURE_REASON", ""),
    ("upstream", "request_attempt_count"): (False, "UPSTREAM_REQUEST_ATTEMPT_COUNT", ""),
    ("xds", "cluster_name"): (False, "UPSTREAM_CLUSTER", ""),
    ("xds", "route_name"): (False, "ROUTE_NAME", ""),
}
"""Of each attribute: whether only requests have it, and the command operator that says the same."""
