# Hot path: made for each answer of a service that says who may pass.
"""What a service says of a request: that it may pass, and how it is changed then; or what its client is told."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from edgegate.model.authorizers import DENIED, Authorizer

Field = tuple[bytes, bytes]
"""A header's name in lower case, and its value."""


class Outcome(IntEnum):
    """What has come of a check."""

    ALLOWED = 0
    DENIED = 1
    FAILED = 2  # nothing is known of the request


class Action(IntEnum):
    """What becomes of a header that is said (Envoy's C{HeaderValueOption.HeaderAppendAction})."""

    APPEND_IF_EXISTS_OR_ADD = 0
    ADD_IF_ABSENT = 1
    OVERWRITE_IF_EXISTS_OR_ADD = 2
    OVERWRITE_IF_EXISTS = 3


Mutation = tuple[bytes, bytes, int]
"""A header's name and value, and an L{Action}."""


class Verdict:
    """
    An answer, as far as it counts.

    @ivar words: Why a check has failed.
    @ivar status: What a refused client gets; so C{fields} and C{body}.
    @ivar request: What is done to the headers of a request that passes, in this order; then those of C{removed} go.
    @ivar response: What is done to the headers of the response to it.
    @ivar query: Parameters that are set in its query, and names of those that are taken out.
    @ivar metadata: What else the service has found out.
    """

    __slots__ = (
        "body",
        "fields",
        "metadata",
        "outcome",
        "query_removed",
        "query_set",
        "removed",
        "request",
        "response",
        "status",
        "words",
    )

    def __init__(self, outcome: Outcome, status: int = DENIED, words: str = "") -> None:
        self.outcome: Final = outcome
        self.status = status
        self.words = words
        self.fields: list[Field] = []
        self.body = b""
        self.request: list[Mutation] = []
        self.removed: frozenset[bytes] = frozenset()
        self.response: list[Mutation] = []
        self.query_set: list[tuple[bytes, bytes]] = []
        self.query_removed: frozenset[bytes] = frozenset()
        self.metadata: dict[str, object] = {}

    def __repr__(self) -> str:
        return f"<Verdict {self.outcome.name} {self.words or self.status}>"


def failed(authorizer: Authorizer, words: str) -> Verdict:
    """Return what holds where a service says nothing."""
    return Verdict(Outcome.FAILED, authorizer.status_on_error, words)


def mutated(fields: list[Field], mutations: list[Mutation]) -> list[Field]:
    """Return headers after changes."""
    found = list(fields)
    for name, value, action in mutations:
        there = any(key == name for key, _ in found)
        if (action == Action.ADD_IF_ABSENT and there) or (action == Action.OVERWRITE_IF_EXISTS and not there):
            continue
        if there and action >= Action.OVERWRITE_IF_EXISTS_OR_ADD:
            found = [field for field in found if field[0] != name]
        found.append((name, value))
    return found
