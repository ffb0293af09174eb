# Hot path: makes the descriptors of each request of a route with rate limits.
"""
Descriptors of requests, by Envoy's actions (C{source/common/router/router_ratelimit.cc}).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edgegate.access.rate_limits.keys import LimitedRequest, prefix_of
from edgegate.model.matching import text_condition
from edgegate.model.rate_limit_actions import Action, ActionKind, Descriptor, ValueMatch
from edgegate.routing.matching import first_params, values_of

Maker = Callable[[LimitedRequest, bytes], Descriptor | None]
"""
Makes the descriptor of a request, of which the second argument is the cluster that its route leads to (empty: none).

L{None}: there is none, as an action found nothing.
"""

_Value = Callable[[LimitedRequest, bytes], bytes | None]
_Holds = Callable[[LimitedRequest], bool]


def descriptor_of(actions: Sequence[Action], source_cluster: bytes = b"") -> Maker:
    """
    Return what makes the descriptor of some actions.

    @param source_cluster: What the gateway calls itself.
    """
    parts = [(action.key, _value(action, source_cluster), action.skip_if_absent) for action in actions]

    def make(request: LimitedRequest, cluster: bytes) -> Descriptor | None:
        entries: list[tuple[bytes, bytes]] = []
        for key, value, optional in parts:
            found = value(request, cluster)
            if found is not None:
                entries.append((key, found))
            elif not optional:
                return None
        return tuple(entries) if entries else None

    return make


def _value(action: Action, source_cluster: bytes) -> _Value:
    if action.kind is ActionKind.SOURCE_CLUSTER:
        return lambda request, cluster: source_cluster
    return _VALUES[action.kind](action)


def _request_header(action: Action) -> _Value:
    values = values_of(action.name[0].encode("latin-1"))

    def value(request: LimitedRequest, cluster: bytes) -> bytes | None:
        given = values(request)
        return given[0] if given else None

    return value


def _remote_address(action: Action) -> _Value:
    return lambda request, cluster: request.client_address


def _masked_remote_address(action: Action) -> _Value:
    ipv4, ipv6 = action.ipv4_prefix, action.ipv6_prefix

    def value(request: LimitedRequest, cluster: bytes) -> bytes | None:
        found = prefix_of(request.client_address, ipv4, ipv6)
        return found if b"/" in found else found + b"/32"

    return value


def _generic_key(action: Action) -> _Value:
    return lambda request, cluster: action.value


def _header_value_match(action: Action) -> _Value:
    return _matched(action, [_header(match) for match in action.matches])


def _query_value_match(action: Action) -> _Value:
    return _matched(action, [_parameter(match) for match in action.matches])


def _matched(action: Action, conditions: Sequence[_Holds]) -> _Value:
    text, expected = action.value, action.expected
    return lambda request, cluster: text if all(holds(request) for holds in conditions) == expected else None


def _destination_cluster(action: Action) -> _Value:
    return lambda request, cluster: cluster or None


def _metadata(action: Action) -> _Value:
    namespace, *path = action.name
    default = action.value or None

    def value(request: LimitedRequest, cluster: bytes) -> bytes | None:
        metadata = request.metadata
        found: object = None if metadata is None else metadata.get(namespace)
        for name in path:
            found = found.get(name) if isinstance(found, Mapping) else None
        # only texts, as Envoy has it
        return found.encode("utf-8", "surrogatepass") if isinstance(found, str) and found else default

    return value


_VALUES: Final[dict[ActionKind, Callable[[Action], _Value]]] = {
    ActionKind.REQUEST_HEADERS: _request_header,
    ActionKind.REMOTE_ADDRESS: _remote_address,
    ActionKind.MASKED_REMOTE_ADDRESS: _masked_remote_address,
    ActionKind.GENERIC_KEY: _generic_key,
    ActionKind.HEADER_VALUE_MATCH: _header_value_match,
    ActionKind.QUERY_PARAMETER_VALUE_MATCH: _query_value_match,
    ActionKind.DESTINATION_CLUSTER: _destination_cluster,
    ActionKind.METADATA: _metadata,
}


# Conditions -----------------------------------------------------------------------------------------------------------


def _header(match: ValueMatch) -> _Holds:
    values = values_of(match.name.encode("latin-1"))
    fits = _fits(match)

    def holds(request: LimitedRequest) -> bool:
        given = values(request)
        return fits(b",".join(given) if given else None)

    return holds


def _parameter(match: ValueMatch) -> _Holds:
    name = match.name.encode()
    fits = _fits(match)
    return lambda request: fits(first_params(request.query).get(name))


def _fits(match: ValueMatch) -> Callable[[bytes | None], bool]:
    """
    Return what tells whether a value fits.

    One that is not there fits no condition but that on its presence, inverted or not (Envoy's C{HeaderUtility}).
    """
    test = _test(match)
    if test is None:
        wanted = match.present != match.invert
        return lambda value: (value is not None) == wanted
    condition, invert, empty = test, match.invert, match.missing_is_empty

    def fits(value: bytes | None) -> bool:
        if value is None:
            if not empty:
                return False
            value = b""
        return condition(value) != invert

    return fits


def _test(match: ValueMatch) -> Callable[[bytes], bool] | None:
    """Return the condition on a value that is there; L{None}: it is enough whether it is."""
    if match.text is not None:
        return text_condition(match.text)
    if match.least is None:
        return None
    least, end = match.least, match.end

    def within(value: bytes) -> bool:
        digits = value.removeprefix(b"-")
        return digits.isdigit() and len(digits) <= _MOST_DIGITS and least <= int(value) < end

    return within


_MOST_DIGITS: Final = 19
