# Compiled: values that hot modules read.
"""
Changes to headers (Istio's C{Headers.HeaderOperations}) and the values that they give.

A value is text with Envoy's command operators in it, as C{%REQ(x-user)%}
(L{edgegate.model.operators}).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edgegate.model.operators import Operator, operator
from edgegate.model.picklable import Picklable

FRAMING = frozenset(
    (
        "connection",
        "content-length",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
"""Headers of a connection, which each of the two sides has for itself: they can't be changed."""

ATTEMPTS = b"x-envoy-attempt-count"
EXPECTED_TIME = b"x-envoy-expected-rq-timeout-ms"
"""What the gateway tells backends of each try, unless a route changes it."""

SET_LAST = frozenset(("server",))
"""Headers of a response that the gateway sets after all changes."""

_OPERATOR = re.compile(r"%(?:%|(\w+)(?:\((.*?)\))?(?::([0-9]{1,6}))?%)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Template(Picklable):
    """
    The value of a header.

    @ivar constant: The value, where no operator is in it.
    """

    parts: tuple[bytes | Operator, ...]
    constant: bytes | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        parts = [part for part in self.parts if isinstance(part, bytes)]
        object.__setattr__(self, "constant", b"".join(parts) if len(parts) == len(self.parts) else None)

    @classmethod
    def parse(cls, text: str) -> Template:
        """
        Tell operators from text; C{%%} is a percent sign.

        @raise ValueError: A percent sign begins no operator, or one that is not known or lacks its argument.
        """
        parts: list[bytes | Operator] = []
        at = 0
        while (percent := text.find("%", at)) >= 0:
            found = _OPERATOR.match(text, percent)
            if found is None:
                raise ValueError("a % that begins no operator such as %REQ(name)%: write %% for a percent sign")
            parts += (text[at:percent].encode(), b"%" if found[1] is None else _operator(found))
            at = found.end()
        parts.append(text[at:].encode())
        return cls(tuple(part for part in parts if part != b""))


def _operator(found: re.Match[str]) -> Operator:
    return operator(found[1], found[2] or "", None if found[3] is None else int(found[3]))


Value = tuple[bytes, Template]
"""A name in lower case, and what it is given."""


@dataclass(frozen=True, slots=True)
class HeaderChanges(Picklable):
    """
    What is done to the headers of a message: first removals, then what is set, then what is added.

    @ivar set: Replaces all fields of the name.
    @ivar names: All that are changed.
    @ivar static: Whether every value is constant.
    """

    remove: tuple[bytes, ...] = ()
    set: tuple[Value, ...] = ()
    add: tuple[Value, ...] = ()
    names: frozenset[bytes] = field(init=False, compare=False, repr=False)
    static: bool = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        given = (*self.set, *self.add)
        object.__setattr__(self, "names", frozenset((*self.remove, *(name for name, _ in given))))
        object.__setattr__(self, "static", all(value.constant is not None for _, value in given))
