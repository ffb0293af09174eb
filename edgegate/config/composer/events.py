"""
From the parser's events to values, each with its place, whatever is in a document.

Composed without recursion, so that neither deep nesting nor aliases of aliases
cost more than their limits.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from edgegate.config.composer.node import MAX_DEPTH, MERGE, Unreadable, encodable
from edgegate.config.document import Path, Places, format_path
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.config.scalars import resolve, short_tag, tagged
from edgegate.config.syntax import explain, json_fault
from edgegate.config.templates import RENDER, template_at

MAX_ALIASED = 100_000
"""Values that the aliases of one file may stand for in all."""

MAX_PATH = 30
"""Keys that the path of a problem shows at most."""

_TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_COLLECTIONS = ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def _typed(value: object) -> str:
    return {bool: "a boolean", type(None): "null", int: "a number", float: "a number"}.get(type(value), "no string")


class Node(NamedTuple):
    """
    A composed value.

    @ivar size: How many values it is, itself and all within.
    @ivar height: How many levels are within.
    @ivar text: Of a scalar: as it is written.
    @ivar merge: Whether it is the C{<<} that merges mappings.
    """

    value: Any
    line: int
    column: int
    places: Places | None = None
    size: int = 1
    height: int = 0
    text: str | None = None
    merge: bool = False


class _Frame:
    """A collection that is being composed."""

    __slots__ = ("anchor", "column", "height", "key", "line", "mapping", "merged", "places", "second", "size", "value")

    def __init__(self, event: Any, line: int, column: int) -> None:
        self.mapping = type(event) is MappingStartEvent
        self.value: Any = {} if self.mapping else []
        self.places: Places = {}
        self.anchor = event.anchor
        self.line = line
        self.column = column
        self.size = 1
        self.height = 0
        self.key: Node | None = None
        self.merged: list[Node] = []
        self.second = False


class Composer:
    """Composes the documents of one stream of events."""

    def __init__(self, file: str, first_line: int, problems: Problems) -> None:
        self._file = file
        self._first = first_line + 1
        self._problems = problems
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node | None] = {}
        self._aliased = 0
        self._text: str | bytes = ""

    def compose(self, text: str | bytes) -> Iterator[Node]:
        """
        Yield the roots of all documents.

        @param text: Bytes are UTF-8.
        @raise Unreadable: Something is wrong that hides what follows it. It was reported.
        """
        self._text = text
        try:
            loader = _LOADER(text)
            try:
                event = loader.get_event()
                while event is not None:
                    root = self._take(event)
                    if root is not None:
                        yield root
                    event = loader.get_event()
            finally:
                loader.dispose()
        except yaml.YAMLError as error:
            raise self._syntax_error(text if isinstance(text, str) else text.decode(), error) from None

    def _take(self, event: Any) -> Node | None:
        """Take one event, and return the root of a document that it completes."""
        kind = type(event)
        if kind is ScalarEvent:
            return self._add(self._scalar(event))
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            self._begin(event)
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            return self._end()
        elif kind is AliasEvent:
            return self._add(self._alias(event))
        elif kind is DocumentStartEvent:
            self._anchors = {}
            self._stack = []
        return None

    def _begin(self, event: Any) -> None:
        line, column = self._place(event)
        if len(self._stack) >= MAX_DEPTH:
            self._error(line, column, _TOO_DEEP)
            raise Unreadable(event.start_mark.index)
        if event.tag is not None and event.tag not in _COLLECTIONS:
            self._error(line, column, f"the tag {short_tag(event.tag)} is not understood")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._stack.append(_Frame(event, line, column))

    def _end(self) -> Node | None:
        frame = self._stack.pop()
        for merged in frame.merged:
            for key, value in merged.value.items():
                if key not in frame.value:
                    frame.value[key] = value
                    frame.places[key] = (merged.places or {})[key]
        node = Node(frame.value, frame.line, frame.column, frame.places, frame.size, frame.height)
        if frame.anchor is not None:
            self._anchors[frame.anchor] = node
        return self._add(node)

    def _scalar(self, event: Any) -> Node:
        line, column = self._place(event)
        text: str = event.value
        value: Any = text
        merge = False
        try:
            if event.tag is not None:
                value = tagged(event.tag, text)
            elif event.implicit[0]:
                value = resolve(text)
                merge = text == MERGE
            elif "\0" in text or not encodable(text):
                raise ValueError("it holds a character that no value here can have")
        except ValueError as error:
            self._error(line, column, str(error))
            value = None
        node = Node(value, line, column, text=text, merge=merge)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        line, column = self._place(event)
        name = event.anchor
        node = self._anchors.get(name)
        if node is None:
            why = "it stands within what it names" if name in self._anchors else "nothing before it has that anchor"
            self._error(line, column, f"the alias *{name} means nothing: {why}")
            return Node(None, line, column)
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            self._error(line, column, f"the aliases of this file stand for more than {MAX_ALIASED} values")
            raise Unreadable(event.start_mark.index)
        if len(self._stack) + node.height > MAX_DEPTH:
            self._error(line, column, _TOO_DEEP)
            return Node(None, line, column)
        return node._replace(line=line, column=column, merge=False)

    def _add(self, node: Node) -> Node | None:
        """Put a value where it belongs; a document's root is returned."""
        if not self._stack:
            return node
        frame = self._stack[-1]
        frame.size += node.size
        if node.height >= frame.height:
            frame.height = node.height + 1
        if not frame.mapping:
            frame.places[len(frame.value)] = (node.line, node.column, node.places)
            frame.value.append(node.value)
        elif frame.key is None:
            frame.key = node
        else:
            self._pair(frame, frame.key, node)
            frame.key = None
        return None

    def _pair(self, frame: _Frame, key: Node, node: Node) -> None:
        if key.merge:
            self._merge(frame, key, node)
            return
        name = key.value
        if not isinstance(name, str):
            if key.text is None:
                self._stop_at_template(key.line)
            if type(name) is not int or str(name) != key.text:
                what = "no scalar" if key.text is None else f"{_typed(name)}, not a string: quote it"
                self._error(key.line, key.column, f"the key {key.text or ''} is {what}".replace("  ", " "))
                return
            name = key.text  # as JSON, whose keys are always strings
        first = frame.places.get(name)
        if first is not None:
            self._twice(frame, key, name, first[0])
            return
        frame.value[name] = node.value
        frame.places[name] = (key.line, key.column, node.places)

    def _twice(self, frame: _Frame, key: Node, name: str, first: int) -> None:
        """Report a key that was there before: those of a document's root once, since a whole document may follow."""
        message, role = f"the key {name} comes twice, first on line {first}", Role.ITSELF
        if len(self._stack) == 1 and name in ("apiVersion", "kind"):
            if frame.second:
                return
            frame.second = True
            message, role = f"{message}: a document begins here without --- on a line before it", Role.CAUSE
        elif frame.second:
            return
        self._error(key.line, key.column, message, role)

    def _stop_at_template(self, line: int) -> None:
        """
        Report a template.

        @raise Unreadable: It is one.
        """
        found = template_at(self._text if isinstance(self._text, str) else self._text.decode(), (line - self._first,))
        if found is not None:
            self._problems.add(Problem(self._file, line, found[1] + 1, Severity.ERROR, "", RENDER, Role.CAUSE))
            raise Unreadable(0, template=True)

    def _merge(self, frame: _Frame, key: Node, node: Node) -> None:
        """Take note of mappings to merge (U{https://yaml.org/type/merge.html})."""
        if isinstance(node.value, dict):
            frame.merged.append(node)
        elif isinstance(node.value, list) and all(isinstance(each, dict) for each in node.value):
            places = node.places or {}
            frame.merged.extend(
                Node(each, key.line, key.column, places[index][2]) for index, each in enumerate(node.value)
            )
        else:
            self._error(key.line, key.column, "<< takes a mapping or a list of mappings")

    def _place(self, event: Any) -> tuple[int, int]:
        mark = event.start_mark
        return mark.line + self._first, mark.column + 1

    def _path(self) -> Path:
        """What is being composed."""
        return tuple(
            (frame.key.text or "" if frame.key is not None else "") if frame.mapping else len(frame.value)
            for frame in self._stack
            if not frame.mapping or frame.key is not None
        )

    def _error(self, line: int, column: int, message: str, role: Role = Role.CAUSE) -> None:
        path = format_path(self._path()[:MAX_PATH])
        self._problems.add(Problem(self._file, line, column, Severity.ERROR, path, message, role))

    def _syntax_error(self, text: str, error: yaml.YAMLError) -> Unreadable:
        place, message, index, template = (0, 0), f"not YAML: {error}", 0, False
        if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
            mark, begin = error.problem_mark, error.context_mark
            since = None if begin is None else (begin.line, begin.column)
            place, message = explain(text, error.problem or "", (mark.line, mark.column), error.context or "", since)
            index = mark.index or 0
            of_json = json_fault(text) if self._file.endswith(".json") else None
            at_template = template_at(text, (place[0], mark.line))
            if at_template is not None:
                place, message, template = at_template, RENDER, True
            elif of_json is not None:
                place, message = of_json
            if "nesting" in (error.problem or ""):
                # libyaml has a limit of its own, and reads far enough ahead to come to it first
                message = _TOO_DEEP
        line, column = place[0] + self._first, place[1] + 1
        self._problems.add(Problem(self._file, line, column, Severity.ERROR, "", message, Role.CAUSE))
        return Unreadable(index, template)
