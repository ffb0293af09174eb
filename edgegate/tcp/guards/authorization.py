"""Lets those connections pass that policies allow (Istio's C{AuthorizationPolicy} where no requests are read)."""

from __future__ import annotations

from dataclasses import replace

from edgegate.access.authorization import AuthorizerState, details_of
from edgegate.access.facts import Facts
from edgegate.errors import CONNECTION_DENIED, Fault
from edgegate.model.guards.authorization import Authorization
from edgegate.net.addresses import ConnectionInfo
from edgegate.tcp.guards.interfaces import ConnectionEnvironment, ConnectionFilter, Decided


class AuthorizationConnectionFilter(ConnectionFilter):
    """Refuses what a rule of C{DENY} matches, or no rule of C{ALLOW}, of what is left of rules without requests."""

    __slots__ = ("_authorizer",)

    name = "rbac"

    def __init__(self, guard: Authorization, environment: ConnectionEnvironment) -> None:
        self._authorizer = environment.access.of(guard, lambda: AuthorizerState(guard)).of_connections

    def judge(self, connection: ConnectionInfo, decided: Decided) -> Fault | None:
        """See L{ConnectionFilter.judge}."""
        matched = self._authorizer.rules.first(Facts(connection))
        if self._authorizer.admits(matched):
            return None
        return replace(CONNECTION_DENIED, details=details_of(matched))
