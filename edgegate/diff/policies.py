"""
How two sides guard what they serve. What policies mean is not compared: those that are not equal are told, by their
names and a digest of what they show; of secrets is told only that they are others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from os import urandom
from typing import Final

from edgegate.diff.fields import FieldChange
from edgegate.model.guards.guard import Guard, Guards
from edgegate.routing.snapshot import FilterChain

NONE: Final = "none"
_KEY: Final = urandom(16)


@dataclass(frozen=True, slots=True)
class Policy:
    """
    A policy, equal to others that say the same.

    @ivar word: Its kind, its name and a digest of what it shows.
    @ivar secrets: A digest of what it does not show, of use in this process alone: it is never told.
    """

    word: str
    secrets: str = field(repr=False)

    def __str__(self) -> str:
        """Return it as reports show it: the same in each of them."""
        return self.word


def policies_of(guards: Guards) -> tuple[Policy, ...]:
    """Return each policy as what tells it from others."""
    return tuple(map(_policy, guards))


def between_chains(old: FilterChain, new: FilterChain) -> tuple[FieldChange, ...]:
    """Return how the policies differ that stand on two chains as a whole."""
    return between_policies(policies_of(old.guards), policies_of(new.guards))


def between_policies(old: tuple[Policy, ...], new: tuple[Policy, ...]) -> tuple[FieldChange, ...]:
    """Return how policies differ; nothing where they don't. Those that both sides have are left out."""
    if old == new:
        return ()
    before = [each for each in old if each not in new]
    after = [each for each in new if each not in old]
    if not before and not after:
        before, after = [*old], [*new]  # in another order
    known = {each.word: each.secrets for each in old}
    told = [f"{each}, other secrets" if known.get(each.word, each.secrets) != each.secrets else each for each in after]
    return (FieldChange("policies", shown(before), shown(told)),)


def shown(policies: Iterable[object]) -> str:
    """Return policies in words."""
    return ", ".join(map(str, policies)) or NONE


@lru_cache(maxsize=256)
def _policy(guard: Guard) -> Policy:
    said = sha256(_text(_said(guard, False))).hexdigest()
    secrets = digest(_KEY, _text(_said(guard, True)), "sha256").hex()
    return Policy(f"{guard.origin.resource.partition(' ')[0]} {guard.name} ({said[:8]})", secrets)


def _said(value: object, concealed: bool) -> object:
    """
    Return a value by all that makes it equal to others: where it is said does not.

    @param concealed: Whether what it does not show counts as well.
    """
    if isinstance(value, tuple | list):
        return [_said(each, concealed) for each in value]
    if isinstance(value, frozenset | set):
        # the order of their items is another in each process
        return sorted(repr(_said(each, concealed)) for each in value)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    own = [each for each in fields(value) if each.compare and (each.repr or concealed)]
    return [type(value).__name__, *((each.name, _said(getattr(value, each.name), concealed)) for each in own)]


def _text(said: object) -> bytes:
    return repr(said).encode("utf-8", "backslashreplace")
