"""What guards stand where, as it is put together from policies of all kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Severity
from edgegate.istio.kinds.mesh_config import MeshConfig
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.clusters import ClusterCompiler
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.guards.targets import RouteKey, Targeted, Targets
from edgegate.istio.translate.servers import Server
from edgegate.istio.translate.services import ServiceIndex
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model import servers as values
from edgegate.model.guards.guard import Guard, Guards, in_order


@dataclass(frozen=True, slots=True)
class Policies:
    """
    What the compilers of policies work with.

    @ivar targets: Finds what a policy is for.
    @ivar mesh: L{None}: there is no MeshConfig.
    @ivar services: What policies may have asked.
    @ivar clusters: Makes the clusters of these.
    """

    resources: Resources
    options: CompileOptions
    targets: Targets
    mesh: Resource[MeshConfig] | None
    services: ServiceIndex
    clusters: ClusterCompiler
    suggestions: Suggestions
    problems: Problems

    def targeted(self, policy: Resource[Any], of_requests: bool = True) -> Targeted:
        """
        Return what a policy of edgegate's own kinds is for; where that is nothing, tell why.

        @param of_requests: Whether it judges requests alone: it passes over connections that carry none.
        """
        found = self.targets.of(policy)
        if found.why_not:
            self.guards_nothing(policy, found.why_not, warn=True)
        elif of_requests:
            self._tell_of_connections(policy, found)
        return found

    def _tell_of_connections(self, policy: Resource[Any], targeted: Targeted) -> None:
        """Tell of the servers that a policy is for and whose connections it does not see."""
        others = [server for server in targeted.servers if not server.traffic.http]
        if not others:
            return
        if len(others) == len(targeted.servers) and not targeted.routes:
            why = "it is about requests, and its servers carry connections of which no requests are read"
            self.guards_nothing(policy, why, warn=True)
            return
        first = others[0].value
        message = (
            f"{policy.document.title} is about requests: connections to port {first.number}, which carries none "
            f"({first.origin}), are not its concern"
        )
        policy.document.problem(self.problems, Severity.INFO, (), message, code=codes.NO_MATCHING_WORKLOADS)

    def guards_nothing(self, policy: Resource[Any], why: str, warn: bool) -> None:
        """
        Tell that a policy is for nothing that is served: with a warning where it may have been meant for it.

        Of one with an error that is not told: what it is for may be what is wrong with it.
        """
        if policy.faulty:
            return
        severity = Severity.WARNING if warn else Severity.INFO
        message = f"{policy.document.title} guards nothing here: {why}"
        policy.document.problem(self.problems, severity, (), message, code=codes.NO_MATCHING_WORKLOADS)


@dataclass(slots=True)
class Standing:
    """Where guards stand."""

    _servers: dict[Server, list[Guard]] = field(default_factory=dict)
    _routes: dict[RouteKey, list[Guard]] = field(default_factory=dict)
    _found: dict[tuple[RouteKey, ...], Guards] = field(default_factory=dict)

    def on(self, targeted: Targeted, guard: Guard) -> None:
        """Have a guard stand on all that a policy is for."""
        self.on_servers(targeted.servers, guard)
        for key in targeted.routes:
            self._routes.setdefault(key, []).append(guard)

    def on_servers(self, servers: Iterable[Server], guard: Guard) -> None:
        """Have a guard stand on servers as a whole."""
        for server in servers:
            self._servers.setdefault(server, []).append(guard)

    @property
    def servers(self) -> Mapping[values.Server, Guards]:
        """What stands on servers as a whole."""
        return {server.value: in_order(guards) for server, guards in self._servers.items()}

    def of_route(self, service: Resource[VirtualService], path: Path) -> Guards:
        """
        Return what stands on an C{http} route of a VirtualService; on one that came from a delegate also what stands on
        that, or on the item that delegates.
        """
        if not self._routes:
            return ()
        keys = tuple(key for key in dict.fromkeys(_keys(service, path)) if key in self._routes)
        found = self._found.get(keys)
        if found is None:
            # one object for all routes that have the same
            found = self._found[keys] = in_order(guard for key in keys for guard in self._routes[key])
        return found


NOTHING = Standing()


def _keys(service: Resource[VirtualService], path: Path) -> Iterable[RouteKey]:
    """Yield the keys by which policies may name a route."""
    for resource, place in (service.at((*path, "delegate")), service.at(path)):
        yield resource.namespace, resource.name, ""
        item = place[2]
        assert isinstance(item, int)
        name = resource.spec.http[item].name
        if name:
            yield resource.namespace, resource.name, name
