"""Which users may pass, and what backends are told of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edgegate.access.jwt.claims import field_value
from edgegate.model.claims import claim_at, texts_of
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import AllowedClaim

Field = tuple[bytes, bytes]

LONGEST_FIELD = 8 << 10
"""Bytes of a claim that a backend is told."""


def may_pass(claims: Mapping[str, Any], allowed: Iterable[AllowedClaim]) -> bool:
    """Whether each of the claims that count has one of its values: as a text, in a list, or as a number is written."""
    return all(_has_one(claim_at(claims, each.path), each.values) for each in allowed)


def claim_fields(claims: Mapping[str, Any], headers: Iterable[ClaimHeader]) -> list[Field]:
    """Return what backends get of claims."""
    found = []
    for header in headers:
        value = claim_at(claims, header.claim)
        text = _listed(value) if isinstance(value, list) else field_value(value)
        if text is not None and len(text) <= LONGEST_FIELD:
            found.append((header.name, text))
    return found


def _has_one(claim: Any, values: Sequence[str]) -> bool:
    if isinstance(claim, (bool, int, float)):
        said = field_value(claim)
        return said is not None and said.decode() in values
    return any(text in values for text in texts_of(claim))


def _listed(claim: list[Any]) -> bytes | None:
    """Return a list of texts with commas between; L{None}: it is none, or one of them has a comma itself."""
    if not all(isinstance(each, str) and "," not in each for each in claim):
        return None
    return field_value(",".join(claim))
