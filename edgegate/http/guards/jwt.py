# Hot path, not compiled: its filter is made from a plain class, which embedders' filters are made from.
"""Verifies the tokens of requests, and tells backends who asks (Envoy's C{jwt_authn})."""

from __future__ import annotations

from time import time
from typing import Final

from edgegate.access.jwt.authentication import Denial, Identity, authenticate
from edgegate.access.jwt.challenge import challenge
from edgegate.access.jwt.key_set import parse_key_set
from edgegate.access.jwt.locations import Field
from edgegate.access.jwt.rule import RuleState
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.key_sets import KeySets
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.http.request import RequestHead
from edgegate.model.guards.jwt import METADATA, PAYLOAD, InlineKeys, RemoteKeys, TokenGuard


class TokenState:
    """
    What is kept for a guard: its rules with their keys, and the tokens that they have verified.

    @ivar counts: Of all guards of the process.
    """

    __slots__ = ("_users", "counts", "rules")

    def __init__(self, guard: TokenGuard, key_sets: KeySets) -> None:
        self.counts = counts = key_sets.counts
        counts.used = True
        self.rules = tuple(RuleState(rule, counts=counts) for rule in guard.rules)
        self._users = [_RuleKeys(rule, key_sets) for rule in self.rules]

    def stop(self) -> None:
        """Nobody asks for it any more."""
        for user in self._users:
            user.stop()


class _RuleKeys:
    """Brings a rule its keys."""

    __slots__ = ("_key_sets", "_remote", "_rule")

    def __init__(self, rule: RuleState, key_sets: KeySets) -> None:
        self._rule = rule
        self._key_sets = key_sets
        self._remote: RemoteKeys | None = None
        keys = rule.rule.keys
        if isinstance(keys, InlineKeys):
            rule.put_keys(parse_key_set(keys.text.encode(), secrets=True))
        else:
            self._remote = keys
            rule.unknown_key = key_sets.add(keys, rule.put_keys).unknown_key

    def stop(self) -> None:
        """Take no more."""
        if self._remote is not None:
            self._key_sets.remove(self._remote, self._rule.put_keys)


class TokenFilter(HTTPFilter):
    """Lets requests pass whose tokens are valid, or that have none."""

    __slots__ = ("_guard", "_outputs", "_state")

    name = "jwt_authn"

    def __init__(self, guard: TokenGuard, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._state = token_state(guard, environment)
        self._outputs = OutputNames(guard)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        head, state = exchange.head, self._state
        counts = state.counts
        if is_preflight(head):
            counts.preflights += 1
            self._outputs.sanitise(exchange)
            return FilterStatus.CONTINUE
        judged = authenticate(state.rules, head.fields, head.target, time())
        if isinstance(judged, Denial):
            counts.denied += 1
            return refuse(exchange, rule_guard(judged.rule), token_refusal(judged, exchange))
        counts.allowed += 1
        if judged is None:
            self._outputs.sanitise(exchange)
        else:
            identify(exchange, judged, self._outputs)
        return FilterStatus.CONTINUE


def token_state(guard: TokenGuard, environment: HTTPEnvironment) -> TokenState:
    """Return what is kept for a guard; it begins to fetch keys when it is first asked for."""
    return environment.access.of(guard, lambda: TokenState(guard, environment.key_sets))


def rule_guard(rule: RuleState) -> TokenGuard:
    """Return what stands for one rule: the policy that says it, and where."""
    return TokenGuard(rule.rule.policy, rule.rule.origin, (rule.rule,))


def token_refusal(denial: Denial, exchange: Exchange) -> Refusal:
    """Return what the client gets."""
    why = denial.refusal
    asked = challenge(why, exchange.scheme, exchange.authority, exchange.head.target)
    return Refusal(why.status, why.text.encode("ascii"), why.details, fields=((b"www-authenticate", asked),))


def is_preflight(head: RequestHead) -> bool:
    """Whether a browser asks what it may ask: it never sends a token with that (Envoy)."""
    if head.method != b"OPTIONS":
        return False
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
                if len(known) < _MOST_NAMES:
                    known[name] = is_output
            if is_output:
                found.append(name)
        return frozenset(found) if found else _NONE

    def sanitise(self, exchange: Exchange) -> None:
        """Take what a client says itself out of its request."""
        found = self.among(exchange.head.fields)
        if found:
            exchange.change_request([], found)


_DASHED: Final = bytes(byte if byte in b"0123456789abcdefghijklmnopqrstuvwxyz" else 45 for byte in range(256))
_NONE: Final[frozenset[bytes]] = frozenset()
_MOST_NAMES: Final = 1024


def identify(exchange: Exchange, identity: Identity, outputs: OutputNames) -> None:
    """Tell all that comes behind who asks; the token goes, unless the backend is to get it."""
    head, rule = exchange.head, identity.rule
    gone, target = outputs.among(head.fields), head.target
    if not rule.rule.forward:
        gone |= rule.locations.fields_with_tokens(head.fields)
        target = rule.locations.without_parameters(target)
    changed = head.changed([], gone)
    # not by changed(): these names are checked already, and some are none that others may set
    changed.fields += identity.token.fields
    changed.target = target
    exchange.replace_head(changed)
    exchange.note(METADATA, {PAYLOAD: identity.token.claims})
