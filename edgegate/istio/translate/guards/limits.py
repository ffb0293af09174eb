"""What limits of policies count and answer, whatever they count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from edgegate.istio.kinds.concurrency_policy import CrowdedResponse
from edgegate.istio.kinds.rate_limit_policy import LimitedResponse, LimitKey, LimitMatch
from edgegate.model.guards.concurrency import Crowded
from edgegate.model.guards.rate_limit import Absent, KeyPart, KeySource, Matched, RateLimited
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.path_template import ANY, ONE, is_template

R = TypeVar("R", RateLimited, Crowded)


def answered(usual: R, response: LimitedResponse | CrowdedResponse | None) -> R:
    """
    Return what a request gets that is one too many.

    @param usual: What it gets where nothing else is said.
    """
    if response is None:
        return usual
    given: dict[str, Any] = {
        "status": response.status,
        "body": None if response.body is None else response.body.encode(),
        "content_type": None if response.content_type is None else response.content_type.encode("latin-1", "replace"),
        "grpc_exhausted": response.grpc_resource_exhausted,
    }
    return replace(usual, **{name: value for name, value in given.items() if value is not None})


def key_parts(keys: Iterable[LimitKey]) -> tuple[KeyPart, ...]:
    """Return what tells requests apart; what says nothing is left out, which was reported."""
    return tuple(part for part in map(_key_part, keys) if part is not None)


def _key_part(key: LimitKey) -> KeyPart | None:
    """Return what tells requests apart; L{None}: nothing is said, which was reported."""
    absent = Absent.SHARED if key.absent is None else Absent(key.absent.value)
    address = key.client_address
    if address is not None:
        ipv4, ipv6 = address.ipv4_prefix_length, address.ipv6_prefix_length
        return KeyPart(
            KeySource.CLIENT_ADDRESS,
            ipv4_prefix=32 if ipv4 is None else min(ipv4, 32),
            ipv6_prefix=64 if ipv6 is None else min(ipv6, 128),
        )
    named = (
        (KeySource.HEADER, None if key.header is None else (key.header.lower(),)),
        (KeySource.COOKIE, None if key.cookie is None else (key.cookie,)),
        (KeySource.CLAIM, None if key.claim is None else tuple(key.claim.split("."))),
        (KeySource.PATH, None if key.path is None else (_expression(key.path, "([^/]+)"),)),
        (KeySource.HOST, None if key.host is None else ()),
        (KeySource.IDENTITY, None if key.identity is None else ()),
    )
    return next((KeyPart(source, name, absent) for source, name in named if name is not None), None)


def matched(match: LimitMatch | None) -> Matched | None:
    """Return which requests are counted; L{None}: all are."""
    if match is None:
        return None
    return Matched(
        _texts(match.methods),
        _texts(match.paths),
        _texts(match.not_paths),
        tuple((header.name.lower(), _texts(header.values)) for header in match.headers),
    )


def _texts(values: Sequence[str]) -> tuple[StringMatch, ...]:
    return tuple(_text(value) for value in values if value)


def _text(value: str) -> StringMatch:
    """Return the condition that a value stands for: a template, C{*}, C{prefix*}, C{*suffix} or the text itself."""
    if is_template(value):
        return StringMatch(Kind.REGEX, _expression(value, "[^/]+"))
    if value == "*":
        return StringMatch(Kind.REGEX, r"(?s).+")
    if value.endswith("*"):
        return StringMatch(Kind.PREFIX, value[:-1])
    if value.startswith("*"):
        return StringMatch(Kind.REGEX, rf"(?s).*{_quoted(value[1:])}")
    return StringMatch(Kind.EXACT, value)


def _expression(template: str, one: str) -> str:
    """Return the expression of a template of paths. Operators stand for any character: none takes a path out of it."""
    parts = {ONE: one, ANY: ".*"}
    return "(?s)" + "/".join(parts.get(segment) or _quoted(segment) for segment in template.split("/"))


def _quoted(text: str) -> str:
    """Return an expression of RE2 for a text."""
    return re.sub(r"([^A-Za-z0-9_\x80-\U0010ffff])", r"\\\1", text)
