# Compiled: values that hot modules read.
"""
Formats of the access log: text or JSON with Envoy's command operators in it (L{edgegate.model.operators}).

Here they are read; what the operators stand for is for the data plane to know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from edgegate.model.headers import Template
from edgegate.model.operators import Operator
from edgegate.model.picklable import Picklable


class DefaultFormat(Enum):
    """Formats that need not be said: Istio's, and the same as JSON."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class TextFormat(Picklable):
    """
    Text with operators in it.

    @ivar omit_empty: Whether nothing is written, in place of C{-}, where there is no value.
    """

    parts: tuple[str | Operator, ...]
    omit_empty: bool = False


@dataclass(frozen=True, slots=True)
class JSONObject(Picklable):
    """A JSON object: keys with what is behind them, in their order."""

    fields: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class JSONArray(Picklable):
    """A JSON array."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class JSONConstant(Picklable):
    """
    A number, a truth value or null, which is the same in each line.

    @ivar text: As JSON has it.
    """

    text: str


Node = JSONObject | JSONArray | JSONConstant | TextFormat
"""What a key of a JSON format stands for. A text of one operator alone keeps the operator's type."""


@dataclass(frozen=True, slots=True)
class JSONFormat(Picklable):
    """
    An object for each line.

    @ivar omit_empty: Whether keys without a value are left out, in place of being null.
    """

    value: JSONObject
    omit_empty: bool = False


LogFormat = DefaultFormat | TextFormat | JSONFormat

MAX_DEPTH = 16
"""Objects within objects of a JSON format."""


class BadFormat(ValueError):
    """
    A format is none.

    @ivar path: The keys that lead to what is wrong in a JSON format.
    @ivar cause: What is wrong there.
    """

    def __init__(self, cause: ValueError, path: tuple[str | int, ...] = ()) -> None:
        self.path = path
        self.cause = cause
        super().__init__(str(cause))


def text_format(text: str, omit_empty: bool = False, newline: bool = True) -> TextFormat:
    """
    Read a text.

    @param newline: Put one at the end where there is none: each line has its own.
    @raise BadFormat: An operator is unknown, or not written as it should be.
    """
    if newline and not text.endswith("\n"):
        text += "\n"
    try:
        parts = Template.parse(text).parts
    except ValueError as error:
        raise BadFormat(error) from None
    return TextFormat(tuple(part.decode() if isinstance(part, bytes) else part for part in parts), omit_empty)


def json_format(value: object, omit_empty: bool = False) -> JSONFormat:
    """
    Read an object whose values are texts with operators, numbers, truth values, null, lists and objects.

    @raise BadFormat: It is something else, or holds an operator that is none.
    """
    if not isinstance(value, dict):
        raise BadFormat(ValueError("a JSON format is an object: keys with values"))
    node = _node(value, ())
    assert isinstance(node, JSONObject)
    return JSONFormat(node, omit_empty)


def _node(value: object, path: tuple[str | int, ...]) -> Node:
    if len(path) > MAX_DEPTH:
        raise BadFormat(ValueError(f"more than {MAX_DEPTH} objects within objects"), path)
    if isinstance(value, dict):
        return JSONObject(tuple((str(key), _node(each, (*path, str(key)))) for key, each in value.items()))
    if isinstance(value, list | tuple):
        return JSONArray(tuple(_node(each, (*path, index)) for index, each in enumerate(value)))
    if value is None or isinstance(value, bool | int | float):
        try:
            return JSONConstant(json.dumps(value, allow_nan=False))
        except ValueError:
            raise BadFormat(ValueError(f"{value} is no number of JSON"), path) from None
    if not isinstance(value, str):
        raise BadFormat(ValueError("neither text nor number, list or object"), path)
    try:
        return text_format(value, newline=False)
    except BadFormat as error:
        raise BadFormat(error.cause, path) from None


def read_json_format(text: str) -> JSONFormat:
    """
    Read the JSON of an object; see L{json_format}.

    @raise BadFormat: It is none.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFormat(ValueError(f"no JSON: {error}")) from None
    return json_format(value)


def read_format(text: str) -> LogFormat:
    """
    Read what a command line says: C{text}, C{json}, a JSON object, or a text with operators.

    @raise BadFormat: It is none of these.
    """
    if text in ("text", "json"):
        return DefaultFormat(text)
    if text.lstrip().startswith("{"):
        return read_json_format(text)
    if "%" not in text:
        raise BadFormat(ValueError("neither text nor json, nor a format with operators such as %START_TIME%"))
    return text_format(text)


def operators_in(format_: LogFormat) -> Iterator[tuple[tuple[str | int, ...], Operator]]:
    """Yield all operators of a format, those within others included, with the keys that lead to each."""
    if not isinstance(format_, DefaultFormat):
        yield from _operators(format_.value if isinstance(format_, JSONFormat) else format_, ())


def _operators(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Operator]]:
    if isinstance(node, JSONObject):
        for key, each in node.fields:
            yield from _operators(each, (*path, key))
    elif isinstance(node, JSONArray):
        for index, each in enumerate(node.items):
            yield from _operators(each, (*path, index))
    elif isinstance(node, TextFormat):
        for part in node.parts:
            if isinstance(part, Operator):
                yield path, part
                for choice in part.choices:
                    yield path, choice
