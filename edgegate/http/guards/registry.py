"""Which filter acts for which kind of guard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.filters.interfaces import HTTPFilter
from edgegate.http.guards.address_list import AddressListFilter
from edgegate.http.guards.api_keys import APIKeyFilter
from edgegate.http.guards.authorization import AuthorizationFilter, authorizer_state
from edgegate.http.guards.basic_auth import BasicAuthFilter
from edgegate.http.guards.concurrency import ConcurrencyFilter
from edgegate.http.guards.external_authorization import ExternalAuthorizationFilter
from edgegate.http.guards.external_connections import ExternalAuthorizationConnectionFilter
from edgegate.http.guards.jwt import TokenFilter, token_state
from edgegate.http.guards.local_rate_limit import LocalRateLimitFilter
from edgegate.http.guards.oidc.oidc_filter import OIDCFilter, oidc_state
from edgegate.http.guards.rate_limit import rate_limit_filter, rate_limit_state
from edgegate.http.guards.rate_limit_service import RateLimitServiceFilter
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.authorization import Authorization
from edgegate.model.guards.concurrency import ConcurrencyGuard
from edgegate.model.guards.credentials import APIKeys, BasicAuth
from edgegate.model.guards.envoy_rate_limits import LocalRateLimit, RateLimitService
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.guards.guard import Guard
from edgegate.model.guards.jwt import TokenGuard
from edgegate.model.guards.oidc import OIDC
from edgegate.model.guards.rate_limit import RateLimitGuard
from edgegate.tcp.guards.registry import CONNECTION_GUARDS, MakeFilter

GUARD_FILTERS: Final[dict[type[Guard], Callable[[Any, HTTPEnvironment], HTTPFilter]]] = {
    AddressList: AddressListFilter,
    Authorization: AuthorizationFilter,
    ConcurrencyGuard: ConcurrencyFilter,
    BasicAuth: BasicAuthFilter,
    APIKeys: APIKeyFilter,
    RateLimitGuard: rate_limit_filter,
    TokenGuard: TokenFilter,
    OIDC: OIDCFilter,
    LocalRateLimit: LocalRateLimitFilter,
    RateLimitService: RateLimitServiceFilter,
    ExternalAuthorization: ExternalAuthorizationFilter,
}
"""
What makes the filter of a guard, by its type.

It is called when a request first meets the guard, and again after each change of the files: what must survive that is
kept in C{HTTPEnvironment.access}.
"""


PREPARED: Final[dict[type[Guard], Callable[[Any, HTTPEnvironment], object]]] = {
    Authorization: authorizer_state,
    RateLimitGuard: rate_limit_state,
    TokenGuard: token_state,
    OIDC: oidc_state,
}
"""What begins the work of guards that need something before the first request comes, by type."""


def prepare_guards(guards: Iterable[Guard], environment: HTTPEnvironment) -> None:
    """Have guards begin what they need: before those of former files are dropped, so that they can share it."""
    for guard in guards:
        prepare = PREPARED.get(type(guard))
        if prepare is not None:
            prepare(guard, environment)


def filters_of(guards: Iterable[Guard], environment: HTTPEnvironment) -> tuple[HTTPFilter, ...]:
    """
    Return the filters of guards, in their order.

    @raise KeyError: There is none for one: nobody is let pass then.
    """
    return tuple(GUARD_FILTERS[type(guard)](guard, environment) for guard in guards)


def connection_guards_of(environment: HTTPEnvironment) -> dict[type[Guard], MakeFilter]:
    """Return what makes the filters that act on connections, those that ask somebody by HTTP among them."""
    return {
        **CONNECTION_GUARDS,
        ExternalAuthorization: lambda guard, _: ExternalAuthorizationConnectionFilter(guard, environment),
    }
