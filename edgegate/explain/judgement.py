"""What a guard makes of a request that is made up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edgegate.http.guards.refusal import Refusal
from edgegate.model.guards.guard import Guard
from edgegate.model.origin import Origin


class Verdict(Enum):
    """What a guard makes of a request."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "not known"  # it depends on what only a gateway that runs can tell: the way goes on as if it passed


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """
    A rule of a policy that was looked at.

    @ivar words: Where it does not match, the first thing that fails.
    @ivar origin: Where it is said.
    """

    name: str
    matches: bool
    words: str
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """
    A step of a request's way.

    @ivar words: Why, in a few words.
    @ivar refusal: What its client gets, where it is denied.
    @ivar trials: The rules that were looked at, where the policy has some.
    """

    guard: Guard
    verdict: Verdict
    words: str
    refusal: Refusal | None = None
    trials: tuple[RuleTrial, ...] = ()
