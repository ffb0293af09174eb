# Hot path: asked of each request where a log has a filter.
"""
The values of CEL in filters of access logs, its operators and its functions
(U{https://github.com/google/cel-spec/blob/master/doc/langdef.md}).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from edgegate.http.fields import Field
from edgegate.model.cel_literals import LEAST_INT, MOST_INT, MOST_NANOSECONDS, double, integer, nanoseconds


class EvaluationError(Exception):
    """What CEL calls an error."""


class Duration:
    """
    A duration.

    @ivar value: In nanoseconds.
    """

    __slots__ = ("value",)

    def __init__(self, value: int) -> None:
        self.value = value


def seconds(value: float) -> Duration:
    """Return a duration of so many seconds."""
    return Duration(int(value * 1e9))


class Headers:
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


def of_metadata(value: Any) -> Any:
    """
    Return a value of dynamic metadata as CEL has it: numbers are doubles, as in Envoy's C{Struct}.

    @raise EvaluationError: It is none that CEL has.
    """
    if value is None or isinstance(value, bool | str | Mapping):
        return value
    if isinstance(value, list | tuple):
        return [of_metadata(each) for each in value]
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            pass
    raise EvaluationError


def boolean(value: Any) -> bool:
    """
    Return a value that is a boolean.

    @raise EvaluationError: It is none.
    """
    if value is True or value is False:
        return bool(value)
    raise EvaluationError


def text_of(value: Any) -> str:
    """
    Return a value that is a string.

    @raise EvaluationError: It is none.
    """
    if isinstance(value, str):
        return value
    raise EvaluationError


def _equal(left: Any, right: Any) -> bool:
    # true is no 1
    if (left is True or left is False) is not (right is True or right is False):
        return False
    return bool(_bare(left) == _bare(right)) and isinstance(left, Duration) is isinstance(right, Duration)


def _bare(value: Any) -> Any:
    return value.value if isinstance(value, Duration) else value


def _kind(value: Any) -> str:
    if value is True or value is False:
        return "bool"
    if isinstance(value, Duration):
        return "duration"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    raise EvaluationError


def _same_kind(left: Any, right: Any) -> None:
    if _kind(left) != _kind(right):
        raise EvaluationError


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
        raise EvaluationError
    _same_kind(left, right)
    try:
        total = _bare(left) + _bare(right)
    except OverflowError:
        raise EvaluationError from None
    if isinstance(left, Duration):
        if abs(total) > MOST_NANOSECONDS:
            raise EvaluationError
        return Duration(total)
    return _in_range(total) if isinstance(total, int) else total


def _in_range(value: int) -> int:
    if not LEAST_INT <= value <= MOST_INT:
        raise EvaluationError
    return value


def _within(left: Any, right: Any) -> Any:
    if isinstance(right, Mapping):
        return isinstance(left, str) and left in right
    if isinstance(right, Headers):
        return right.find(left) is not None
    if isinstance(right, list):
        return any(_equal(left, each) for each in right)
    raise EvaluationError


OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _less,
    "<=": _at_most,
    ">": lambda left, right: _less(right, left),
    ">=": lambda left, right: _at_most(right, left),
    "+": _sum,
    "in": _within,
}


def _size(value: Any) -> int:
    if isinstance(value, str | list | Headers):
        return len(value)
    raise EvaluationError


def _int(value: Any) -> int:
    kind = _kind(value)
    if kind == "duration":
        raise EvaluationError
    try:
        return integer(value) if kind == "string" else _in_range(int(value))
    except (ValueError, OverflowError):
        raise EvaluationError from None


def _double(value: Any) -> float:
    kind = _kind(value)
    if kind not in ("number", "string"):
        raise EvaluationError
    try:
        return double(value) if kind == "string" else float(value)
    except (ValueError, OverflowError):
        raise EvaluationError from None


def _string(value: Any) -> str:
    kind = _kind(value)
    if kind == "bool":
        return "true" if value else "false"
    if kind == "duration":
        return _written(value.value)
    try:
        return str(value)
    except ValueError:  # more digits than Python writes
        raise EvaluationError from None


def _written(duration: int) -> str:
    """Return nanoseconds as CEL writes a duration: C{1.5s}."""
    whole, rest = divmod(abs(duration), 1_000_000_000)
    text = f"{whole}.{rest:09d}".rstrip("0") if rest else str(whole)
    return f"{'-' if duration < 0 else ''}{text}s"


def _duration(value: Any) -> Duration:
    try:
        return Duration(nanoseconds(text_of(value)))
    except ValueError:
        raise EvaluationError from None


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "contains": lambda text, part: text_of(part) in text_of(text),
    "startsWith": lambda text, part: text_of(text).startswith(text_of(part)),
    "endsWith": lambda text, part: text_of(text).endswith(text_of(part)),
    "size": _size,
    "int": _int,
    "double": _double,
    "string": _string,
    "duration": _duration,
}
