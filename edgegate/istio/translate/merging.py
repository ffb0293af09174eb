"""
An item of C{http} that delegates, merged with one of its delegate by Istio's rules.

They are those of C{pilot/pkg/model/virtualservice.go}, with one exception: where
both forbid a header (C{withoutHeaders}), the root's condition, which is the wider
one, stays, so that no delegate lets in what its root keeps out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.attachment import gateway_key
from edgegate.istio.translate.rules import MESH, GatewayKey

INHERITED = (
    "rewrite",
    "timeout",
    "retries",
    "fault",
    "mirror",
    "mirrors",
    "mirror_percent",
    "mirror_percentage",
    "cors_policy",
    "headers",
)
"""What an item has of its root where it does not give it itself; each is taken whole."""

TEXTS = ("uri", "scheme", "method", "authority")
NAMED = ("headers", "without_headers", "query_params")
SINGLE = (*TEXTS, "port", "source_namespace", "gateways", "stat_prefix")
"""What a match has of its root's match where it does not give it itself."""

Part = tuple[Resource[VirtualService], Path]
"""A part of a document."""

_NAMES = {
    field.name: field.encode_name
    for struct in (kinds.HTTPRoute, kinds.HTTPMatchRequest)
    for field in structs.fields(struct)
}
_NOTHING: tuple[Any, ...] = (None, (), {})


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """
    An item of C{http}.

    @ivar path: Where it is in the resource.
    """

    resource: Resource[VirtualService]
    path: Path
    route: kinds.HTTPRoute

    def part(self, *path: str | int) -> Part:
        """Return the place of a part of it."""
        return self.resource, (*self.path, *path)

    def gateways(self, match: kinds.HTTPMatchRequest) -> set[GatewayKey]:
        """Return the Gateways that one of its matches names; the mesh is the same in every namespace."""
        return {("", MESH) if name == MESH else gateway_key(name, self.resource.namespace) for name in match.gateways}


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """
    What became of two items, or an item that is as it was.

    @ivar parts: Where it and parts of it are said, by their paths in it.
    """

    route: kinds.HTTPRoute
    parts: Mapping[Path, Part]


@dataclass(frozen=True, slots=True)
class Conflict:
    """
    Why an item of a delegate serves nothing of what its root's item delegates.

    @ivar match: Which of its matches is within none of the root's.
    """

    match: int
    reason: str


def merge(root: Item, delegate: Item) -> Merged | Conflict:
    """
    Merge an item of a root with one of its delegate.

    Requests that match both come to the delegate's destinations, under the
    root's timeout and all else in L{INHERITED}, unless the delegate has its own.
    """
    matches = _matches(root, delegate)
    if isinstance(matches, Conflict):
        return matches
    match, parts = matches
    changes: dict[str, Any] = {"match": match, "name": _joined(root.route.name, delegate.route.name), "delegate": None}
    for field in INHERITED:
        value = getattr(root.route, field)
        if value not in _NOTHING and getattr(delegate.route, field) in _NOTHING:
            changes[field] = value
            parts[(_NAMES[field],)] = root.part(_NAMES[field])
    parts[()] = delegate.part()
    parts[("delegate",)] = root.part("delegate")
    return Merged(structs.replace(delegate.route, **changes), parts)


def _matches(root: Item, delegate: Item) -> tuple[tuple[kinds.HTTPMatchRequest, ...], dict[Path, Part]] | Conflict:
    """Return every match of the delegate within every match of the root that it fits in; each must fit in one."""
    if not delegate.route.match:
        return root.route.match, {("match",): root.part("match")}
    if not root.route.match:
        return delegate.route.match, {}
    found: list[kinds.HTTPMatchRequest] = []
    parts: dict[Path, Part] = {}
    for number, narrow in enumerate(delegate.route.match):
        reasons: list[str] = []
        for index, wide in enumerate(root.route.match):
            reason = next(_conflicts(root, wide, delegate, narrow), None)
            if reason is not None:
                reasons.append(reason)
                continue
            place = ("match", len(found))
            parts[place] = delegate.part("match", number)
            match, inherited = _merged_match(wide, narrow)
            parts.update({place + path: root.part("match", index, *path) for path in inherited})
            found.append(match)
        if len(reasons) == len(root.route.match):
            among = f"it is within none of {len(reasons)} matches there: " if len(reasons) > 1 else ""
            return Conflict(number, among + reasons[0])
    return tuple(found), parts


def _merged_match(
    wide: kinds.HTTPMatchRequest, narrow: kinds.HTTPMatchRequest
) -> tuple[kinds.HTTPMatchRequest, list[Path]]:
    """Return both matches as one, and which parts of it are the root's."""
    changes: dict[str, Any] = {"name": _joined(wide.name, narrow.name)}
    inherited: list[Path] = []
    for field in SINGLE:
        value = getattr(wide, field)
        if value not in _NOTHING and getattr(narrow, field) in _NOTHING:
            changes[field] = value
            inherited.append((_NAMES[field],))
    for field in (*NAMED, "source_labels"):
        of_root, own = getattr(wide, field), getattr(narrow, field)
        kept = of_root if field == "without_headers" else {name: of_root[name] for name in of_root if name not in own}
        changes[field] = {**own, **kept}
        inherited.extend((_NAMES[field], name) for name in kept)
    return structs.replace(narrow, **changes), inherited


def _conflicts(
    root: Item, wide: kinds.HTTPMatchRequest, delegate: Item, narrow: kinds.HTTPMatchRequest
) -> Iterator[str]:
    """Yield why one match is not within the other."""
    for field in TEXTS:
        yield from _apart(_NAMES[field], getattr(wide, field), getattr(narrow, field))
    for field in NAMED:
        conditions = getattr(wide, field)
        for name, condition in getattr(narrow, field).items():
            yield from _apart(f"{_NAMES[field]} {show(name)}", conditions.get(name), condition)
    if bool(wide.ignore_uri_case) != bool(narrow.ignore_uri_case):
        yield "ignoreUriCase is not the same there"
    if wide.port and narrow.port and wide.port != narrow.port:
        yield f"port {narrow.port} is not port {wide.port}"
    if wide.source_namespace and wide.source_namespace != narrow.source_namespace:
        yield "sourceNamespace is not the same there"
    if any(wide.source_labels.get(name, value) != value for name, value in narrow.source_labels.items()):
        yield "sourceLabels have other values there"
    if wide.gateways and not delegate.gateways(narrow) <= root.gateways(wide):
        yield "a gateway is not among the gateways there"


def _apart(what: str, wide: kinds.StringMatch | None, narrow: kinds.StringMatch | None) -> Iterator[str]:
    """
    Yield why one condition is not within the other, if it is not.

    Only exact values and prefixes are compared: a regular expression or mere
    presence goes with no condition of the other side, not even with its equal.
    """
    if wide is None or narrow is None:
        return
    said = narrow.exact or narrow.prefix
    if not said or not (wide.exact or wide.prefix):
        yield f"{what} {_condition(narrow)} can't be compared with {_condition(wide)}: only exact and prefix can"
    elif narrow.exact != wide.exact if wide.exact else not said.startswith(wide.prefix or ""):
        yield f"{what} {_condition(narrow)} is not within {_condition(wide)}"


def _condition(match: kinds.StringMatch) -> str:
    for kind in match.one_of:
        value = getattr(match, kind)
        if value is not None:
            return f"{kind} {show(value)}"
    return "presence"


def _joined(first: str | None, second: str | None) -> str | None:
    return "-".join(name for name in (first, second) if name) or None
