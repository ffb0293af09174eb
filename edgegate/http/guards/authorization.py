# Hot path, not compiled: its filter is made from a plain class, which embedders' filters are made from.
"""Lets those requests pass that policies allow (Istio's C{AuthorizationPolicy}, Envoy's C{rbac} filter)."""

from __future__ import annotations

from typing import Final

from edgegate.access.authorization import AuthorizerState, details_of
from edgegate.access.facts import Facts
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus, HTTPFilter
from edgegate.http.guards.gates import ALLOWED, AuthorizationGate
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.model.guards.authorization import Action, Authorization, Rule
from edgegate.model.guards.guard import Guard
from edgegate.observe.metrics.meters import ListenerMeter

RBAC: Final = "envoy.filters.http.rbac"
COMMON: Final = "envoy.common"
HINT: Final[dict[str, object]] = {"access_log_hint": True}
"""What C{AUDIT} leaves for the access log (Envoy's action C{LOG})."""

DENIED: Final = 1
TRIED_ALLOW: Final = 2
TRIED_DENY: Final = 4
"""Places of the numbers of L{edgegate.observe.metrics.families.AUTHORIZATION}."""


def authorizer_state(guard: Authorization, environment: HTTPEnvironment) -> AuthorizerState:
    """Return what decides for a guard; of equal ones it is the same."""
    return environment.access.of(guard, lambda: AuthorizerState(guard))


class AuthorizationFilter(HTTPFilter):
    """Refuses what a rule of C{DENY} matches, or no rule of C{ALLOW}; what one of C{AUDIT} matches is noted."""

    __slots__ = ("_audits", "_authorizer", "_guard", "_refusals", "gate")

    name = "rbac"

    def __init__(self, guard: Authorization, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._authorizer = authorizer_state(guard, environment).of_requests
        self._audits = guard.rules.action is Action.AUDIT
        only_enforces = guard.enforced and guard.tried is None and not self._audits
        self.gate = AuthorizationGate(self._authorizer) if only_enforces else None
        self._refusals: dict[str, tuple[Guard, Refusal]] = {}

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """See L{HTTPFilter.request_head}: looks for the rule that matches, and at all that follows from it."""
        authorizer, meter = self._authorizer, exchange.connection.meter
        facts = Facts(exchange.connection, exchange)
        matched = authorizer.rules.first(facts)
        if authorizer.tried is not None:
            self._try(exchange, authorizer.tried.first(facts), meter)
        if not authorizer.admits(matched):
            if meter is not None:
                meter.count_authorization(DENIED)
            return self._refuse(exchange, matched)
        if self._audits:
            if matched is not None:
                exchange.note(COMMON, HINT)
        elif meter is not None and self._guard.enforced:
            meter.count_authorization(ALLOWED)
        return FilterStatus.CONTINUE

    def _try(self, exchange: Exchange, matched: Rule | None, meter: ListenerMeter | None) -> None:
        """Note and count what policies that are only tried would do."""
        would_admit = self._authorizer.would_admit(matched)
        exchange.note(RBAC, shadow_result(self._guard, matched, would_admit))
        if meter is not None:
            first = TRIED_ALLOW if self._guard.rules.action is Action.ALLOW else TRIED_DENY
            meter.count_authorization(first if would_admit else first + 1)

    def _refuse(self, exchange: Exchange, matched: Rule | None) -> FilterStatus:
        name = "" if matched is None else matched.name
        found = self._refusals.get(name)
        if found is None:
            # files may say the same rules in other lines than when this was made of them
            matched = next((rule for rule in self._guard.rules.rules if rule.name == name), None)
            found = self._refusals[name] = guard_of(self._guard, matched), authorization_refusal(matched)
        return refuse(exchange, found[0], found[1])


def guard_of(guard: Guard, matched: Rule | None) -> Guard:
    """Return what stands for the one policy that has refused a request; of those of C{ALLOW} each could have let it."""
    if matched is None or matched.origin is None:
        return guard
    return Guard(matched.origin.resource.partition(" ")[2], matched.origin)


def authorization_refusal(matched: Rule | None) -> Refusal:
    """
    Return what is answered.

    @param matched: The rule of C{DENY} that does; L{None}: none of C{ALLOW} does.
    """
    return Refusal(403, b"RBAC: access denied", details_of(matched))


def shadow_result(guard: Authorization, matched: Rule | None, would_admit: bool) -> dict[str, object]:
    """Return what policies that are only tried would do, as Istio's Envoy notes it."""
    prefix = f"istio_dry_run_{guard.rules.action.value.lower()}_"
    result = "allowed" if would_admit else "denied"
    found: dict[str, object] = {f"{prefix}shadow_engine_result": result}
    if matched is not None:
        found[f"{prefix}shadow_effective_policy_id"] = matched.name
    return found
