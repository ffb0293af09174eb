"""
Writes what the documentation says of fields, from the notes at the fields themselves and from C{fields.yaml}: the
tables of C{configuration.md}, of C{not-honoured.md} and of the pages in C{policies}.

    python docs/fields.py

A test fails where the pages do not say what the code says. Fields without an example are listed on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from edgegate.istio.honoured import Field, fields
from edgegate.istio.kinds import KINDS, UNSERVED
from edgegate.istio.kinds.base import Note
from edgegate.model.operators import EMPTY_AT_THE_END

FOLDER = Path(__file__).parent
BEGIN, END = "<!-- fields of {kind} -->\n", "<!-- end of fields of {kind} -->"
ISTIO = (
    "Gateway",
    "VirtualService",
    "ServiceEntry",
    "DestinationRule",
    "WorkloadEntry",
    "WorkloadGroup",
    "Telemetry",
    "MeshConfig",
    "RequestAuthentication",
    "AuthorizationPolicy",
)

POLICIES = {
    "AddressListPolicy": "address-list",
    "APIKeyPolicy": "api-keys",
    "BasicAuthPolicy": "basic-auth",
    "CertificateIssuer": "../certificates",
    "ConcurrencyPolicy": "concurrency",
    "OIDCPolicy": "oidc",
    "RateLimitPolicy": "rate-limit",
}
"""edgegate's own kinds, each with its page."""

COMMON: Mapping[str, Mapping[str, Any]] = {
    "targetRefs[].group": {
        "example": "networking.istio.io",
        "says": "the group of what the policy is for. Several may be named",
    },
    "targetRefs[].kind": {"example": "Gateway", "says": "`Gateway` or `VirtualService`"},
    "targetRefs[].name": {"example": "shop", "says": "its name; it is of the policy's own namespace"},
    "targetRefs[].sectionName": {
        "example": "https",
        "default": "all of it",
        "says": "the name of a Gateway's server or of its port, or that of a VirtualService's `http` route",
    },
    "selector.matchLabels": {
        "example": {"istio": "ingressgateway"},
        "default": "every gateway",
        "says": "the gateways that the policy is for, in place of `targetRefs`: [how](index.md#what-a-policy-is-for)",
    },
}
"""What is said of the fields that all of those have."""

_PARTS = ("loadBalancer", "connectionPool", "outlierDetection", "tls")
SAME = {
    "subsets[].trafficPolicy": "trafficPolicy",
    **{f"trafficPolicy.portLevelSettings[].{part}": f"trafficPolicy.{part}" for part in _PARTS},
}
"""Fields that are what another one is, and are not listed again."""

REFUSED = {
    "servers[].port.targetPort": "an error: it has no meaning on a Gateway",
    "http[].fault.delay.exponentialDelay": "an error: Istio does not support it either",
    "http[].fault.abort.http2Error": "an error: Istio does not support it either",
}
"""Fields that no folder may have which is served."""

SAID: Mapping[str, Mapping[str, Mapping[str, Any]]] = yaml.safe_load((FOLDER / "fields.yaml").read_text())
"""Of each kind, what is said of fields: an C{example}, a C{default}."""


def said(note: Note | None) -> str:
    """Return what a table says of a field with this note."""
    if note is None:
        return "honoured"
    if note.message:
        return note.message
    if note.remark:
        return note.remark
    return "honoured, but for " + ", ".join(f"`{value}` ({message})" for value, message in note.values)


def about(kind: str, path: str) -> Mapping[str, Any]:
    """Return what C{fields.yaml} says of a field: by its path, or by the longest end of it."""
    parts = path.split(".")
    ends = (".".join(parts[begin:]) for begin in range(len(parts)))
    known = {**COMMON, **SAID.get(kind, {})} if kind in POLICIES else SAID.get(kind, {})
    return next((known[end] for end in ends if end in known), {})


def listed(kind: str) -> Iterator[Field]:
    """Yield the fields that a kind's table has: all that hold a value, and whole messages where none of it is read."""
    found = list(fields(next(each.struct for each in KINDS if each.name == kind)))
    for field in found:
        whole = field.note is not None and field.note.message
        same = any(field.path.startswith(f"{path}.") for path in SAME)
        below = any(other.path.startswith((f"{field.path}.", f"{field.path}[].")) for other in found)
        if field.path in SAME or (not same and (whole or not below)):
            yield field


