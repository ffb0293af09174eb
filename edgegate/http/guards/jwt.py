# Hot path, not compiled: its filter is made from a plain class, which embedders' filters are made from.
"""Verifies the tokens of requests, and tells backends who asks (Envoy's C{jwt_authn})."""

from __future__ import annotations

from typing import Final

from edgegate.access.jwt.authentication import Denial
from edgegate.access.jwt.challenge import challenge
from edgegate.access.jwt.key_set import parse_key_set
from edgegate.access.jwt.refusals import NOT_FETCHED
from edgegate.access.jwt.rule import RuleState, rule_states
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.gates import TokenGate
from edgegate.http.guards.key_sets import KeySets, KeySource
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.http.guards.token_identity import OutputNames, verify
from edgegate.model.guards.jwt import InlineKeys, RemoteKeys, TokenGuard

FIRST_FETCH: Final = 3.0
"""
Seconds for which a request waits for keys that this process fetches for the first time: after its start, and where a
reload brings new rules. Where the first try has failed nothing waits any more.
"""


class TokenState:
    """
    What is kept for a guard: its rules with their keys, and the tokens that they have verified.

    @ivar counts: Of all guards of the process.
    """

    __slots__ = ("_sources", "_users", "counts", "rules")

    def __init__(self, guard: TokenGuard, key_sets: KeySets) -> None:
        self.counts = counts = key_sets.counts
        counts.used = True
        self.rules = tuple(rule_states(guard.rules, counts))
        self._users = [_RuleKeys(rule, key_sets) for rule in self.rules]
        self._sources = {id(user.rule): user.source for user in self._users}

    def awaited(self, denial: Denial) -> KeySource | None:
        """Return where the keys come from that a token is refused for want of, if they may be there in a moment."""
        source = self._sources[id(denial.rule)] if denial.refusal is NOT_FETCHED else None
        return source if source is not None and source.awaited else None

    def stop(self) -> None:
        """Nobody asks for it any more."""
        for user in self._users:
            user.stop()


class _RuleKeys:
    """Brings a rule its keys."""

    __slots__ = ("_key_sets", "_remote", "rule", "source")

    def __init__(self, rule: RuleState, key_sets: KeySets) -> None:
        self.rule = rule
        self.source: KeySource | None = None
        self._key_sets = key_sets
        self._remote: RemoteKeys | None = None
        keys = rule.rule.keys
        if isinstance(keys, InlineKeys):
            rule.put_keys(parse_key_set(keys.text.encode(), secrets=True))
        else:
            self._remote = keys
            self.source = key_sets.add(keys, rule.put_keys)
            rule.unknown_key = self.source.unknown_key

    def stop(self) -> None:
        """Take no more."""
        if self._remote is not None:
            self._key_sets.remove(self._remote, self.rule.put_keys)


class TokenFilter(HTTPFilter):
    """Lets requests pass whose tokens are valid, or that have none."""

    __slots__ = ("_environment", "_outputs", "_state", "gate")

    name = "jwt_authn"

    def __init__(self, guard: TokenGuard, environment: HTTPEnvironment) -> None:
        self._environment = environment
        self._state = token_state(guard, environment)
        self._outputs = OutputNames(guard)
        self.gate = TokenGate(self._state.rules, self._outputs, self._state.counts)

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}."""
        denial = self.gate.denial(exchange.head)
        if denial is not None:
            self._state.counts.denied += 1
        else:
            denial = self._verify(exchange)
            if denial is None:
                return FilterStatus.CONTINUE
        source = self._state.awaited(denial)
        if source is None:
            return _refuse(exchange, denial)
        self._state.counts.denied -= 1
        hold = Hold(exchange, self._environment, FIRST_FETCH, lambda held: self._too_late(held, denial))
        source.when_known(lambda: self._known(hold))
        return FilterStatus.STOP

    def _too_late(self, hold: Hold, denial: Denial) -> None:
        self._state.counts.denied += 1
        hold.answer(lambda exchange: _refuse(exchange, denial))

    def _verify(self, exchange: Exchange) -> Denial | None:
        return verify(exchange, self._state.rules, self._outputs, self._state.counts)

    def _known(self, hold: Hold) -> None:
        """There are keys that a request waits for, or there are none."""
        if hold.over:
            return
        denial = self._verify(hold.exchange)
        source = None if denial is None else self._state.awaited(denial)
        if denial is None:
            hold.go_on()
        elif source is None:
            hold.answer(lambda exchange: _refuse(exchange, denial))
        else:
            self._state.counts.denied -= 1
            source.when_known(lambda: self._known(hold))


def _refuse(exchange: Exchange, denial: Denial) -> FilterStatus:
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
