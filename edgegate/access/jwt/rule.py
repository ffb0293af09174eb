# Hot path: looks tokens up for each request of a guarded host.
"""One rule at work: its keys as they are at the moment, and the tokens that they have verified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from edgegate.access.jwt.claims import (
    SPLIT_BY_ITSELF,
    audience,
    check_claims,
    expiry,
    field_value,
    split_claims,
)
from edgegate.access.jwt.counts import TokenCounts
from edgegate.access.jwt.key_set import KeySet
from edgegate.access.jwt.locations import Field, Locations
from edgegate.access.jwt.refusals import NO_KEY, NOT_FETCHED, UNKNOWN_ISSUER, Refusal, RefusedToken
from edgegate.access.jwt.token import Token, parse
from edgegate.access.jwt.verified_tokens import KnownIssuers, VerifiedToken, VerifiedTokens
from edgegate.model.claims import claim_at
from edgegate.model.guards.jwt import JWTRule


class RuleState:
    """
    A rule and what is known for it.

    @ivar locations: Where its tokens stand.
    @ivar keys: L{None}: they were never fetched, and all tokens are refused.
    @ivar unknown_key: Called with each token whose key is not among these.
    @ivar counts: Which tokens were remembered, and which had to be verified.
    """

    __slots__ = ("_audiences", "_others", "_split", "_tokens", "counts", "keys", "locations", "rule", "unknown_key")

    def __init__(
        self,
        rule: JWTRule,
        keys: KeySet | None = None,
        counts: TokenCounts | None = None,
        issuers: KnownIssuers | None = None,
    ) -> None:
        """
        @param issuers: What all rules of a guard know of their tokens; L{None}: there are no others.
        """
        self.rule = rule
        self.keys = keys
        self.locations = Locations(rule)
        self._others = issuers
        self.unknown_key: Callable[[], None] | None = None
        self.counts = TokenCounts() if counts is None else counts
        self._tokens = VerifiedTokens()
        self._audiences = frozenset(audience(each) for each in rule.audiences)
        self._split = frozenset((*SPLIT_BY_ITSELF, *rule.split_claims))

    def put_keys(self, keys: KeySet | None) -> None:
        """Take other keys: what the former ones have verified counts no longer."""
        self.keys = keys
        self._tokens.clear()

    def verify(self, token: bytes, now: float, parsed: dict[bytes, Token | Refusal]) -> VerifiedToken | Refusal:
        """
        Verify a token, or find it verified.

        @param now: In seconds since 1970.
        @param parsed: The tokens of the same request that were read for other rules; this one is put there.
        """
        known = self._tokens.get(token, now)
        if known is not None:
            self.counts.cache_hits += 1
            return known
        issuer, others = self.rule.issuer, self._others
        if issuer and others is not None and others.of_another(token, issuer):
            return UNKNOWN_ISSUER
        self.counts.cache_misses += 1
        read = parsed.get(token)
        if read is None:
            read = parsed[token] = _read(token)
        if isinstance(read, Refusal):
            return read
        return self._judged(read, now) or self._remembered(token, read)

    def believed(self, token: bytes) -> VerifiedToken:
        """
        Return what would be made of a token if it were valid: for explanations alone.

        @raise RefusedToken: It has not the form of one.
        """
        return self._made(parse(token))

    def _judged(self, token: Token, now: float) -> Refusal | None:
        refusal = check_claims(token, self.rule.issuer, self._audiences, now)
        if refusal is not None:
            return refusal
        keys = self.keys
        if keys is None:
            return NOT_FETCHED
        refusal = keys.verify(token)
        if refusal is NO_KEY and self.unknown_key is not None:
            self.unknown_key()
        return refusal

    def _remembered(self, token: bytes, parsed: Token) -> VerifiedToken:
        verified = self._made(parsed)
        self._tokens.put(token, verified)
        if self._others is not None:
            self._others.add(token, parsed.issuer)
        return verified

    def _made(self, parsed: Token) -> VerifiedToken:
        return VerifiedToken(expiry(parsed), split_claims(parsed.claims, self._split), self._fields(parsed))

    def _fields(self, token: Token) -> tuple[Field, ...]:
        """Return what the backend gets."""
        rule = self.rule
        found: list[Field] = []
        if rule.payload_header:
            found.append((rule.payload_header, token.payload))
        for header in rule.claim_headers:
            value = field_value(claim_at(token.claims, header.claim))
            if value is not None and len(value) <= LONGEST_FIELD:
                found.append((header.name, value))
        return tuple(found)


def _read(token: bytes) -> Token | Refusal:
    try:
        return parse(token)
    except RefusedToken as refused:
        return refused.refusal


def rule_states(rules: Sequence[JWTRule], counts: TokenCounts | None = None) -> list[RuleState]:
    """Return the states of rules that hold together: those whose tokens stand at the same places look there once."""
    issuers = KnownIssuers() if len(rules) > 1 else None
    states = [RuleState(rule, None, counts, issuers) for rule in rules]
    places: dict[object, Locations] = {}
    for state in states:
        rule = state.rule
        state.locations = places.setdefault((rule.headers, rule.params, rule.cookies), state.locations)
    return states


LONGEST_FIELD: Final = 8 << 10
"""Bytes of a claim that a backend is told."""
