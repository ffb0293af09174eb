"""Which of Envoy's filters may refuse somebody: files that have such a one are not served without it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

_REFUSING: Final = (
    "admission_control",
    "api_key_auth",
    "bandwidth_limit",
    "basic_auth",
    "connection_limit",
    "csrf",
    "direct_response",
    "dynamic_modules",
    "ext_authz",
    "ext_proc",
    "golang",
    "jwt_authn",
    "local_ratelimit",
    "lua",
    "oauth2",
    "rate_limit_quota",
    "ratelimit",
    "rbac",
    "wasm",
)
"""Names of Envoy's filters that refuse requests, or may, as they stand in their names and types."""

_OTHER_WAYS: Final = {
    "basic_auth": "a BasicAuthPolicy of edgegate.io/v1alpha1 does so",
    "api_key_auth": "an APIKeyPolicy of edgegate.io/v1alpha1 does so",
    "ext_authz": "an AuthorizationPolicy with action CUSTOM does so",
    "jwt_authn": "a RequestAuthentication does so",
    "rbac": "an AuthorizationPolicy does so",
    "oauth2": "an OIDCPolicy of edgegate.io/v1alpha1 does so",
    "lua": "headers of a VirtualService, or an AuthorizationPolicy, may do so",
    "connection_limit": "--max-connections and its kin do so",
}

_NAMING: Final = frozenset({"name", "@type", "type_url", "typeUrl"})
"""Fields that say which filter is meant."""

_SCRIPTS: Final = frozenset({"inline_code", "inlineCode", "inline_string", "inlineString"})
"""Fields that have a script."""


def refusing(value: object, name: str = "") -> tuple[str, str] | None:
    """
    Return the name or the type of a filter that may refuse somebody, wherever in a patch it stands, and what does so
    here; L{None}: there is none.

    @param name: Of the filter that the patch is, where it is one; of others only Envoy's own names count.
    """
    for text in (name, *(each for each in _names(value) if "envoy." in each)):
        found = next((each for each in _REFUSING if f".{each}" in text), "")
        if found and not (found == "lua" and _only_changes(value)):
            return text.rpartition("/")[2], _OTHER_WAYS.get(found, "take the patch out to serve without it")
    return None


def answering(value: object) -> str:
    """Return what a patch says of routes that refuse requests by themselves; empty: there is none."""
    for key, inner in _fields(value):
        if key in ("direct_response", "directResponse") and isinstance(inner, dict):
            status = inner.get("status")
            if not isinstance(status, int) or status >= 400:
                return key
    return ""


def _names(value: object) -> Iterator[str]:
    """Yield names and types of all that is within a patch."""
    for key, inner in _fields(value):
        if key in _NAMING and isinstance(inner, str):
            yield inner
        elif isinstance(inner, dict):
            # settings of virtual hosts and routes have the names of filters for keys
            yield key


def _only_changes(value: object) -> bool:
    """Whether no script in a patch answers requests itself; one that is nowhere to be seen may."""
    scripts = [inner for key, inner in _fields(value) if key in _SCRIPTS and isinstance(inner, str)]
    return bool(scripts) and not any("respond" in each for each in scripts)


def _fields(value: object) -> Iterator[tuple[str, Any]]:
    """Yield all fields within a patch."""
    pending: list[Any] = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            yield from ((str(key), inner) for key, inner in each.items())
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
