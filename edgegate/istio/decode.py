"""From documents to resources: every document becomes a struct of its kind, or is reported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cache
from typing import Any

import msgspec

from edgegate.config.document import Document, Path
from edgegate.config.packing import pack
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.config.values import closest, show, suggestion
from edgegate.istio.checking import DROPPED, Check, shape_of
from edgegate.istio.honoured import not_honoured
from edgegate.istio.kinds import CORE_KINDS, EDGEGATE, KINDS, UNSERVED, Kind
from edgegate.istio.kinds.base import Base64, Duration, Spec
from edgegate.istio.kinds.meta import Described, Object
from edgegate.istio.mesh_config_map import mesh_config_in
from edgegate.istio.resources import Packed, Resource, Resources
from edgegate.istio.validation import validate
from edgegate.model import codes
from edgegate.model.origin import Origin

_KINDS = {kind.key: kind for kind in KINDS}
_KNOWN = (*_KINDS, *UNSERVED)
"""Group and name of every kind that anything is known of: two groups may have a kind of one name, as C{Gateway}."""

_ISTIO_GROUPS = frozenset(group for group, _ in _KNOWN if group.endswith((".istio.io", EDGEGATE)))
_OTHER_WAYS = dict.fromkeys(
    ("gateway.networking.k8s.io", "networking.k8s.io"),
    "edgegate serves Istio's Gateway and VirtualService (networking.istio.io/v1)",
)
"""Groups whose kinds say in another way what edgegate serves, and what to write instead."""

SUPPRESS = "galley.istio.io/analyze-suppress"
"""The annotation of codes that are not to be told of a document: with commas between them, or C{*}."""

INGRESS_CLASS = "kubernetes.io/ingress.class"
"""The one annotation in Istio's list that is not in its own domain."""

EXPORT_TO = "networking.istio.io/exportTo"
"""The annotation of a Service that says which namespaces see it, with commas between them."""

_LAST = datetime.max.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """
    What came of one document by itself.

    @ivar kind: L{None} where it is no resource.
    @ivar content: L{None} where it is passed over.
    @ivar told: What is wrong with its kind.
    @ivar problems: What is wrong with the rest, if it is not a second one of the same name.
    """

    kind: Kind | None
    content: Resource[Any] | None
    told: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()


def decode(documents: Iterable[Document], problems: Problems) -> Resources:
    """
    Return all resources, checked as far as each can be by itself.

    What is wrong is reported and left out; what is left is returned, so that references can be checked too.

    @param documents: May be read on the way: of each only what was decoded is kept.
    """
    return collect(map(decode_one, documents), problems)


def decode_one(document: Document) -> Decoded:
    """Decode a document. What comes of it depends on nothing else, and may be collected again and again."""
    told, problems = Problems(), Problems()
    document = mesh_config_in(document, told) or document
    kind = _kind_of(document, told)
    content = None if kind is None else _decode(document, kind, problems)
    told.fill_in_codes(codes.SCHEMA_VALIDATION_ERROR, codes.WITHOUT_EFFECT)
    ours = kind is None or kind.group in _ISTIO_GROUPS
    problems.fill_in_codes(
        codes.SCHEMA_VALIDATION_ERROR if ours else codes.INVALID_KUBERNETES_OBJECT, codes.WITHOUT_EFFECT
    )
    return Decoded(kind, content, tuple(told), tuple(problems))


def collect(decoded: Iterable[Decoded], problems: Problems) -> Resources:
    """Return the resources among what was decoded, of those with one name the first, and report what is wrong."""
    resources = Resources()
    seen: dict[tuple[str, str, str, str], Origin] = {}
    for each in decoded:
        content = each.content
        problems.add_all(each.told)
        if each.kind is None or content is None:
            continue
        document = content.document
        key = (*each.kind.key, document.namespace, document.name)
        origin = document.origin
        first = seen.setdefault(key, origin)
        if first is not origin:
            message = f"{document.title} is defined already, at {first}"
            document.error(problems, ("metadata", "name"), message, code=codes.NAME_TAKEN)
            continue
        problems.add_all(each.problems)
        getattr(resources, each.kind.resources).append(content.anew())
    resources.gateways.sort(key=_created)
    resources.virtual_services.sort(key=_created)
    resources.destination_rules.sort(key=_created)
    resources.telemetries.sort(key=_created)
    return resources


def _created(resource: Resource[Any]) -> datetime:
    return resource.document.creation_timestamp or _LAST


