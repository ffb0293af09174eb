"""
The part of CEL (U{https://github.com/google/cel-spec}) in which filters of access logs are written: from text to tree.

There are literals, lists, attributes with fields and indexes, C{has}, C{in}, comparisons, C{&&}, C{||}, C{!}, C{?:},
C{+} and some functions. What attributes stand for is for the data plane to know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from edgegate.model import cel_literals
from edgegate.model.cel_tokens import BadExpression, Tokens
from edgegate.model.expressions import check_regex, compiled

Literal = bool | int | float | str | None

MAX_LENGTH: Final = 4096
MAX_DEPTH: Final = 64
MAX_OPERATORS: Final = 150
"""Operators, fields, indexes and methods in all: each may be within the one behind it."""

METHODS: Final = frozenset(("contains", "startsWith", "endsWith", "matches", "size"))
FUNCTIONS: Final = frozenset(("size", "int", "double", "string", "duration", "sample"))

ATTRIBUTES: Final[Mapping[str, frozenset[str]]] = {
    "request": frozenset(
        (
            *("path", "url_path", "host", "scheme", "method", "headers", "referer", "useragent", "id", "protocol"),
            *("query", "duration", "size"),
        )
    ),
    "response": frozenset(
        (
            "code",
            "code_details",
            "flags",
            "short_flags",
            "grpc_status",
            "headers",
            "trailers",
            "size",
            "backend_latency",
        )
    ),
    "connection": frozenset(
        (
            *("mtls", "requested_server_name", "tls_version", "id", "termination_details"),
            *("transport_failure_reason", "subject_peer_certificate", "subject_local_certificate"),
            *("dns_san_peer_certificate", "uri_san_peer_certificate", "sha256_peer_certificate_digest"),
        )
    ),
    "source": frozenset(("address", "port")),
    "destination": frozenset(("address", "port")),
    "upstream": frozenset(("address", "port", "local_address", "transport_failure_reason", "request_attempt_count")),
    "metadata": frozenset(("filter_metadata",)),
    "xds": frozenset(("cluster_name", "route_name")),
}
"""What Envoy's attributes are called (U{https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes})."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A literal."""

    value: Literal


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Such as C{request.path}."""

    owner: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """Such as C{request.headers["x-a"]}."""

    of: Node
    key: Node


@dataclass(frozen=True, slots=True)
class Has:
    """Whether an attribute, or an item of one, is there."""

    what: Node


@dataclass(frozen=True, slots=True)
class Not:
    """What is not so."""

    what: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """Two values with an operator between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conditional:
    """One of two values."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function; a method has what it is called on as its first argument."""

    function: str
    arguments: tuple[Node, ...]


Node = Constant | ListOf | Attribute | Item | Has | Not | Binary | Conditional | Call

_COMPARISONS: Final = frozenset(("==", "!=", "<", "<=", ">", ">=", "in"))
_WORDS: Final[Mapping[str, Literal]] = {"true": True, "false": False, "null": None}


def parse(text: str) -> Node:
    """
    Read an expression.

    @raise BadExpression: It is none, or asks for what is not known here.
    """
    if len(text) > MAX_LENGTH:
        raise BadExpression(f"longer than {MAX_LENGTH} characters")
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise BadExpression("half of a surrogate pair is no character")
    parser = _Parser(text)
    node = parser.expression()
    parser.expect_end()
    return node


