"""What policies that have a service decide make of a request that is made up: whether it would be asked."""

from __future__ import annotations

from edgegate.access.authorization import RuleSet
from edgegate.access.facts import Facts
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.http.exchange import Exchange
from edgegate.http.guards.external_authorization import has_route
from edgegate.model.authorizers import Authorizer, Protocol
from edgegate.model.guards.authorization import Rule, of_connections
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.net.addresses import ConnectionInfo


def judge_external_authorization(guard: ExternalAuthorization, exchange: Exchange) -> Judgement:
    """Tell whether the service is asked; what it says only it knows."""
    name = guard.authorizer.name
    matched = RuleSet(guard.rules).first(Facts(exchange.connection, exchange))
    if matched is None:
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: no rule matches, so {name} is not asked")
    if not has_route(exchange, 0):
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: there is no route, so {name} is not asked")
    return Judgement(guard, Verdict.UNKNOWN, _asked(guard.authorizer, matched))


def judge_connection_by_service(guard: ExternalAuthorization, connection: ConnectionInfo) -> Judgement:
    """The same for a connection that is relayed."""
    authorizer = guard.authorizer
    if authorizer.protocol is Protocol.HTTP:
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: {authorizer.name} is asked over HTTP, about requests alone")
    matched = RuleSet(of_connections(guard.rules)).first(Facts(connection))
    if matched is None:
        return Judgement(guard, Verdict.ALLOWED, f"CUSTOM: no rule matches, so {authorizer.name} is not asked")
    return Judgement(guard, Verdict.UNKNOWN, _asked(authorizer, matched))


def _asked(authorizer: Authorizer, matched: Rule) -> str:
    where = "" if authorizer.origin is None else f" at {authorizer.origin}"
    service = authorizer.cluster.rpartition("|")[2]
    otherwise = "it passes" if authorizer.fail_open else f"it gets {authorizer.status_on_error}"
    return (
        f"CUSTOM by {matched.name}: {authorizer.name}{where} is asked over {authorizer.protocol.value} at {service};"
        f" where that says nothing within {authorizer.timeout:g} s {otherwise}"
    )
