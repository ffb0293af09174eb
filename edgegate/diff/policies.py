"""
How two sides guard what they serve. What policies mean is not compared: those that are not equal are told, by their
names and a digest of what they say.
"""

from __future__ import annotations

from dataclasses import astuple, fields, is_dataclass, replace
from functools import lru_cache
from hashlib import sha256
from hmac import digest
from os import urandom
from typing import Final

from edgegate.diff.fields import FieldChange
from edgegate.model.guards.guard import Guard, Guards
from edgegate.model.origin import Origin
from edgegate.routing.snapshot import FilterChain

NONE: Final = "none"
_NOWHERE: Final = Origin("", 0, "")
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
    said = replace(guard, origin=_NOWHERE)
    shown = sha256(repr(said).encode("utf-8", "backslashreplace")).hexdigest()
    secrets = f", secrets {_keyed(said)[:8]}" if _conceals(said) else ""
    return f"{guard.origin.resource.partition(' ')[0]} {guard.name} ({shown[:8]}{secrets})"


def _conceals(value: object) -> bool:
    """Whether a value has parts that it does not show."""
    if isinstance(value, tuple):
        return any(map(_conceals, value))
    if not is_dataclass(value) or isinstance(value, type):
        return False
    return any(
        (not each.repr and getattr(value, each.name)) or _conceals(getattr(value, each.name)) for each in fields(value)
    )


def _keyed(guard: Guard) -> str:
    """Return a digest of all that a policy says, secrets included: of use in this process alone, to nobody else."""
    return digest(_KEY, repr(astuple(guard)).encode("utf-8", "backslashreplace"), "sha256").hex()