def table(kind: str) -> Iterator[str]:
    """Yield the lines of a kind's table."""
    yield f"| `{kind}.spec` | type | default | example | |"
    yield "| --- | --- | --- | --- | --- |"
    for field in listed(kind):
        if field.path in SAME:
            yield f"| `{field.path}` | object | | | as `{SAME[field.path]}` |"
            continue
        more = about(kind, field.path)
        default = "required" if field.required else more.get("default", "")
        example = _code(_shown(more["example"])) if "example" in more and field.path not in REFUSED else ""
        words = REFUSED.get(field.path) or said(field.note)
        yield f"| `{field.path}` | {_type(field.type)} | {default} | {example} | {words} |"


def policy_table(kind: str) -> Iterator[str]:
    """Yield the lines of the table of one of edgegate's own kinds."""
    yield f"| `{kind}.spec` | type | default | example | |"
    yield "| --- | --- | --- | --- | --- |"
    for field in listed(kind):
        more = about(kind, field.path)
        default = "required" if field.required else more.get("default", "")
        example = _code(_shown(more["example"])) if "example" in more else ""
        yield f"| `{field.path}` | {_type(field.type)} | {default} | {example} | {more.get('says', '')} |"


def _type(words: str) -> str:
    return words if words.islower() else ", ".join(f"`{word}`" for word in words.split(", "))


def _shown(example: Any) -> str:
    """Return an example as one would write it in YAML, on one line."""
    if isinstance(example, list):
        return f"[{', '.join(_shown(each) for each in example)}]"
    if isinstance(example, dict):
        return f"{{{', '.join(f'{_shown(key)}: {_shown(value)}' for key, value in example.items())}}}"
    if isinstance(example, str):
        try:
            plain = yaml.safe_load(f"[{example}]") == [example]
        except yaml.YAMLError:
            plain = False
        return example if plain else json.dumps(example)
    return json.dumps(example)


def _code(text: str) -> str:
    """Return text as code in the cell of a table."""
    return f"`{text.replace('|', chr(92) + '|')}`"


def kinds() -> Iterator[str]:
    """Yield the lines of the table of Istio's other kinds."""
    yield "| kind | |"
    yield "| --- | --- |"
    for (_, name), message in UNSERVED.items():
        yield f"| `{name}` | {message} |"


def missing() -> Iterator[str]:
    """Yield the lines of the table of all fields that do not do what Istio's reference says."""
    yield "| field | |"
    yield "| --- | --- |"
    for kind in ISTIO:
        for field in listed(kind):
            if field.path in SAME:
                continue
            words = REFUSED.get(field.path)
            if words or field.note is not None:
                yield f"| `{kind}.spec.{field.path}` | {words or said(field.note)} |"


def valueless() -> Iterator[str]:
    """Yield the lines of the table of operators that stand for nothing in the access log."""
    yield "| operators | why |"
    yield "| --- | --- |"
    for why in dict.fromkeys(EMPTY_AT_THE_END.values()):
        names = sorted(name for name, reason in EMPTY_AT_THE_END.items() if reason == why)
        yield f"| {', '.join(f'`%{name}%`' for name in names)} | {why} |"


TABLES: Mapping[str, Mapping[str, Callable[[], Iterator[str]]]] = {
    "access-log.md": {"valueless operators": valueless},
    "configuration.md": {**{name: lambda name=name: table(name) for name in ISTIO}, "other kinds": kinds},
    "not-honoured.md": {"all kinds": missing, "other kinds": kinds},
    **{f"policies/{page}.md": {name: lambda name=name: policy_table(name)} for name, page in POLICIES.items()},
}
"""Of each page, its tables by the names that stand in the comments around them."""


def written(name: str, page: str) -> str:
    """Return a page with its tables as they should be."""
    for kind, lines in TABLES[name].items():
        begin, end = BEGIN.format(kind=kind), END.format(kind=kind)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{chr(10).join(lines())}\n\n{end}{after}"
    return page


def unillustrated() -> Iterator[str]:
    """Yield the fields that have no example."""
    for kind in (*ISTIO, *POLICIES):
        for field in listed(kind):
            if field.path not in SAME and field.path not in REFUSED and "example" not in about(kind, field.path):
                yield f"{kind}.spec.{field.path}"


if __name__ == "__main__":
    for page in TABLES:
        path = FOLDER / page
        path.write_text(written(page, path.read_text()))
    for name in unillustrated():
        sys.stderr.write(f"no example: {name}\n")
