"""
Policies that say who may come in, as far as it takes to tell whether one is meant for this gateway.

None of them is honoured yet. So all that is read is to whom a policy applies, and whatever can't be read of it applies:
a policy that is passed over by mistake lets everyone in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edgegate.config.document import Document, snake_case

_DRY_RUN = "istio.io/dry-run"
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})


@dataclass(frozen=True, slots=True, eq=False)
class AccessPolicy:
    """
    An C{AuthorizationPolicy}.

    @ivar labels: What its selector asks for; empty: everyone.
    @ivar targets: Kinds and names of what C{targetRefs} names in place of a selector.
    @ivar harmless: Why nobody is refused because of it; empty where someone may be.
    """

    document: Document
    labels: Mapping[str, str]
    targets: tuple[tuple[str, str], ...]
    harmless: str


def access_policy(document: Document) -> AccessPolicy:
    """Read a policy's document, of which its names and places are kept."""
    spec = _field(document.value, "spec")
    references = _field(spec, "targetRefs")
    targets = [*(references if isinstance(references, list) else ()), _field(spec, "targetRef")]
    named = tuple((_text(each, "kind"), _text(each, "name")) for each in targets if isinstance(each, dict))
    return AccessPolicy(document.packed(), _labels(spec), named, _harmless(document, spec))


def _labels(spec: Any) -> Mapping[str, str]:
    labels = _field(_field(spec, "selector"), "matchLabels")
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        return {}
    return labels


def _harmless(document: Document, spec: Any) -> str:
    if _text(spec, "action") == "AUDIT":
        return "AUDIT refuses nobody"
    annotations = _field(_field(document.value, "metadata"), "annotations")
    return "a dry run refuses nobody" if _field(annotations, _DRY_RUN) in _TRUE else ""


def _field(where: Any, name: str) -> Any:
    if not isinstance(where, Mapping):
        return None
    return where[name] if name in where else where.get(snake_case(name))


def _text(where: Any, name: str) -> str:
    found = _field(where, name)
    return found if isinstance(found, str) else ""
