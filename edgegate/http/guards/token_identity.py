# Hot path: each request of a host with rules for tokens passes here.
"""What rules for tokens make of a request: who asks is told to all that comes behind, and by nobody else."""

from __future__ import annotations

from collections.abc import Sequence
from time import time
from typing import Final

from edgegate.access.jwt.authentication import Denial, Identity, authenticate
from edgegate.access.jwt.counts import TokenCounts
from edgegate.access.jwt.rule import RuleState
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.request import RequestHead
from edgegate.model.guards.jwt import METADATA, PAYLOAD, TokenGuard


def verify(exchange: Exchange, rules: Sequence[RuleState], outputs: OutputNames, counts: TokenCounts) -> Denial | None:
    """Verify the tokens of a request, and note who asks; return why it is refused, or L{None}: it passes."""
    head = exchange.head
    if head.method == b"OPTIONS" and asks_permission(head):
        counts.preflights += 1
        outputs.sanitise(exchange)
        return None
    judged = authenticate(rules, head.fields, head.target, time())
    if judged is None:
        counts.allowed += 1
        outputs.sanitise(exchange)
        return None
    if isinstance(judged, Identity):
        counts.allowed += 1
        identify(exchange, judged, outputs)
        return None
    counts.denied += 1
    return judged


def asks_permission(head: RequestHead) -> bool:
    """Whether a browser asks what it may ask: it never sends a token with that (Envoy)."""
    found = {name for name, value in head.fields if value and name in _PREFLIGHT}
    return len(found) == len(_PREFLIGHT)


_PREFLIGHT: Final = (b"origin", b"access-control-request-method")


class OutputNames:
    """The fields that only rules may say, however a client spells them: to many backends C{x_user} is C{x-user}."""

    __slots__ = ("_dashed", "_known")

    def __init__(self, guard: TokenGuard) -> None:
        names = [header.name for rule in guard.rules for header in rule.claim_headers]
        names += [rule.payload_header for rule in guard.rules if rule.payload_header]
        self._dashed = frozenset(name.translate(_DASHED) for name in names)
        self._known: dict[bytes, bool] = {}

    def among(self, fields: list[Field]) -> frozenset[bytes]:
        """Return the names of a request's fields that are such."""
        if not self._dashed:
            return _NONE
        known = self._known
        found: list[bytes] = []
        for name, _ in fields:
            is_output = known.get(name)
            if is_output is None:
                is_output = name.translate(_DASHED) in self._dashed
                if len(known) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
                    known[name] = is_output
            if is_output:
                found.append(name)
        return frozenset(found) if found else _NONE

    def sanitise(self, exchange: Exchange) -> None:
        """Take what a client says itself out of its request."""
        asked = exchange.route_head
        found = self.among(exchange.head.fields if asked is None else [*exchange.head.fields, *asked.fields])
        if found:
            exchange.change_request([], found)


_DASHED: Final = bytes(byte if byte in b"0123456789abcdefghijklmnopqrstuvwxyz" else 45 for byte in range(256))
_NONE: Final[frozenset[bytes]] = frozenset()
_MOST_NAMES: Final = 1024
_LONGEST_NAME: Final = 64


def identify(exchange: Exchange, identity: Identity, outputs: OutputNames) -> None:
    """Tell all that comes behind who asks; the token goes, unless the backend is to get it."""
    exchange.replace_head(_identified(exchange.head, identity, outputs))
    asked = exchange.route_head
    if asked is not None:
        exchange.route_head = _identified(asked, identity, outputs)
    exchange.note(METADATA, {PAYLOAD: identity.token.claims})


def _identified(head: RequestHead, identity: Identity, outputs: OutputNames) -> RequestHead:
    rule = identity.rule
    gone, target = outputs.among(head.fields), head.target
    if not rule.rule.forward:
        gone |= rule.locations.fields_with_tokens(head.fields)
        target = rule.locations.without_parameters(target)
    elif not gone and not identity.token.fields:
        return head
    changed = head.changed([], gone)
    # not by changed(): these names are checked already, and some are none that others may set
    changed.fields += identity.token.fields
    changed.target = target
    return changed