def _kind_of(document: Document, problems: Problems) -> Kind | None:
    """Return the kind of a document, or report why it is passed over."""
    group, name = document.group, document.kind
    kind = _KINDS.get((group, name))
    if kind is not None:
        if document.api_version in kind.api_versions:
            return kind
        versions = " or ".join(kind.api_versions)
        document.error(
            problems,
            ("apiVersion",),
            f"{show(document.api_version)} is unknown: {name} has {versions}",
            code=codes.UNKNOWN_KIND,
        )
        return kind
    if (group, name) in UNSERVED:
        document.warning(problems, (), f"{document.title}: {UNSERVED[group, name]}", code=codes.KIND_NOT_SERVED)
        return None
    meant = next((known for known, kind_name in _KNOWN if kind_name == name and _meant(group, known)), None)
    if meant is not None:
        known = _KINDS.get((meant, name))
        usual = known.api_versions[0] if known is not None else f"{meant}/v1"
        document.error(
            problems,
            ("apiVersion",),
            f'{show(document.api_version)} has no {name}; did you mean "{usual}"?',
            code=codes.UNKNOWN_KIND,
        )
        return known
    if group in _ISTIO_GROUPS or (document.api_version == "v1" and name not in CORE_KINDS):
        return _unknown_kind(document, problems)
    why = _OTHER_WAYS.get(group, "edgegate has no use for it")
    passed = f"{document.title} ({document.api_version}) is passed over: {why}"
    document.problem(problems, Severity.INFO, (), passed, code=codes.KIND_NOT_SERVED)
    return None


def _meant(group: str, known: str) -> bool:
    """Whether a group that does not have the kind is a slip for the one that has."""
    return group == "" or "istio" in group or "edgegate" in group or closest(group, [known], cutoff=0.85) is not None


def _unknown_kind(document: Document, problems: Problems) -> Kind | None:
    """Report a kind that its group does not have, and return the one that was probably meant."""
    group, name = document.group, document.kind
    known = [each for its_group, each in _KNOWN if its_group == group]
    hint = suggestion(name, known if group else CORE_KINDS)
    document.error(
        problems, ("kind",), f"{show(document.api_version)} has no {show(name)}{hint}", code=codes.UNKNOWN_KIND
    )
    return _KINDS.get((group, closest(name, known) or ""))


def _decode(document: Document, kind: Kind, problems: Problems) -> Resource[Any]:
    """Return the resource of a document, with no more of it than is still needed, and report what is wrong with it."""
    broken: tuple[Path, ...] = ()
    usable: Any = document.value
    try:
        value = _convert(usable, kind)
    except msgspec.ValidationError:
        check = Check(document, problems, kind.confidential)
        usable = shape_of(kind.document)(check, document.value, ())
        usable = {} if usable is DROPPED else usable
        broken = tuple(check.broken)
        document = replace(document, kept=check.kept, misspelt=check.misspelt)
        value = _convert(usable, kind)
    described = isinstance(value, Described)
    spec: Spec = (value.spec or kind.struct()) if isinstance(value, Described) else value
    resource = Resource(document, spec, broken)

    def tell_not_honoured(path: Path, message: str) -> None:
        resource.warning(problems, path, message, code=codes.FIELD_NOT_HONOURED)

    not_honoured(spec, ("spec",) if described else (), tell_not_honoured)
    validate(resource, problems)
    packed = _pack(usable, kind) if kind.numerous and described else None
    metadata = kind.metadata or _says_of_itself(document)
    return replace(resource, document=document.packed(metadata), content=packed or spec)


def _says_of_itself(document: Document) -> bool:
    """Whether a document has annotations of Istio's, some of which are asked for later."""
    metadata = document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and any(is_istios(name) for name in annotations)


def is_istios(annotation: str) -> bool:
    """Whether an annotation claims to be Istio's (C{annotations.K8sAnalyzer})."""
    domain = str(annotation).partition("/")[0]
    return domain.endswith("istio.io") or annotation == INGRESS_CLASS


def _pack(value: Mapping[str, Any], kind: Kind) -> Packed[Any] | None:
    """Return the spec within a value that was converted, packed; L{None} where that can't be done."""
    try:
        raw = pack(value.get("spec") or {})
    except OverflowError:
        return None  # a number of more than 64 bits
    return Packed(raw, _decoder(kind.struct).decode)


@cache
def _decoder(struct: type[Spec]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(struct, dec_hook=_custom)


def _convert(value: Any, kind: Kind) -> Object:
    converted: Object = msgspec.convert(value, kind.document, dec_hook=_custom)
    return converted


def _custom(type_: type, value: Any) -> Any:
    if issubclass(type_, Duration | Base64) and isinstance(value, str):
        return type_.parse(value)
    raise ValueError("expected string")
