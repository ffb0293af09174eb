"""
The short way from YAML to values with their places, for documents without anything special in them.

Nearly all are so, and a folder may hold thousands: the parser makes nodes of a
whole document at a time, without a step of Python for each of its events. What
is special (tags, merges, aliases, keys that are no strings, whatever is wrong)
is not looked into here: L{edgegate.config.composer.events} does that, and both say the
same of every document that is plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import yaml
from yaml.nodes import MappingNode, ScalarNode

from edgegate.config.composer.node import MAX_DEPTH, MERGE, Root, encodable
from edgegate.config.document import Places
from edgegate.config.scalars import Scalar, resolve

# What can be a tag, or at least is no part of a word; a node does not tell that it has the tag `!`.
_TAG = re.compile(r"!(?<![^\s\[{,:?-]!)")
_TAG_BYTES = re.compile(rb"!(?<![^\s\[{,:?\x80-\xff-]!)")

_C_LOADER: Any = getattr(yaml, "CSafeLoader", None)

_UNKNOWN: Any = object()
_MOST_KNOWN = 4096  # texts, each of which comes again and again
_LONGEST_KNOWN = 64  # characters


class NotPlain(Exception):
    """The next document is not plain; nothing was reported."""


def plain(text: str | bytes, first_line: int) -> Iterator[Root]:
    """
    Yield the roots of all documents up to one that is not plain.

    @param text: Bytes are UTF-8.
    @param first_line: The number of the text's first line, from 0.
    @raise NotPlain: At that one.
    """
    tag = _TAG.search(text) if isinstance(text, str) else _TAG_BYTES.search(text)
    if tag is not None or not _nesting_is_limited():
        raise NotPlain
    reader = _Reader(first_line)
    try:
        loader = _nodes()(text)
        try:
            while loader.check_node():
                yield reader.root(loader.get_node())
        finally:
            loader.dispose()
    except (yaml.YAMLError, ValueError):
        raise NotPlain from None


@cache
def _nodes() -> Any:
    class Nodes(_C_LOADER):  # type: ignore[misc]
        """Composes nodes without tags."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> None:
            """Leave it to us what a scalar means."""

        def descend_resolver(self, node: Any, index: Any) -> None:
            """Do without tags by path."""

        def ascend_resolver(self) -> None:
            """See C{descend_resolver}."""

    return Nodes


@cache
def _nesting_is_limited() -> bool:
    """Whether the parser is libyaml, and one that ends before nesting is too deep for its recursion."""
    if _C_LOADER is None:
        return False
    try:
        for _ in yaml.parse("[" * 2000, Loader=_C_LOADER):
            pass
    except yaml.MarkedYAMLError as error:
        return "nesting" in (error.problem or "")
    return False


class _Reader:
    """Reads the nodes of one file; L{NotPlain} and C{ValueError} say that one is not plain."""

    def __init__(self, first_line: int) -> None:
        self._first = first_line + 1
        self._known: dict[str, Scalar] = {}

    def root(self, node: Any) -> Root:
        """Return the root of a document."""
        mark = node.start_mark
        line, column = mark.line + self._first, mark.column + 1
        if type(node) is ScalarNode:
            return Root(self._scalar(node), line, column)
        value, places = self._collection(node, 1)
        return Root(value, line, column, places)

    def _collection(self, node: Any, depth: int) -> tuple[Any, Places]:
        members, node.value = node.value, None
        if members is None or depth > MAX_DEPTH:
            raise NotPlain  # L{None}: an alias led here again
        return self._mapping(node, members, depth) if type(node) is MappingNode else self._list(node, members, depth)

    def _mapping(self, node: Any, members: Any, depth: int) -> tuple[Any, Places]:
        known, first, end = self._known, self._first, node.start_mark.index
        value: dict[str, Any] = {}
        places: Places = {}
        for key, item in members:
            mark = key.start_mark
            if type(key) is not ScalarNode or mark.index < end:
                raise NotPlain  # what begins before the end of what precedes it came by an alias
            name: Any = _UNKNOWN if key.style else known.get(key.value, _UNKNOWN)
            if name is _UNKNOWN:
                name = self._scalar(key)
            if type(name) is not str or name in value or name == MERGE:
                raise NotPlain
            within = None
            if type(item) is not ScalarNode:
                value[name], within = self._collection(item, depth + 1)
            elif item.style or (found := known.get(item.value, _UNKNOWN)) is _UNKNOWN:
                value[name] = self._scalar(item)
            else:
                value[name] = found
            places[name] = (mark.line + first, mark.column + 1, within)
            end = item.end_mark.index
            if end <= mark.index:
                end = mark.index + 1
        return value, places

    def _list(self, node: Any, members: Any, depth: int) -> tuple[Any, Places]:
        first, end = self._first, node.start_mark.index
        value: list[Any] = []
        places: Places = {}
        for index, item in enumerate(members):
            mark = item.start_mark
            if mark.index < end:
                raise NotPlain
            within = None
            if type(item) is ScalarNode:
                value.append(self._scalar(item))
            else:
                collection, within = self._collection(item, depth + 1)
                value.append(collection)
            places[index] = (mark.line + first, mark.column + 1, within)
            end = item.end_mark.index
            if end <= mark.index:
                end = mark.index + 1
        return value, places

    def _scalar(self, node: Any) -> Scalar:
        text: str = node.value
        if node.style:
            if "\0" in text or not encodable(text):
                raise NotPlain
            return text
        value: Scalar = self._known.get(text, _UNKNOWN)
        if value is _UNKNOWN:
            value = resolve(text)
            if len(text) <= _LONGEST_KNOWN and len(self._known) < _MOST_KNOWN:
                self._known[text] = value
        return value
