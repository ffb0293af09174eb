"""
How two sides guard what they serve. What policies mean is not compared: those that are not equal are told, by their
names and a digest of what they say.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
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


def policies_of(guards: Guards) -> tuple[str, ...]:
    """Return each policy in a word: two that differ never look alike, and those that are equal do."""
    return tuple(map(_word, guards))


def between_chains(old: FilterChain, new: FilterChain) -> tuple[FieldChange, ...]:
    """Return how the policies differ that stand on two chains as a whole."""
    return between_policies(policies_of(old.guards), policies_of(new.guards))


def between_policies(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[FieldChange, ...]:
    """Return how policies differ; nothing where they don't. Those that both sides have are left out."""
    if old == new:
        return ()
    before = [each for each in old if each not in new]
    after = [each for each in new if each not in old]
    if not before and not after:
        before, after = [*old], [*new]  # in another order
    return (FieldChange("policies", ", ".join(before) or NONE, ", ".join(after) or NONE),)


@lru_cache(maxsize=256)
def _word(guard: Guard) -> str:
    shown = sha256(_text(_said(guard, False))).hexdigest()
    secrets = f", secrets {_keyed(guard)[:8]}" if _conceals(guard) else ""
    return f"{guard.origin.resource.partition(' ')[0]} {guard.name} ({shown[:8]}{secrets})"


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


def _conceals(value: object) -> bool:
    """Whether a value has parts that it does not show."""
    if isinstance(value, tuple):
        return any(map(_conceals, value))
    if not is_dataclass(value) or isinstance(value, type):
        return False
    return any(
        (not each.repr and getattr(value, each.name)) or _conceals(getattr(value, each.name))
        for each in fields(value)
        if each.compare
    )


def _keyed(guard: Guard) -> str:
    """Return a digest of all that a policy says, secrets included: of use in this process alone, to nobody else."""
    return digest(_KEY, _text(_said(guard, True)), "sha256").hex()


def _text(said: object) -> bytes:
    return repr(said).encode("utf-8", "backslashreplace")
