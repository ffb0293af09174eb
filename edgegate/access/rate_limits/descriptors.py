# Hot path: makes the descriptors of each request that an EnvoyFilter limits.
"""
Descriptors: what a rate limit tells requests apart by, as Envoy makes them of a request
(C{source/common/router/router_ratelimit.cc}).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from edgegate.access.rate_limits.keys import LimitedRequest, first_field
from edgegate.model.expressions import compiled
from edgegate.model.guards.envoy_rate_limits import Action, ActionKind, DescriptorRule, FieldMatch, TextKind
from edgegate.routing.matching import Request, first_params, values_of

Entry = tuple[bytes, bytes]
"""A key and a value."""

Descriptor = tuple[Entry, ...]

SOURCE: Final = b"edgegate"
"""What C{source_cluster} is here: Envoy says what it was started with as C{--service-cluster}."""


Value = Callable[[LimitedRequest, str], "bytes | None"]
"""Returns the value of an entry, of a request and the cluster that it goes to; L{None}: there is none."""


class DescriptorMaker:
    """Makes the descriptors of requests, of some rules."""

    __slots__ = ("_rules",)

    def __init__(self, rules: Iterable[DescriptorRule], stage: int) -> None:
        """
        @param stage: Only rules of this one count.
        """
        self._rules = [[_entry(action) for action in rule.actions] for rule in rules if rule.stage == stage]

    def of(self, request: LimitedRequest, cluster: str) -> list[Descriptor]:
        """
        Return the descriptors of a request.

        @param cluster: Where it goes; empty: nowhere.
        """
        found: list[Descriptor] = []
        for rule in self._rules:
            descriptor = _descriptor(rule, request, cluster)
            if descriptor:
                found.append(descriptor)
        return found


_Rule = Sequence[tuple[bytes, bool, Value]]


def _descriptor(rule: _Rule, request: LimitedRequest, cluster: str) -> Descriptor | None:
    entries: list[Entry] = []
    for key, skip, value in rule:
        given = value(request, cluster)
        if given is not None:
            entries.append((key, given))
        elif not skip:
            return None
    return tuple(entries)


def _entry(action: Action) -> tuple[bytes, bool, Value]:
    return action.key.encode(), action.skip, _VALUES[action.kind](action)


def _fixed(action: Action) -> Value:
    value = action.value.encode()
    return lambda request, cluster: value


def _header(action: Action) -> Value:
    value = first_field(action.name.lower())
    return lambda request, cluster: value(request)


def _query_parameter(action: Action) -> Value:
    name = action.name.encode()
    return lambda request, cluster: first_params(request.query).get(name)


def _address(action: Action) -> Value:
    return lambda request, cluster: request.client_address or None


def _masked_address(action: Action) -> Value:
    ipv4, ipv6 = action.prefixes

    def value(request: LimitedRequest, cluster: str) -> bytes | None:
        try:
            address = ip_address(request.client_address.partition(b"%")[0].decode("ascii"))
        except ValueError:
            return None
        bits = ipv6 if isinstance(address, IPv6Address) else ipv4
        return str(ip_network((address, bits), strict=False)).encode("ascii")

    return value


def _matching(action: Action) -> Value:
    conditions = [field_condition(match, action.kind is ActionKind.QUERY_MATCH) for match in action.matches]
    expected, said = action.expected, action.value.encode()

    def value(request: LimitedRequest, cluster: str) -> bytes | None:
        return said if all(holds(request) for holds in conditions) is expected else None

    return value


def _source(action: Action) -> Value:
    return lambda request, cluster: SOURCE


def _destination(action: Action) -> Value:
    return lambda request, cluster: cluster.encode() or None


def _metadata(action: Action) -> Value:
    namespace, path, otherwise = action.namespace, action.path, action.value.encode()

    def value(request: LimitedRequest, cluster: str) -> bytes | None:
        metadata = request.metadata
        found: object = None if metadata is None else metadata.get(namespace)
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        # only texts count
        return found.encode("utf-8", "surrogatepass") if isinstance(found, str) and found else otherwise or None

    return value


_VALUES: Final[dict[ActionKind, Callable[[Action], Value]]] = {
    ActionKind.GENERIC_KEY: _fixed,
    ActionKind.REQUEST_HEADER: _header,
    ActionKind.REMOTE_ADDRESS: _address,
    ActionKind.MASKED_REMOTE_ADDRESS: _masked_address,
    ActionKind.HEADERS_MATCH: _matching,
    ActionKind.QUERY_MATCH: _matching,
    ActionKind.QUERY_PARAMETER: _query_parameter,
    ActionKind.SOURCE_CLUSTER: _source,
    ActionKind.DESTINATION_CLUSTER: _destination,
    ActionKind.METADATA: _metadata,
}


def field_condition(match: FieldMatch, query: bool) -> Callable[[Request], bool]:
    """
    Return what tells whether a request satisfies a condition on a header, or on a parameter of the query.

    Several fields of one name are one value, joined with commas (Envoy's C{HeaderUtility}).
    """
    holds, inverted, missing = _text(match), match.invert, b"" if match.missing_is_empty else None
    given = _parameter(match.name) if query else _joined(match.name)
    if match.kind is TextKind.PRESENT:
        # a condition on presence holds also where it asks for absence
        return lambda request: (given(request) is not None) is not inverted

    def check(request: Request) -> bool:
        value = given(request)
        if value is None:
            value = missing
        if value is None:
            # Envoy: what is not there satisfies no condition, and what is turned round neither
            return False
        return holds(value) is not inverted

    return check


def _joined(name: str) -> Callable[[Request], bytes | None]:
    values = values_of(name.lower().encode("latin-1"))

    def value(request: Request) -> bytes | None:
        found = values(request)
        return b",".join(found) if found else None

    return value


def _parameter(name: str) -> Callable[[Request], bytes | None]:
    key = name.encode()
    return lambda request: first_params(request.query).get(key)


def _text(match: FieldMatch) -> Callable[[bytes], bool]:
    if match.kind is TextKind.REGEX:
        full = compiled(match.value).fullmatch
        return lambda text: full(text) is not None
    if match.kind is TextKind.RANGE:
        begin, end = match.bounds
        return lambda text: _is_number(text) and begin <= int(text) < end
    value = match.value.lower().encode() if match.ignore_case else match.value.encode()
    holds = _HOLDS[match.kind]
    if match.ignore_case:
        return lambda text: holds(text.lower(), value)
    return lambda text: holds(text, value)


_HOLDS: Final[dict[TextKind, Callable[[bytes, bytes], bool]]] = {
    TextKind.EXACT: lambda text, value: text == value,
    TextKind.PREFIX: lambda text, value: text.startswith(value),
    TextKind.SUFFIX: lambda text, value: text.endswith(value),
    TextKind.CONTAINS: lambda text, value: value in text,
    TextKind.PRESENT: lambda text, value: True,
}


def _is_number(text: bytes) -> bool:
    digits = text[1:] if text[:1] == b"-" else text
    return digits.isdigit() and len(digits) < 20
