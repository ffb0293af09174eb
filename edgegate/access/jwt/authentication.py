# Hot path: decides on each request of a guarded host.
"""
Whether a request's tokens let it pass, by all rules together (Envoy's C{verifier.cc}, with what Istio makes of it).

The first rule, in the order of their issuers, whose tokens verify lets the request pass and ends the search. Where none
does, it passes without an identity if no rule has found a token, and is refused otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.access.jwt.locations import Field, Locations
from edgegate.access.jwt.refusals import UNKNOWN_ISSUER, Refusal
from edgegate.access.jwt.rule import RuleState
from edgegate.access.jwt.token import Token
from edgegate.access.jwt.verified_tokens import VerifiedToken


class Identity:
    """
    Who asks, by a token.

    @ivar rule: Which has verified it.
    @ivar token: The one that counts, of several of one rule.
    @ivar until: When the first of them ends, in seconds since 1970.
    """

    __slots__ = ("rule", "token", "until")

    def __init__(self, rule: RuleState, token: VerifiedToken, until: float) -> None:
        self.rule = rule
        self.token = token
        self.until = until


class Denial:
    """
    A refusal, and whose it is.

    @ivar rule: The rule that has found the token.
    """

    __slots__ = ("refusal", "rule")

    def __init__(self, refusal: Refusal, rule: RuleState) -> None:
        self.refusal = refusal
        self.rule = rule


def authenticate(
    rules: Sequence[RuleState], fields: Sequence[Field], target: bytes, now: float
) -> Identity | Denial | None:
    """
    Judge a request by its tokens.

    @param fields: Of its head.
    @param target: Its path with the query.
    @param now: In seconds since 1970.
    @return: L{None}: it has no token.
    """
    denial: Denial | None = None
    located: Locations | None = None
    tokens: list[bytes] = []
    parsed: dict[bytes, Token | Refusal] = {}
    for rule in rules:
        if rule.locations is not located:
            located = rule.locations
            tokens = located.tokens(fields, target)
        if not tokens:
            continue
        judged = _all_valid(rule, tokens, now, parsed)
        if isinstance(judged, Identity):
            return judged
        # what is wrong with a known issuer's token says more than that another rule does not know it
        if denial is None or (denial.refusal is UNKNOWN_ISSUER and judged.refusal is not UNKNOWN_ISSUER):
            denial = judged
    return denial


def _all_valid(
    rule: RuleState, tokens: list[bytes], now: float, parsed: dict[bytes, Token | Refusal]
) -> Identity | Denial:
    """Judge all tokens of one rule: each must pass, the last one first, and the first one counts (Envoy)."""
    if len(tokens) == 1:
        only = rule.verify(tokens[0], now, parsed)
        return Denial(only, rule) if isinstance(only, Refusal) else Identity(rule, only, only.until)
    until = float("inf")
    judged: VerifiedToken | Refusal | None = None
    for token in reversed(tokens):
        judged = rule.verify(token, now, parsed)
        if isinstance(judged, Refusal):
            return Denial(judged, rule)
        until = min(until, judged.until)
    assert isinstance(judged, VerifiedToken)
    return Identity(rule, judged, until)
