"""Istio's C{exportTo}: which namespaces may make use of a document."""

from __future__ import annotations

from collections.abc import Collection


def exported(scopes: Collection[str], own: str, namespace: str) -> bool:
    """
    Whether a namespace sees a document.

    @param scopes: Its C{exportTo}; without any everyone does, C{.} is its own namespace, C{~} nobody.
    @param own: The document's namespace.
    """
    return not scopes or "*" in scopes or namespace in scopes or ("." in scopes and namespace == own)
