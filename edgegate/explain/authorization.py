"""What policies of authorization make of a request that is made up: the rule that matches, or why none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from edgegate.access.authorization import Authorizer, RuleCheck, RuleSet
from edgegate.access.conditions import Check
from edgegate.access.facts import Facts
from edgegate.explain.judgement import Judgement, RuleTrial, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.authorization import (
    COMMON,
    HINT,
    RBAC,
    authorization_refusal,
    guard_of,
    shadow_result,
)
from edgegate.model.guards.authorization import Action, Attribute, Authorization, Condition, Rule
from edgegate.net.addresses import ConnectionInfo

_SHOWN: Final = 3
"""Values of a condition that are shown; of more their number."""


def judge_authorization(guard: Authorization, exchange: Exchange) -> Judgement:
    """Look for the first rule that matches a request."""
    facts = Facts(exchange.connection, exchange)
    found = judged_by(guard, facts)
    authorizer = Authorizer(guard)
    if authorizer.tried is not None:
        tried = authorizer.tried.first(facts)
        exchange.note(RBAC, shadow_result(guard, tried, authorizer.would_admit(tried)))
    if guard.rules.action is Action.AUDIT and any(each.matches for each in found.trials):
        exchange.note(COMMON, HINT)
    return found


def judge_connection(guard: Authorization, connection: ConnectionInfo) -> Judgement:
    """Likewise of a connection that carries no requests."""
    return judged_by(guard, Facts(connection), of_connection=True)


def judged_by(guard: Authorization, facts: Facts, of_connection: bool = False) -> Judgement:
    """
    Look for the first rule that matches.

    @param of_connection: Whether a connection is judged that carries no requests.
    """
    authorizer = Authorizer(guard, of_connection)
    matched = authorizer.rules.first(facts)
    trials = trials_of(authorizer.rules, matched, facts)
    words = _words(guard, matched, len(authorizer.rules.checks))
    left_out = len(guard.rules.rules) - len(authorizer.rules.checks)
    if left_out:
        words += f"; {left_out} that ask for what only requests have allow nothing here"
    if authorizer.tried is not None:
        tried = authorizer.tried.first(facts)
        result = "let it pass" if authorizer.would_admit(tried) else "refuse it"
        by = "" if tried is None else f", by {tried.name}"
        words += f"; the policies that are only tried would {result}{by}"
    if authorizer.admits(matched):
        return Judgement(guard, Verdict.ALLOWED, words, trials=trials)
    return Judgement(guard_of(guard, matched), Verdict.DENIED, words, authorization_refusal(matched), trials)


def trials_of(rules: RuleSet, matched: Rule | None, facts: Facts) -> tuple[RuleTrial, ...]:
    """Return what became of rules, up to the one that matches."""
    return tuple(_trial(check, facts) for check in _looked_at(rules.checks, matched))


def _words(guard: Authorization, matched: Rule | None, rules: int) -> str:
    action = guard.rules.action.value
    if not guard.enforced:
        return f"no {action} policy is more than tried"
    if matched is not None:
        return f"{action} by {matched.name}"
    none = "there is no rule" if not rules else "its rule does not match" if rules == 1 else "no rule matches"
    return f"{action}: {none}"


def _looked_at(checks: Sequence[RuleCheck], matched: Rule | None) -> Sequence[RuleCheck]:
    """Return the rules up to the one that matches."""
    if matched is None:
        return checks
    return [*checks[: [check.rule for check in checks].index(matched) + 1]]


def _trial(check: RuleCheck, facts: Facts) -> RuleTrial:
    failed = failing(check, facts)
    words = "matches" if not failed else " or ".join(dict.fromkeys(said(each, facts) for each in failed))
    return RuleTrial(check.rule.name, not failed, words, check.rule.origin)


def failing(check: RuleCheck, facts: Facts) -> list[Condition]:
    """Return the first condition of a rule that fails; where one of several would do, that of each."""
    for alternatives in (check.operations, check.sources):
        first = [_first(each, facts) for each in alternatives]
        if first and None not in first:
            return [each for each in first if each is not None]
    found = _first(check.conditions, facts)
    return [] if found is None else [found]


def _first(checks: Sequence[Check], facts: Facts) -> Condition | None:
    return next((check.condition for check in checks if not check.holds(facts)), None)


def said(condition: Condition, facts: Facts) -> str:
    """Say why a condition fails: C{paths: /x is not /a* or /b}."""
    values = [*condition.values[:_SHOWN]]
    more = len(condition.values) - len(values)
    wanted = " or ".join([*values, *([f"one of {more} more"] if more else [])])
    seen = _seen(condition, facts)
    if not seen:
        return f"{condition.field}: {_ABSENT.get(condition.attribute, 'there is none')}"
    return f"{condition.field}: {', '.join(seen)} {'is' if condition.negated else 'is not'} {wanted}"


_ABSENT: Final = {
    Attribute.HEADER: "the request has no such header",
    Attribute.PRINCIPAL: "the client shows no certificate",
    Attribute.NAMESPACE: "the client shows no certificate",
    Attribute.SERVICE_ACCOUNT: "the client shows no certificate",
    Attribute.TRUST_DOMAIN: "the client shows no certificate",
    Attribute.REQUEST_PRINCIPAL: "there is no verified token",
    Attribute.CLAIM: "there is no verified token with it",
    Attribute.SERVER_NAME: "the client sent no SNI name",
    Attribute.PATH: "there is no request",
}


def _seen(condition: Condition, facts: Facts) -> list[str]:
    """Return what a condition looks at, as text; nothing where it is not there."""
    attribute = condition.attribute
    if attribute is Attribute.HEADER:
        return [_text(each) or '""' for each in facts.header(condition.key[0].encode("latin-1", "replace"))]
    if attribute is Attribute.PORT:
        return [str(each) for each in dict.fromkeys(facts.ports)]
    one = _ONE.get(attribute)
    if one is not None:
        return [each for each in (one(condition, facts),) if each]
    return [each.decode("utf-8", "replace") for each in facts.names]


def _text(seen: bytes) -> str:
    return seen.decode("latin-1")


def _claim(condition: Condition, facts: Facts) -> str:
    found: object = facts.claims
    for name in condition.key:
        found = found.get(name) if isinstance(found, Mapping) else None
    return "" if found is None else str(found)


def _request_principal(condition: Condition, facts: Facts) -> str:
    claims = facts.claims
    return "" if claims is None else f"{claims.get('iss', '')}/{claims.get('sub', '')}"


_ONE: Final[dict[Attribute, Callable[[Condition, Facts], str]]] = {
    Attribute.HOST: lambda condition, facts: _text(facts.host),
    Attribute.METHOD: lambda condition, facts: _text(facts.method),
    Attribute.PATH: lambda condition, facts: _text(facts.path),
    Attribute.SERVER_NAME: lambda condition, facts: _text(facts.server_name),
    Attribute.PEER: lambda condition, facts: facts.peer,
    Attribute.CLIENT: lambda condition, facts: facts.client,
    Attribute.LOCAL: lambda condition, facts: facts.local,
    Attribute.CLAIM: _claim,
    Attribute.REQUEST_PRINCIPAL: _request_principal,
    Attribute.METADATA: lambda condition, facts: str(facts.metadata(*condition.key) or ""),
}
