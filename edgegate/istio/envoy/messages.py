"""
Messages of Envoy's API as YAML writes them (protobuf's JSON mapping): fields by either spelling, each asked for once.

What nobody has asked for in the end is told not to be honoured: nothing is passed over in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

from edgegate.config.document import Path, snake_case
from edgegate.config.values import describe, show


class Tell(Protocol):
    """Reports something about a place."""

    def __call__(self, path: Path, message: str) -> None: ...


class Teller:
    """
    Where what is wrong is reported.

    @ivar error: What can't be served as it is meant. L{warn}: what is passed over.
    """

    def __init__(self, error: Tell, warn: Tell) -> None:
        self.error = error
        self.warn = warn


_DURATION: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s")
_TYPE: Final = "@type"
_TYPED_STRUCT: Final = ("xds.type.v3.TypedStruct", "udpa.type.v1.TypedStruct")


class Message:
    """
    One message.

    @ivar path: Where it stands.
    @ivar type_url: What it says its type is, without what stands before the last slash; empty: it says nothing.
    """

    def __init__(self, value: Mapping[str, Any], path: Path, teller: Teller) -> None:
        self.path = path
        self.teller = teller
        url = value.get(_TYPE)
        self.type_url = url.rpartition("/")[2] if isinstance(url, str) else ""
        self._fields: dict[str, tuple[str, Any]] = {}
        self._asked: set[str] = set()
        for key, item in value.items():
            if key == _TYPE:
                continue
            name = snake_case(str(key))
            if name in self._fields:
                teller.error((*path, key), f"given twice, as {self._fields[name][0]} and {key}")
            elif item is not None:
                self._fields[name] = str(key), item

    def __contains__(self, name: str) -> bool:
        """Whether a field is given."""
        return name in self._fields

    def at(self, name: str) -> Path:
        """Return where a field stands; where it is not given, the message."""
        found = self._fields.get(name)
        return self.path if found is None else (*self.path, found[0])

    def error(self, name: str, message: str) -> None:
        """Report what is wrong with a field."""
        self.teller.error(self.at(name), message)

    def warn(self, name: str, message: str) -> None:
        """Report what is passed over of a field."""
        self.teller.warn(self.at(name), message)

    def ignore(self, *names: str) -> None:
        """Take note of fields that change nothing here, and of which nobody has to be told."""
        self._asked.update(names)

    def end(self, what: str) -> None:
        """Report all fields that nobody has asked for."""
        for name in self._fields:
            if name not in self._asked:
                self.warn(name, f"not honoured: nothing is known of the field {show(name)} of {what}")

    def peek(self, name: str) -> Any:
        """Return a field as it is given, without taking it for read."""
        found = self._fields.get(name)
        return None if found is None else found[1]

    def text(self, name: str, otherwise: str = "") -> str:
        """Return a text."""
        found = self._take(name, "string", str)
        return otherwise if found is None else str(found)

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """Return a boolean."""
        found = self._take(name, "boolean", bool)
        return otherwise if found is None else bool(found)

    def number(self, name: str, otherwise: int, least: int = 0, most: int = 4294967295) -> int:
        """Return a whole number, which JSON may also write as a text."""
        found = self._given(name)
        if found is None:
            return otherwise
        if isinstance(found, str) and re.fullmatch(r"-?[0-9]{1,20}", found):
            found = int(found)
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int):
            self.error(name, f"expected integer, got {describe(found)}")
            return otherwise
        if not least <= found <= most:
            self.error(name, f"must be {least} to {most}, got {found}")
            return otherwise
        return found

    def seconds(self, name: str, otherwise: float) -> float:
        """Return a C{google.protobuf.Duration} in seconds; not below 0."""
        found = self._given(name)
        if found is None:
            return otherwise
        parts = _DURATION.fullmatch(found) if isinstance(found, str) else None
        if parts is None or parts[1]:
            self.error(name, f'expected a duration such as "1s" or "0.25s", got {describe(found)}')
            return otherwise
        return float(f"{parts[2]}.{parts[3] or 0}")

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        found = []
        for path, each in self._items(name):
            if isinstance(each, str):
                found.append(each)
            else:
                self.teller.error(path, f"expected string, got {describe(each)}")
        return found

    def message(self, name: str) -> Message | None:
        """Return a message; L{None}: it is not given."""
        found = self._take(name, "object", dict)
        return None if found is None else Message(found, self.at(name), self.teller)

    def messages(self, name: str) -> list[Message]:
        """Return a list of messages."""
        found = []
        for path, each in self._items(name):
            if isinstance(each, dict):
                found.append(Message(each, path, self.teller))
            else:
                self.teller.error(path, f"expected object, got {describe(each)}")
        return found

    def typed(self, name: str) -> tuple[str, Message] | None:
        """
        Return the type of a C{google.protobuf.Any}, without what stands before its last slash, and its message.

        A C{TypedStruct} is the message that it stands for.
        """
        found = self.message(name)
        return None if found is None else typed(found)

    def by_name(self, name: str) -> Iterator[tuple[str, Message]]:
        """Yield the names and the messages of a map."""
        found = self._take(name, "object", dict)
        for key, each in ({} if found is None else found).items():
            path = (*self.at(name), key)
            if isinstance(each, dict):
                yield str(key), Message(each, path, self.teller)
            elif each is not None:
                self.teller.error(path, f"expected object, got {describe(each)}")

    def share(self, name: str, otherwise: float) -> float:
        """Return a C{FractionalPercent}, or the default of a C{RuntimeFractionalPercent}, as a part of 1."""
        found = self.message(name)
        if found is None:
            return otherwise
        found.ignore("runtime_key")
        percent = found.message("default_value") if "default_value" in found or "runtime_key" in found else found
        if percent is None:
            return otherwise
        whole = percent.text("denominator", "HUNDRED")
        if whole not in _DENOMINATORS:
            percent.error("denominator", f"{show(whole)} is none of {', '.join(_DENOMINATORS)}")
            return otherwise
        return min(1.0, percent.number("numerator", 0) / _DENOMINATORS[whole])

    def _items(self, name: str) -> Iterator[tuple[Path, Any]]:
        found = self._take(name, "array", list)
        path = self.at(name)
        yield from (((*path, index), each) for index, each in enumerate(found or ()))

    def _take(self, name: str, expected: str, type_: type) -> Any:
        found = self._given(name)
        if found is not None and not isinstance(found, type_):
            self.error(name, f"expected {expected}, got {describe(found)}")
            return None
        return found

    def _given(self, name: str) -> Any:
        self._asked.add(name)
        return self.peek(name)


_DENOMINATORS: Final = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}


def typed(message: Message) -> tuple[str, Message]:
    """Return the type of a message that says its own, without what stands before the last slash, and the message."""
    name = message.type_url
    if name not in _TYPED_STRUCT:
        return name, message
    inner = message.text("type_url").rpartition("/")[2]
    value = message.message("value")
    message.end("TypedStruct")
    return inner, value if value is not None else Message({}, message.path, message.teller)
