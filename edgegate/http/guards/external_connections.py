"""Has a service decide which connections are relayed: Envoy's C{ext_authz} network filter, which asks over gRPC."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from edgegate.access.authorization import RuleSet
from edgegate.access.facts import Facts
from edgegate.access.grpc_check import CHECK, check_request
from edgegate.access.verdict import Outcome
from edgegate.errors import CONNECTION_DENIED, GUARD_FAILED, Fault
from edgegate.http.async_request import AsyncRequest, AsyncResponse
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.grpc_unary import call_head, framed
from edgegate.http.guards.external_checks import ends_of, verdict_of
from edgegate.http.guards.external_reports import report
from edgegate.http.guards.external_verdicts import DENIED_DETAILS, ERROR_DETAILS
from edgegate.model.authorizers import Protocol
from edgegate.model.guards.authorization import of_connections
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.net.addresses import ConnectionInfo
from edgegate.tcp.guards.interfaces import ConnectionFilter, Decided, Waiting

_DENIED: Final = replace(CONNECTION_DENIED, flag="UAEX", details=DENIED_DETAILS)
_FAILED: Final = replace(CONNECTION_DENIED, flag="UAEX", details=ERROR_DETAILS)


class ExternalAuthorizationConnectionFilter(ConnectionFilter):
    """
    Asks about connections that one of the rules matches, as far as those are about connections.

    Who is asked over HTTP is asked about requests alone: there are none here (Istio).
    """

    __slots__ = ("_environment", "_guard", "_rules")

    name = "ext_authz"

    def __init__(self, guard: ExternalAuthorization, environment: HTTPEnvironment) -> None:
        self._guard = guard
        self._environment = environment
        self._rules = RuleSet(of_connections(guard.rules))

    def judge(self, connection: ConnectionInfo, decided: Decided) -> Fault | Waiting | None:
        """See L{ConnectionFilter.judge}."""
        authorizer = self._guard.authorizer
        if authorizer.protocol is Protocol.HTTP or self._rules.first(Facts(connection)) is None:
            return None
        cluster = self._environment.clusters.in_force.get(authorizer.cluster)
        if cluster is None:
            return None if authorizer.fail_open else _FAILED
        message = framed(check_request(*ends_of(connection, None), connection.server_name, None))
        head = call_head(CHECK, authorizer.authority, len(message), authorizer.timeout, [])
        told = partial(self._told, connection, decided)
        request = AsyncRequest(self._environment, cluster, head, message, told, connection)
        request.start(authorizer.timeout)
        return Waiting(request.cancel)

    def _told(self, connection: ConnectionInfo, decided: Decided, outcome: AsyncResponse | Fault) -> None:
        """The service has answered, or will not."""
        try:
            authorizer = self._guard.authorizer
            verdict = verdict_of(authorizer, outcome)
            report(self._environment, connection, authorizer, verdict)
            if verdict.outcome is Outcome.FAILED:
                fault = None if authorizer.fail_open else _FAILED
            else:
                fault = _DENIED if verdict.outcome is Outcome.DENIED else None
        except Exception:
            decided(GUARD_FAILED)
            raise
        decided(fault)
