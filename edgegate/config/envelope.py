"""What every document has around its contents: C{apiVersion}, C{kind} and C{metadata}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath
from typing import Any

from edgegate.config.document import Document, Path, Places, format_path
from edgegate.config.problems import Problems, Role, Severity
from edgegate.config.values import describe, quoted, type_name

DEFAULT_NAMESPACE = "default"

TESTS = ("tests", "testCases")
"""The keys of a document of tests, of which each has one: edgegate's own and Envoy's, istio-config-validator's."""

GuessKind = Callable[[Mapping[str, Any]], str]
"""Returns the kind that a document probably is of, by the fields of its C{spec}; empty: there is no telling."""

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")


def no_guess(spec: Mapping[str, Any]) -> str:
    """Guess nothing: a L{GuessKind}."""
    return ""


def documents_of(
    file: str,
    line: int,
    value: object,
    places: Places | None,
    problems: Problems,
    guess: GuessKind = no_guess,
) -> Iterator[Document]:
    """
    Yield what a composed YAML document holds: nothing where it is empty, itself, or the items of a C{List}.

    What lacks a name, a kind or an apiVersion is reported instead.

    @param line: Where it begins.
    @param guess: Asked for the kind of a document that does not say its own.
    """
    if value is None:
        return
    draft = Document(file, line, "", "", "", value=value if isinstance(value, dict) else {}, places=places or {})
    if not isinstance(value, dict):
        # what a text says is not repeated: it may be a key
        message = f"a document is a mapping with apiVersion, kind and metadata, not {type_name(value)}"
        hint = "; documents follow each other with --- between them" if isinstance(value, list) else ""
        _error(draft, problems, (), message + hint)
        return
    if _is_list(value):
        children = (places or {})["items"][2] or {}
        for index, item in enumerate(value["items"]):
            item_line, _, item_places = children[index]
            yield from documents_of(file, item_line, item, item_places, problems, guess)
        return
    document = _read(draft, value, problems, guess)
    if document is not None:
        yield document


def _is_list(value: Mapping[str, Any]) -> bool:
    kind = value.get("kind")
    return isinstance(kind, str) and kind.endswith("List") and isinstance(value.get("items"), list)


def _read(draft: Document, value: Mapping[str, Any], problems: Problems, guess: GuessKind) -> Document | None:
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        _error(draft, problems, ("metadata",), f"expected object, got {describe(metadata)}")
        return None
    metadata = metadata or {}
    needed = {("apiVersion",): value, ("kind",): value, ("metadata", "name"): metadata}
    missing = [format_path(path) for path, where in needed.items() if where.get(path[-1]) is None]
    if missing and _is_kustomization(draft.file, value):
        draft.problem(problems, Severity.INFO, (), "a Kustomization is passed over: write out what it makes")
        return None
    if len(missing) == len(needed) and is_of_tests(value):
        return None
    if missing:
        hint = _probable_kind(value, guess) if "kind" in missing else ""
        _error(draft, problems, (), f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing{hint}")
    api_version, kind, name = (_text(draft, where, path, problems) for path, where in needed.items())
    namespace = metadata.get("namespace")
    if namespace is not None:
        namespace = _text(draft, metadata, ("metadata", "namespace"), problems)
    labels = _labels(draft, metadata.get("labels"), problems)
    created = _created(draft, metadata.get("creationTimestamp"), problems)
    if kind is None or api_version is None or name is None:
        return None
    return replace(
        draft,
        kind=kind,
        api_version=api_version,
        name=name,
        namespace=namespace or DEFAULT_NAMESPACE,
        labels=labels,
        creation_timestamp=created,
    )


def is_of_tests(value: Mapping[str, Any]) -> bool:
    """Whether a document is one of tests (C{edgegate test}), which may lie beside what it tests."""
    return any(isinstance(value.get(key), list) for key in TESTS)


def _is_kustomization(file: str, value: Mapping[str, Any]) -> bool:
    """Whether a document is one of kustomize's, which lies beside those that it changes and needs no name."""
    named = PurePath(file).name in ("kustomization.yaml", "kustomization.yml")
    return named or str(value.get("apiVersion")).startswith("kustomize.config.k8s.io/")


def _probable_kind(value: Mapping[str, Any], guess: GuessKind) -> str:
    """Return what to write for the kind of a document."""
    spec = value.get("spec")
    if not isinstance(spec, dict) or not spec:
        return ""
    kind = guess(spec)
    return f": write kind: {kind}, if one is meant" if kind else ""


def _text(draft: Document, where: Mapping[str, Any], path: Path, problems: Problems) -> str | None:
    found = where.get(str(path[-1]))
    if isinstance(found, str) and found:
        return found
    if found is not None:
        _error(
            draft, problems, path, "empty" if found == "" else f"expected string, got {describe(found)}{quoted(found)}"
        )
    return None


def _labels(draft: Document, labels: object, problems: Problems) -> Mapping[str, str]:
    path: Path = ("metadata", "labels")
    if labels is None:
        return {}
    if not isinstance(labels, dict):
        _error(draft, problems, path, f"expected object, got {describe(labels)}")
        return {}
    for key, label in labels.items():
        if not isinstance(label, str):
            _error(draft, problems, (*path, key), f"expected string, got {describe(label)}{quoted(label)}")
    return {key: label for key, label in labels.items() if isinstance(label, str)}


def _created(draft: Document, value: object, problems: Problems) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, str) and _TIMESTAMP.fullmatch(value):
        try:
            return datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            pass  # said below
    _error(
        draft,
        problems,
        ("metadata", "creationTimestamp"),
        f"expected a time such as 2026-01-31T12:00:00Z, got {describe(value)}",
    )
    return None


def _error(draft: Document, problems: Problems, path: Path, message: str) -> None:
    draft.error(problems, path, message, Role.CAUSE)