class _Parser:
    """Recursive descent; each level of CEL's grammar has a method."""

    def __init__(self, text: str) -> None:
        self._tokens = Tokens(text)
        self._depth = 0
        self._operators = 0

    def expect_end(self) -> None:
        """Raise L{BadExpression} where something is left."""
        tokens = self._tokens
        if tokens.kind != "end":
            raise BadExpression(f"{tokens.shown} at character {tokens.at} is too much")

    def expression(self) -> Node:
        """C{a ? b : c}."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise BadExpression(f"more than {MAX_DEPTH} expressions within each other")
        condition = self._either()
        if self._tokens.take("?"):
            then = self._either()
            self._tokens.expect(":")
            condition = Conditional(condition, then, self.expression())
        self._depth -= 1
        return condition

    def _either(self) -> Node:
        node = self._both()
        while self._tokens.take("||"):
            self._count()
            node = Binary("||", node, self._both())
        return node

    def _both(self) -> Node:
        node = self._relation()
        while self._tokens.take("&&"):
            self._count()
            node = Binary("&&", node, self._relation())
        return node

    def _relation(self) -> Node:
        node = self._sum()
        while operator := self._tokens.take(*_COMPARISONS):
            self._count()
            node = Binary(operator, node, self._sum())
        return node

    def _sum(self) -> Node:
        node = self._unary()
        while self._tokens.take("+"):
            self._count()
            node = Binary("+", node, self._unary())
        return node

    def _unary(self) -> Node:
        if self._tokens.take("!"):
            count = 1
            while self._tokens.take("!"):
                count += 1
            node = self._member()
            return Not(node) if count % 2 else Not(Not(node))
        return self._member()

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._tokens.take("."):
                self._count()
                name = self._tokens.name()
                node = self._method(name, node) if self._tokens.take("(") else Item(node, Constant(name))
            elif self._tokens.take("["):
                self._count()
                node = Item(node, self.expression())
                self._tokens.expect("]")
            else:
                return node

    def _count(self) -> None:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            raise BadExpression(f"more than {MAX_OPERATORS} operators")

    def _primary(self) -> Node:
        tokens = self._tokens
        kind, token = tokens.kind, tokens.token
        if kind == "number":
            return self._literal(cel_literals.number, token)
        if kind == "string":
            return self._literal(cel_literals.string, token)
        if tokens.take("-"):
            if tokens.kind != "number":
                raise BadExpression(f"a minus stands before a number only, not before {tokens.shown}")
            return self._literal(cel_literals.number, f"-{tokens.token}")
        if tokens.take("("):
            node = self.expression()
            tokens.expect(")")
            return node
        if tokens.take("["):
            return ListOf(self._arguments("]"))
        if kind == "name":
            tokens.next()
            return self._named(token)
        raise tokens.missing("a value")

    def _literal(self, read: Callable[[str], Literal], text: str) -> Constant:
        at = self._tokens.at
        self._tokens.next()
        try:
            return Constant(read(text))
        except ValueError as error:
            raise BadExpression(f"{_short(text)} at character {at} {error}") from None

    def _named(self, name: str) -> Node:
        if name in _WORDS:
            return Constant(_WORDS[name])
        if self._tokens.take("("):
            return self._function(name)
        if name not in ATTRIBUTES:
            raise BadExpression(f"there is no {name!r} here", name, tuple(ATTRIBUTES))
        self._tokens.expect(".")
        field = self._tokens.name()
        if field not in ATTRIBUTES[name]:
            raise BadExpression(f"there is no {name}.{field} here", field, tuple(sorted(ATTRIBUTES[name])))
        return Attribute(name, field)

    def _function(self, name: str) -> Node:
        arguments = self._arguments(")")
        if name == "has":
            if len(arguments) != 1 or not isinstance(arguments[0], Attribute | Item):
                raise BadExpression("has() takes an attribute, as in has(request.useragent)")
            return Has(arguments[0])
        if name not in FUNCTIONS:
            raise BadExpression(f"there is no function {name} here", name, (*sorted(FUNCTIONS), "has"))
        if len(arguments) != 1:
            raise BadExpression(f"{name}() takes one argument")
        return _checked(Call(name, arguments))

    def _method(self, name: str, on: Node) -> Node:
        arguments = self._arguments(")")
        if name not in METHODS:
            raise BadExpression(f"there is no function {name} here", name, tuple(sorted(METHODS)))
        if len(arguments) != (0 if name == "size" else 1):
            raise BadExpression(f"{name}() takes {'no' if name == 'size' else 'one'} argument here")
        return _checked(Call(name, (on, *arguments)))

    def _arguments(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        if self._tokens.take(end):
            return ()
        while True:
            found.append(self.expression())
            if self._tokens.take(end):
                return tuple(found)
            self._tokens.expect(",")


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}..."


def found_in_any(expression: str) -> str:
    """Return an expression of RE2 that matches all texts in which a given one finds something."""
    return f"(?s:.*)(?:{expression})(?s:.*)"


_CONVERSIONS: Final[Mapping[str, Callable[[str], Literal]]] = {
    "int": cel_literals.integer,
    "double": cel_literals.double,
    "duration": cel_literals.nanoseconds,
}


def _checked(call: Call) -> Call:
    """Refuse what can never give a value."""
    first = call.arguments[0]
    conversion = _CONVERSIONS.get(call.function)
    if conversion is not None and isinstance(first, Constant) and isinstance(first.value, str):
        try:
            conversion(first.value)
        except ValueError as error:
            raise BadExpression(f"{_short(first.value)!r} in {call.function}() {error}") from None
    if call.function == "matches":
        expression = call.arguments[1]
        text = expression.value if isinstance(expression, Constant) else None
        if not isinstance(text, str):
            raise BadExpression("matches() takes a regular expression in quotes")
        try:
            check_regex(text)
            compiled(found_in_any(text))  # what \Q begins goes on to the end
        except ValueError as error:
            raise BadExpression(f"{text!r} is no regular expression of RE2: {error}") from None
    if call.function == "sample":
        (share,) = call.arguments
        value = share.value if isinstance(share, Constant) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
            raise BadExpression("sample() takes a percentage from 0 to 100, as in sample(1.5)")
    return call
