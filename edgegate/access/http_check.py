# Hot path: asks about each request that such a service decides about.
"""
Checks over HTTP: what a service is asked, and what its answer says (Envoy's C{ext_authz_http_impl.cc}).

200 allows, and nothing else does; 5xx is no answer.
"""

from __future__ import annotations

from typing import Final

from edgegate.access.verdict import Action, Field, Outcome, Verdict, failed
from edgegate.model.authorizers import Authorizer
from edgegate.routing.matching import JOINED

PARTIAL_BODY: Final = b"x-envoy-auth-partial-body"
"""Tells a service whether the body that it gets is cut off; a client's own is not believed."""

REMOVED: Final = b"x-envoy-auth-headers-to-remove"
"""In an answer: the names of headers that a request loses which may pass."""

_AUTHORIZATION: Final = b"authorization"

_OWN: Final = frozenset(
    (
        *(b"host", b"content-length", b"connection", b"expect", b"te", b"transfer-encoding", b"upgrade"),
        *(b"x-envoy-internal", PARTIAL_BODY),
    )
)
"""What a check says for itself, whatever of it is listed."""

_ALWAYS: Final = frozenset((b"location", b"www-authenticate"))
"""What refused clients get besides the headers that are listed (Envoy's C{toClientMatchers})."""


def target_of(authorizer: Authorizer, target: bytes) -> bytes:
    """
    Return the target that a service is asked for.

    @param target: The client's; C{*} has no path that could stand behind another.
    """
    return authorizer.path_prefix + target if target != b"*" else authorizer.path_prefix or target


def fields_of(
    authorizer: Authorizer, fields: list[Field], added: list[Field], hop: bytes, partial: bool | None
) -> list[Field]:
    """
    Return the headers of a check.

    @param fields: Of the client's request as its backend would get it. Of those that are told the ones of one name
        become one.
    @param added: What C{Authorizer.added} is for this request; what is empty is not told,
        nor what the client says there.
    @param hop: The gateway's own address, as that of one more proxy; empty: it has none.
    @param partial: Whether the body is cut off; L{None}: there is none in the check.
    """
    found = [
        field
        for field in joined(fields)
        if field[0] not in _OWN and (field[0] == _AUTHORIZATION or authorizer.sent.fit(field[0]))
    ]
    if hop:
        hops = [value for name, value in found if name == b"x-forwarded-for"]
        found = [field for field in found if field[0] != b"x-forwarded-for"]
        found.append((b"x-forwarded-for", b",".join([*hops, hop])))
    if added:
        names = {name for name, _ in added}
        found = [field for field in found if field[0] not in names]
        found += [field for field in added if field[1] and field[0] not in _OWN]
    if partial is not None:
        found.append((PARTIAL_BODY, b"true" if partial else b"false"))
    found.append((b"x-envoy-internal", b"true"))
    return found


def joined(fields: list[Field]) -> list[Field]:
    """Return headers of which each name is there once, with all its values in their order."""
    found: dict[bytes, bytes] = {}
    for name, value in fields:
        before = found.get(name)
        found[name] = value if before is None else before + JOINED.get(name, b",") + value
    return list(found.items())


def verdict_of(authorizer: Authorizer, status: int, fields: list[Field], body: bytes) -> Verdict:
    """Return what an answer says."""
    if status >= 500:
        return failed(authorizer, f"it answers {status}")
    if status != 200:
        found = Verdict(Outcome.DENIED, status)
        listed = authorizer.to_denied
        everything = not listed.some
        found.fields = [
            field
            for field in fields
            if field[0] not in _OWN and (everything or field[0] in _ALWAYS or listed.fit(field[0]))
        ]
        found.body = body
        return found
    found = Verdict(Outcome.ALLOWED, status)
    seen: set[bytes] = set()
    gone: set[bytes] = set()
    for name, value in fields:
        if name == REMOVED:
            gone.update(each.strip(b" \t").lower() for each in value.split(b","))
        if name in _OWN:
            continue
        if authorizer.to_upstream.fit(name):
            first = name not in seen
            action = Action.OVERWRITE_IF_EXISTS_OR_ADD if first else Action.APPEND_IF_EXISTS_OR_ADD
            found.request.append((name, value, action))
            seen.add(name)
        if authorizer.to_client.fit(name):
            found.response.append((name, value, Action.APPEND_IF_EXISTS_OR_ADD))
    found.removed = frozenset(name for name in gone if name and name != b"host" and not name.startswith(b":"))
    return found
