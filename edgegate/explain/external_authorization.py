"""What policies that have a service decide make of a request that is made up: whether it would be asked."""

from __future__ import annotations

from edgegate.access.authorization import RuleSet
from edgegate.access.facts import Facts
from edgegate.explain.authorization import trials_of
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.authorization import guard_of
from edgegate.http.guards.external_authorization import has_route
from edgegate.model.authorizers import Authorizer, Protocol
from edgegate.model.guards.authorization import Rule, of_connections
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.net.addresses import ConnectionInfo


def judge_external_authorization(guard: ExternalAuthorization, exchange: Exchange) -> Judgement:
    """Tell whether the service is asked; what it says only it knows."""
    routed = has_route(exchange, 0)
    found = _judged(guard, RuleSet(guard.rules), Facts(exchange.connection, exchange))
    if found.verdict is Verdict.UNKNOWN and not routed:
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: there is no route, so {guard.authorizer.name} is not asked")
    return found


def judge_connection_by_service(guard: ExternalAuthorization, connection: ConnectionInfo) -> Judgement:
    """The same for a connection that is relayed."""
    authorizer = guard.authorizer
    if authorizer.protocol is Protocol.HTTP:
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: {authorizer.name} is asked over HTTP, about requests alone")
    return _judged(guard, RuleSet(of_connections(guard.rules)), Facts(connection))


def _judged(guard: ExternalAuthorization, rules: RuleSet, facts: Facts) -> Judgement:
    matched = rules.first(facts)
    trials = trials_of(rules, matched, facts)
    if matched is None:
        words = f"CUSTOM: no rule matches, so {guard.authorizer.name} is not asked"
        return Judgement(guard, Verdict.ALLOWED, words, trials=trials)
    return Judgement(guard_of(guard, matched), Verdict.UNKNOWN, _asked(guard.authorizer, matched), trials=trials)


def _asked(authorizer: Authorizer, matched: Rule) -> str:
    where = "" if authorizer.origin is None else f" at {authorizer.origin}"
    service = authorizer.cluster.rpartition("|")[2]
    otherwise = "it passes" if authorizer.fail_open else f"it gets {authorizer.status_on_error}"
    return (
        f"CUSTOM by {matched.name}: {authorizer.name}{where} is asked over {authorizer.protocol.value} at {service};"
        f" where that says nothing within {authorizer.timeout:g} s {otherwise}"
    )
