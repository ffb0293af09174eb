"""
Changes to headers (Istio's C{Headers.HeaderOperations}) and the values that they give.

A value is text with Envoy's command operators in it, as C{%REQ(x-user)%}
(U{https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter}).
Here they are told apart; what they stand for is for the data plane to know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

OPERATORS: dict[str, bool | None] = {
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS": False,
    "DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT": False,
    "DOWNSTREAM_LOCAL_ADDRESS": False,
    "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT": False,
    "DOWNSTREAM_LOCAL_PORT": False,
    "DOWNSTREAM_PEER_CERT": False,
    "DOWNSTREAM_PEER_DNS_SAN": False,
    "DOWNSTREAM_PEER_FINGERPRINT_256": False,
    "DOWNSTREAM_PEER_SUBJECT": False,
    "DOWNSTREAM_PEER_URI_SAN": False,
    "DOWNSTREAM_REMOTE_ADDRESS": False,
    "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": False,
    "ENVIRONMENT": True,
    "HOSTNAME": False,
    "PROTOCOL": False,
    "REQ": True,
    "REQUESTED_SERVER_NAME": False,
    "RESP": True,
    "RESPONSE_CODE": False,
    "RESPONSE_FLAGS": False,
    "ROUTE_NAME": False,
    "START_TIME": None,
    "STREAM_ID": False,
    "UPSTREAM_CLUSTER": False,
    "UPSTREAM_HOST": False,
    "UPSTREAM_LOCAL_ADDRESS": False,
    "UPSTREAM_REMOTE_ADDRESS": False,
}
"""The command operators that are understood: whether each has an argument; L{None}: it may have one."""

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
"""Headers of an answer that the gateway sets after all changes."""

_OPERATOR = re.compile(r"%(?:%|([A-Z0-9_]+)(?:\(([^()]*)\))?(?::([0-9]{1,6}))?%)")


class UnknownOperator(ValueError):
    """
    There is no such command operator.

    @ivar name: As it was written.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"unknown operator %{name}%")


@dataclass(frozen=True, slots=True)
class Operator:
    """
    A command operator: C{%REQ(x-user?x-name):16%}.

    @ivar argument: What stands in its parentheses; L{None}: it has none.
    @ivar longest: Bytes of its value that are kept; L{None}: all.
    """

    name: str
    argument: str | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Template:
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
    name, argument = found[1], found[2]
    if name not in OPERATORS:
        raise UnknownOperator(name)
    takes = OPERATORS[name]
    if takes is True and not argument:
        raise ValueError(f"%{name}% needs an argument, as in %{name}(name)%")
    if takes is False and argument is not None:
        raise ValueError(f"%{name}% has no argument")
    return Operator(name, argument, None if found[3] is None else int(found[3]))


Value = tuple[bytes, Template]
"""A name in lower case, and what it is given."""


@dataclass(frozen=True, slots=True)
class HeaderChanges:
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
