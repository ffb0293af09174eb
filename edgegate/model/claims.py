# Compiled: routes ask for claims.
"""
Claims of verified tokens, as routes ask for them: by a name that stands for a header and can't be one.

Istio writes C{@request.auth.claims.a.b} or C{@request.auth.claims[a][b]} (C{pkg/jwt/routing.go}). Here only the second
is used, so that one claim has one name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

BEGIN: Final = "@request.auth.claims"
MARK: Final = "@"
"""How the names of claims begin, and no header's does."""

NO_CLAIMS: Final[Mapping[str, Any]] = {}


def claim_name(said: str) -> str:
    """
    Return the name of a claim.

    @param said: As Istio writes it, in any case up to the claim's own name.
    """
    rest = said[len(BEGIN) :]
    names = rest[1:].split(".") if rest.startswith(".") else rest[1:-1].split("][")
    # headers' names are Latin-1, and claims' are anything
    return BEGIN + "".join(f"[{name}]" for name in names).encode().decode("latin-1")


def claim_path(name: str) -> tuple[str, ...]:
    """Return the names of a claim, from the outside in."""
    return tuple(name[len(BEGIN) + 1 : -1].encode("latin-1").decode().split("]["))


def claim_at(claims: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return a claim, or one of an object in it; L{None}: there is none."""
    value: Any = claims
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def texts_of(claim: Any) -> list[str]:
    """Return what a claim says that policies and routes can compare: a text, or those in a list."""
    if isinstance(claim, str):
        return [claim]
    return [each for each in claim if isinstance(each, str)] if isinstance(claim, list) else []


def claims_of(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, Any]:
    """Return the claims that a made-up request has, by their names; of several values a list."""
    found: dict[str, Any] = {}
    for name, value in fields:
        *outer, last = claim_path(name.decode("latin-1"))
        at = found
        for each in outer:
            inner = at.setdefault(each, {})
            at = inner if isinstance(inner, dict) else {}
        values = at.setdefault(last, [])
        if isinstance(values, list):
            values.append(value.decode("utf-8", "replace"))
    return found
