# Compiled: values that hot modules read.
"""What all guards have in common, and the order in which a request meets them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable


class Stage(IntEnum):
    """
    The order in which a request meets guards.

    Istio's is CUSTOM, JWT, AUDIT, DENY, ALLOW (C{pilot/pkg/networking/core/listener_builder.go}). What costs nothing
    comes before what costs, and who one is before what one may.
    """

    ADDRESSES = 0
    LOCAL_RATE_LIMIT_FIRST = 1  # an EnvoyFilter's that wants to be the first of all filters
    CUSTOM = 2
    JWT = 3
    CREDENTIALS = 4
    OIDC = 5
    AUDIT = 6
    DENY = 7
    ALLOW = 8
    RATE_LIMIT = 9
    GLOBAL_RATE_LIMIT = 10
    CONCURRENCY = 11


@dataclass(frozen=True, slots=True)
class Guard(Picklable):
    """
    A policy of access, as compiled: a plain value that decides who may pass. It stands on virtual hosts and on routes.

    Guards are equal where they do the same under the same name: what is kept for one (counts, keys of tokens) survives
    a change of the files for one that is equal.

    @ivar name: Of the policy: C{NAMESPACE/NAME}.
    @ivar origin: Where it is said; of several policies in one guard, the first.
    """

    name: str
    origin: Origin = field(compare=False)

    def stage(self) -> Stage:
        """When a request meets it."""
        # no abstract method: mypyc makes no class of both ABC and a dataclass with slots
        raise NotImplementedError


Guards = tuple[Guard, ...]
"""In the order in which a request meets them."""


def in_order(guards: Iterable[Guard]) -> Guards:
    """Return guards in the order of their stages, and of one stage as they are given; each once."""
    return tuple(sorted(dict.fromkeys(guards), key=lambda guard: guard.stage()))
