"""What is done to requests as a service has said: who is refused gets an answer, who may pass other headers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import quote

from edgegate.access.request_parts import decoded
from edgegate.access.verdict import Action, Mutation, Outcome, Verdict, mutated
from edgegate.errors import grpc_status_for
from edgegate.http.exchange import Exchange
from edgegate.http.fields import PASS, RESPONSE_ROLES, check_field, dashed, request_roles
from edgegate.http.grpc import grpc_fields
from edgegate.http.guards.identified import spelled_like
from edgegate.http.request import RequestHead
from edgegate.model.authorizers import Authorizer, HeaderNames
from edgegate.model.guards.guard import Guard

DENIED_DETAILS: Final = "ext_authz_denied"
ERROR_DETAILS: Final = "ext_authz_error"

_LONGEST_MESSAGE: Final = 1024
"""Bytes of a refusal's body that a client of gRPC gets as the message of its status."""

_SETTABLE: Final = request_roles(trusted=True)
"""What may be set of a request by those who are trusted: not what HTTP and the gateway say themselves."""

_IN_A_QUERY: Final = "/?:@!$'()*+,;=-._~%"


def deny(exchange: Exchange, guard: Guard, verdict: Verdict) -> None:
    """Answer what a service has refused, as it says, in the words that the client looks for."""
    exchange.guard = guard
    exchange.mark("UAEX")
    details = DENIED_DETAILS if verdict.outcome is Outcome.DENIED else ERROR_DETAILS
    fields = [field for field in verdict.fields if RESPONSE_ROLES.of(field[0])[1] == PASS and _sound(field)]
    if exchange.speaks_grpc:
        own = grpc_fields(grpc_status_for(verdict.status), verdict.body[:_LONGEST_MESSAGE])
        names = {name for name, _ in own}
        exchange.reply(200, [*own, *(field for field in fields if field[0] not in names)], b"", details)
        return
    if verdict.body and not any(name == b"content-type" for name, _ in fields):
        fields.append((b"content-type", b"text/plain"))
    exchange.reply(verdict.status, fields, verdict.body, details)


def changed_head(head: RequestHead, authorizer: Authorizer, verdict: Verdict) -> RequestHead:
    """
    Return the head of a request that may pass, with what the service says of it.

    What the service might say is believed of nobody else: a client's own fields of these names are gone, in whichever
    spelling some backends take for the same.
    """
    listed = authorizer.to_upstream
    fields = head.fields
    if listed.some:
        alike = _dashed(listed)
        fields = [field for field in fields if not listed.fit(field[0]) and not alike.fit(dashed(field[0]))]
    said = [each for each in verdict.request if _SETTABLE.of(each[0])[1] == PASS and _sound(each[:2])]
    replaced = [each[0] for each in said if each[2] == Action.OVERWRITE_IF_EXISTS_OR_ADD]
    meant = [*replaced, *verdict.removed]
    others = spelled_like(fields, meant).difference(meant) if meant else _NONE
    if others:
        fields = [field for field in fields if field[0] not in others]
    if said:
        fields = mutated(fields, said)
    if verdict.removed:
        fields = [field for field in fields if field[0] not in verdict.removed]
    target = head.target
    if (verdict.query_set or verdict.query_removed) and target != b"*":
        target = changed_query(target, verdict)
    if target == head.target and fields == head.fields:
        return head
    found = head.changed([])
    found.fields, found.target = fields, target
    return found


@lru_cache(64)
def _dashed(listed: HeaderNames) -> HeaderNames:
    """Return names as they are told from each other by backends to which all that is no letter or digit is the same."""
    return HeaderNames(*(tuple(map(dashed, names)) for names in (listed.exact, listed.prefixes, listed.suffixes)))


_NONE: Final[frozenset[bytes]] = frozenset()


def changed_query(target: bytes, verdict: Verdict) -> bytes:
    """
    Return a target whose query has other parameters; those that it had stay where they were.

    However a client writes a name: C{%75ser} is C{user} to backends.
    """
    path, _, query = target.partition(b"?")
    to_set = dict(verdict.query_set)
    pairs: list[bytes] = []
    for pair in query.split(b"&") if query else ():
        name = decoded(pair.partition(b"=")[0])
        if name in verdict.query_removed:
            continue
        if name not in to_set:
            pairs.append(pair)
    pairs += [b"%b=%b" % (_quoted(name), _quoted(value)) for name, value in to_set.items()]
    return b"%b?%b" % (path, b"&".join(pairs)) if pairs else path


def _quoted(text: bytes) -> bytes:
    return quote(text, _IN_A_QUERY).encode("ascii")


def _sound(field: tuple[bytes, bytes]) -> bool:
    """Whether a field can be one."""
    try:
        check_field(*field)
    except ValueError:
        return False
    return True


def response_mutations(verdict: Verdict) -> list[Mutation]:
    """Return what is done to the head of the response to a request that may pass."""
    return [each for each in verdict.response if RESPONSE_ROLES.of(each[0])[1] == PASS and _sound(each[:2])]
