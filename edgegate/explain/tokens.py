"""What rules for tokens make of a request that is made up, as far as that can be told without a gateway."""

from __future__ import annotations

from time import time

from edgegate.access.jwt.authentication import Identity, authenticate
from edgegate.access.jwt.key_set import KeySet, parse_key_set
from edgegate.access.jwt.refusals import NOT_FETCHED
from edgegate.access.jwt.rule import RuleState
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.jwt import rule_guard, token_refusal
from edgegate.http.guards.token_identity import OutputNames, asks_permission, identify
from edgegate.model.guards.jwt import InlineKeys, RemoteKeys, TokenGuard


def judge_tokens(guard: TokenGuard, exchange: Exchange, fetched: KeySet | None = None) -> Judgement:
    """
    Verify the tokens of a request with the keys that the files say.

    One whose keys are fetched passes, if nothing else is wrong with it; what it claims is believed then.

    @param fetched: The keys of all rules whose keys are fetched; L{None}: they are not known.
    """
    head, outputs = exchange.head, OutputNames(guard)
    if head.method == b"OPTIONS" and asks_permission(head):
        outputs.sanitise(exchange)
        return Judgement(guard, Verdict.ALLOWED, "a preflight of CORS needs no token")
    states = [RuleState(rule, _keys(rule.keys, fetched)) for rule in guard.rules]
    found = authenticate(states, head.fields, head.target, time())
    if found is None:
        outputs.sanitise(exchange)
        return Judgement(guard, Verdict.ALLOWED, "it has no token that any rule looks for, and none is required here")
    if isinstance(found, Identity):
        identify(exchange, found, outputs)
        subject = found.token.claims.get("sub")
        of = f" of {subject}" if isinstance(subject, str) else ""
        return Judgement(rule_guard(found.rule), Verdict.ALLOWED, f"its token{of} is valid")
    keys = found.rule.rule.keys
    if found.refusal is NOT_FETCHED and isinstance(keys, RemoteKeys):
        token = found.rule.believed(found.rule.locations.tokens(head.fields, head.target)[0])
        identify(exchange, Identity(found.rule, token, token.until), outputs)
        words = f"its token claims what it should; the keys that could tell whose it is are fetched from {keys.url}"
        return Judgement(rule_guard(found.rule), Verdict.UNKNOWN, words)
    refusal = token_refusal(found, exchange)
    return Judgement(rule_guard(found.rule), Verdict.DENIED, found.refusal.text, refusal)


def _keys(keys: InlineKeys | RemoteKeys, fetched: KeySet | None) -> KeySet | None:
    return parse_key_set(keys.text.encode(), secrets=True) if isinstance(keys, InlineKeys) else fetched
