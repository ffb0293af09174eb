"""What a guard makes of a request that is made up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgegate.http.guards.refusal import Refusal
from edgegate.model.guards.guard import Guard


class Verdict(Enum):
    """What a guard makes of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "not known"  # it depends on what only a gateway that runs can tell: the way goes on as if it passed


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    A step of a request's way.

    @ivar words: Why, in a few words.
    @ivar refusal: What its client gets, where it is denied.
    """

    guard: Guard
    verdict: Verdict
    words: str
    refusal: Refusal | None = None
