# Hot path, not compiled: its filter is made from a plain class, which embedders' filters are made from.
"""Verifies the tokens of requests, and tells backends who asks (Envoy's C{jwt_authn})."""

from __future__ import annotations

from edgegate.access.jwt.authentication import Denial
from edgegate.access.jwt.challenge import challenge
from edgegate.access.jwt.key_set import parse_key_set
from edgegate.access.jwt.rule import RuleState, rule_states
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.key_sets import KeySets
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.http.guards.token_identity import OutputNames, verify
from edgegate.model.guards.jwt import InlineKeys, RemoteKeys, TokenGuard


class TokenState:
    """
    What is kept for a guard: its rules with their keys, and the tokens that they have verified.

    @ivar counts: Of all guards of the process.
    """

    __slots__ = ("_users", "counts", "rules")

    def __init__(self, guard: TokenGuard, key_sets: KeySets) -> None:
        self.counts = counts = key_sets.counts
        counts.used = True
        self.rules = tuple(rule_states(guard.rules, counts))
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
        denial = verify(exchange, self._state.rules, self._outputs, self._state.counts)
        if denial is None:
            return FilterStatus.CONTINUE
        return refuse(exchange, rule_guard(denial.rule), token_refusal(denial, exchange))


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
