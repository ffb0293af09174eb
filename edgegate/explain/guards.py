"""What guards make of a request that is made up, one after the other, up to the one that refuses it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from edgegate.access.jwt.key_set import KeySet
from edgegate.explain.address_list import judge_address_list, judge_connection_by_address
from edgegate.explain.authorization import judge_authorization, judge_connection
from edgegate.explain.concurrency import judge_concurrency
from edgegate.explain.credentials import judge_api_keys, judge_basic_auth
from edgegate.explain.envoy_rate_limits import judge_local, judge_service
from edgegate.explain.external_authorization import judge_connection_by_service, judge_external_authorization
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.explain.logins import judge_oidc
from edgegate.explain.rate_limit import judge_rate_limit
from edgegate.explain.tokens import judge_tokens
from edgegate.http.exchange import Exchange
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.authorization import Authorization
from edgegate.model.guards.concurrency import ConcurrencyGuard
from edgegate.model.guards.credentials import APIKeys, BasicAuth
from edgegate.model.guards.envoy_rate_limits import LocalRateLimit, RateLimitService
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.guards.guard import Guard, Guards
from edgegate.model.guards.jwt import TokenGuard
from edgegate.model.guards.oidc import OIDC
from edgegate.model.guards.rate_limit import RateLimitGuard
from edgegate.net.addresses import ConnectionInfo

Judges = Mapping[type[Guard], Callable[[Any, Exchange], Judgement]]

JUDGES: Final[Judges] = {
    AddressList: judge_address_list,
    Authorization: judge_authorization,
    ConcurrencyGuard: judge_concurrency,
    BasicAuth: judge_basic_auth,
    APIKeys: judge_api_keys,
    OIDC: judge_oidc,
    RateLimitGuard: judge_rate_limit,
    TokenGuard: judge_tokens,
    LocalRateLimit: judge_local,
    RateLimitService: judge_service,
    ExternalAuthorization: judge_external_authorization,
}
"""
What judges for a guard, by its type. What is found out about the request may be noted (C{exchange.note}) for the guards
that follow, and its head may be changed; it is never answered.
"""


CONNECTION_JUDGES: Final[dict[type[Guard], Callable[[Any, ConnectionInfo], Judgement]]] = {
    AddressList: judge_connection_by_address,
    Authorization: judge_connection,
    ExternalAuthorization: judge_connection_by_service,
}
"""Likewise for connections that are relayed; guards of other types pass those over."""


def judged_connection(guards: Guards, connection: ConnectionInfo) -> Iterator[Judgement]:
    """Yield what guards make of a connection that is relayed; one that denies it is the last."""
    for guard in guards:
        judge = CONNECTION_JUDGES.get(type(guard))
        if judge is not None:
            found = judge(guard, connection)
            yield found
            if found.verdict is Verdict.DENIED:
                return


def judges_with(keys: KeySet) -> Judges:
    """Return what judges where the keys are at hand that gateways fetch."""
    return {**JUDGES, TokenGuard: partial(judge_tokens, fetched=keys)}


def judged(guards: Guards, exchange: Exchange, judges: Judges = JUDGES) -> Iterator[Judgement]:
    """Yield what guards make of a request; one that denies it is the last."""
    for guard in guards:
        judge = judges.get(type(guard))
        if judge is None:
            found = Judgement(guard, Verdict.UNKNOWN, "only a gateway that runs can tell")
        else:
            found = judge(guard, exchange)
        yield found
        if found.verdict is Verdict.DENIED:
            return
