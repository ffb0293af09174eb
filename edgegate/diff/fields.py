"""How two values of one kind differ, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from hashlib import sha256
from typing import Final

from edgegate.diff.wording import compared, label, words
from edgegate.model.actions import NewPath, Substitution
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.log_formats import JSONFormat, TextFormat
from edgegate.model.matching import StringMatch
from edgegate.model.operators import Operator
from edgegate.model.tls import Credential

_WHOLE: Final = (
    *(NewPath, Substitution, TCPAddress, UNIXAddress, HeaderChanges, Template, StringMatch, Operator, Credential),
    *(TextFormat, JSONFormat),
)
"""Values that are told as one, however many fields they have."""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """
    One thing that is not as it was.

    @ivar what: Its name in words: C{timeout}, C{retries attempts}.
    """

    what: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.what}: {self.old} -> {self.new}"


def changes(old: object, new: object, what: str = "", field: str = "") -> Iterator[FieldChange]:
    """
    Yield what is not as it was, the innermost fields that say it; nothing where both are equal.

    @param what: What the values are, in words.
    @param field: Of which field they are.
    """
    if old == new:
        return
    if type(old) is type(new) and is_dataclass(old) and not isinstance(old, _WHOLE):
        for each in compared(old):
            inner = f"{what} {label(each.name)}".strip()
            yield from changes(getattr(old, each.name), getattr(new, each.name), inner, each.name)
        return
    yield change(what, old, new, field)


def change(what: str, old: object, new: object, field: str = "") -> FieldChange:
    """Return a change of a value as a whole. Two that are not equal never look alike."""
    before, after = words(old, field), words(new, field)
    if before == after:
        before, after = _told_apart(before, old), _told_apart(after, new)
    return FieldChange(what, before, after)


def _told_apart(said: str, value: object) -> str:
    return f"{said} (sha256 {sha256(repr(value).encode()).hexdigest()[:16]})"
