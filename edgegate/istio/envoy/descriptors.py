"""C{rate_limits} of routes, virtual hosts and filters: what descriptors are made of (C{config.route.v3.RateLimit})."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edgegate.config.values import show
from edgegate.istio.envoy.messages import Message
from edgegate.model.expressions import check_regex
from edgegate.model.guards.envoy_rate_limits import Action, ActionKind, DescriptorRule, FieldMatch, TextKind

MOST_RULES: Final = 256
"""In one place."""

_MOST_STAGE: Final = 10
_HEADER: Final = re.compile(r":?[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def descriptor_rules(message: Message, name: str = "rate_limits") -> tuple[DescriptorRule, ...] | None:
    """Return the rules in a field; L{None}: it is not given."""
    if name not in message:
        return None
    rules = [rule for each in message.messages(name) if (rule := _rule(each)) is not None]
    if len(rules) > MOST_RULES:
        message.error(name, f"more than {MOST_RULES} of them")
    return tuple(rules[:MOST_RULES])


def _rule(message: Message) -> DescriptorRule | None:
    stage = message.number("stage", 0, 0, _MOST_STAGE)
    message.ignore("disable_key")
    actions = []
    for each in message.messages("actions"):
        action = _action(each)
        if action is None:
            return None
        actions.append(action)
    if not actions:
        message.error("actions", "a rate limit needs at least one action")
    message.end("a rate limit")
    return DescriptorRule(tuple(actions), stage) if actions else None


def _action(message: Message) -> Action | None:
    given = [name for name in _ACTIONS if name in message]
    if len(given) != 1:
        wanted = ", ".join(_ACTIONS)
        found = "both of " + " and ".join(given) if given else "none of them that is honoured here"
        message.error(given[1] if given else "", f"expected one of {wanted}; it has {found}")
        return None
    inner = message.message(given[0])
    message.end("an action")
    if inner is None:
        return None
    action = _ACTIONS[given[0]](inner)
    inner.end(given[0])
    return action


def _needed(message: Message, name: str) -> str:
    found = message.text(name)
    if not found and name not in message:
        message.error(name, f"{name} is needed")
    return found


def _header_name(message: Message, name: str) -> str:
    """Return the name of a header, or of a part of the request line."""
    found = _needed(message, name)
    if found and _HEADER.fullmatch(found) is None:
        message.error(name, f"{show(found)} is no name of a header")
        return ""
    return found


def _generic_key(message: Message) -> Action:
    value = _needed(message, "descriptor_value")
    return Action(ActionKind.GENERIC_KEY, message.text("descriptor_key", "generic_key"), value)


def _request_headers(message: Message) -> Action:
    name, key = _header_name(message, "header_name"), _needed(message, "descriptor_key")
    return Action(ActionKind.REQUEST_HEADER, key, name=name, skip=message.flag("skip_if_absent"))


def _query_parameters(message: Message) -> Action:
    name, key = _needed(message, "query_parameter_name"), _needed(message, "descriptor_key")
    return Action(ActionKind.QUERY_PARAMETER, key, name=name, skip=message.flag("skip_if_absent"))


def _remote_address(message: Message) -> Action:
    return Action(ActionKind.REMOTE_ADDRESS, "remote_address")


def _masked_remote_address(message: Message) -> Action:
    prefixes = message.number("v4_prefix_mask_len", 32, 0, 32), message.number("v6_prefix_mask_len", 128, 0, 128)
    return Action(ActionKind.MASKED_REMOTE_ADDRESS, "masked_remote_address", prefixes=prefixes)


def _header_value_match(message: Message) -> Action:
    return _matching(message, Action(ActionKind.HEADERS_MATCH, "header_match"), "headers", header_match)


def _query_parameter_value_match(message: Message) -> Action:
    plain = Action(ActionKind.QUERY_MATCH, "query_match")
    return _matching(message, plain, "query_parameters", query_match)


def _matching(message: Message, plain: Action, name: str, read: Callable[[Message], FieldMatch]) -> Action:
    matches = tuple(read(each) for each in message.messages(name))
    if not matches:
        message.error(name, f"{name} is needed")
    return replace(
        plain,
        key=message.text("descriptor_key", plain.key),
        value=_needed(message, "descriptor_value"),
        matches=matches,
        expected=message.flag("expect_match", True),
    )


def _source_cluster(message: Message) -> Action:
    return Action(ActionKind.SOURCE_CLUSTER, "source_cluster")


def _destination_cluster(message: Message) -> Action:
    return Action(ActionKind.DESTINATION_CLUSTER, "destination_cluster")


def _metadata(message: Message) -> Action:
    key = message.message("metadata_key")
    namespace, path = "", []
    if key is None:
        message.error("metadata_key", "metadata_key is needed")
    else:
        namespace = _needed(key, "key")
        path = [segment.text("key") for segment in key.messages("path")]
        key.end("metadata_key")
    if message.text("source", "DYNAMIC") != "DYNAMIC":
        message.error("source", "not honoured: routes have no metadata here, write DYNAMIC")
    return Action(
        ActionKind.METADATA,
        _needed(message, "descriptor_key"),
        message.text("default_value"),
        skip=message.flag("skip_if_absent"),
        namespace=namespace,
        path=tuple(path),
    )


_ACTIONS: Final[dict[str, Callable[[Message], Action]]] = {
    "generic_key": _generic_key,
    "request_headers": _request_headers,
    "remote_address": _remote_address,
    "masked_remote_address": _masked_remote_address,
    "header_value_match": _header_value_match,
    "query_parameter_value_match": _query_parameter_value_match,
    "query_parameters": _query_parameters,
    "source_cluster": _source_cluster,
    "destination_cluster": _destination_cluster,
    "metadata": _metadata,
    "dynamic_metadata": _metadata,
}


def header_match(message: Message) -> FieldMatch:
    """Read a C{HeaderMatcher}, the fields that Envoy has replaced since included."""
    name = _header_name(message, "name")
    found = _string_match(message, name)
    if found is None:
        found = _old_match(message, name)
    invert = message.flag("invert_match") is not found.invert
    missing = message.flag("treat_missing_header_as_empty")
    message.end("a header's condition")
    return replace(found, invert=invert, missing_is_empty=missing)


def query_match(message: Message) -> FieldMatch:
    """Read a C{QueryParameterMatcher}."""
    name = _needed(message, "name")
    found = _string_match(message, name) or _presence(message, name)
    message.end("a parameter's condition")
    return found


def _presence(message: Message, name: str) -> FieldMatch:
    return FieldMatch(name, TextKind.PRESENT, invert=not message.flag("present_match", True))


def _old_match(message: Message, name: str) -> FieldMatch:
    for field, kind in _OLD.items():
        if field in message:
            return FieldMatch(name, kind, message.text(field))
    if "safe_regex_match" in message:
        return _regex(message, "safe_regex_match", name)
    bounds = message.message("range_match")
    if bounds is None:
        return _presence(message, name)
    least, most = -(2**63), 2**63 - 1
    found = bounds.number("start", 0, least, most), bounds.number("end", 0, least, most)
    bounds.end("range_match")
    return FieldMatch(name, TextKind.RANGE, bounds=found)


_OLD: Final = {
    "exact_match": TextKind.EXACT,
    "prefix_match": TextKind.PREFIX,
    "suffix_match": TextKind.SUFFIX,
    "contains_match": TextKind.CONTAINS,
}
_STRINGS: Final = {
    "exact": TextKind.EXACT,
    "prefix": TextKind.PREFIX,
    "suffix": TextKind.SUFFIX,
    "contains": TextKind.CONTAINS,
}


def _string_match(message: Message, name: str) -> FieldMatch | None:
    """Read a C{StringMatcher}; L{None}: there is none."""
    inner = message.message("string_match")
    if inner is None:
        return None
    ignore_case = inner.flag("ignore_case")
    found = None
    for field, kind in _STRINGS.items():
        if field in inner:
            found = FieldMatch(name, kind, inner.text(field), ignore_case)
    if "safe_regex" in inner:
        found = _regex(inner, "safe_regex", name)
    if found is None:
        inner.error("", f"expected one of {', '.join(_STRINGS)} and safe_regex")
        found = FieldMatch(name, TextKind.PRESENT)
    inner.end("string_match")
    return found


def _regex(message: Message, field: str, name: str) -> FieldMatch:
    inner = message.message(field)
    regex = "" if inner is None else _needed(inner, "regex")
    if inner is not None:
        inner.ignore("google_re2")
        inner.end(field)
        try:
            check_regex(regex)
        except ValueError as error:
            inner.error("regex", str(error))
    return FieldMatch(name, TextKind.REGEX, regex)
