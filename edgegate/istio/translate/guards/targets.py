"""To which servers and routes a policy belongs: by the labels of its selector, or by what its C{targetRefs} name."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.policy_target import PolicyTargetReference, TargetedPolicy
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.guards.workloads import may_have, with_chart
from edgegate.istio.translate.servers import Server
from edgegate.model import codes

RouteKey = tuple[str, str, str]
"""Namespace and name of a VirtualService, and the name of one of its C{http} routes; empty: all of them."""

_MESH = "mesh"
"""What C{gateways} of a VirtualService names where it means sidecars; without any, too."""


@dataclass(frozen=True, slots=True)
class Targeted:
    """
    What a policy is for.

    @ivar why_not: Where it is for nothing here, the reason; the policy is for others, or meant for nobody.
    """

    servers: tuple[Server, ...] = ()
    routes: tuple[RouteKey, ...] = ()
    why_not: str = ""

    def __bool__(self) -> bool:
        return bool(self.servers or self.routes)


@dataclass(frozen=True, slots=True)
class Targets:
    """
    Finds them among all that is served.

    @ivar servers: Those that are opened.
    @ivar labels: The gateway's own, where it was given some; L{None}: those that Gateways ask for.
    @ivar namespaces: The root one, and that in which the gateway is.
    """

    servers: Sequence[Server]
    gateways: Mapping[tuple[str, str], Resource[Gateway]]
    virtual_services: Mapping[tuple[str, str], Resource[VirtualService]]
    labels: Mapping[str, str] | None
    namespaces: Collection[str]
    problems: Problems = field(repr=False)

    def by_labels(self, policy: Resource[Any], wanted: Mapping[str, str]) -> Targeted:
        """
        Return the servers of the workloads that a policy chooses by Istio's rule.

        @param wanted: The labels of its selector; empty: it has none, and is for all of its namespace.
        """
        if not self.servers:
            return Targeted(why_not="no Gateway is served")
        if policy.namespace not in self.namespaces:
            ours = " or ".join(map(show, sorted(self.namespaces)))
            why = f"it is in the namespace {show(policy.namespace)}, and policies for this gateway are in {ours}"
            return Targeted(why_not=why)
        fitting = tuple(server for server in self.servers if self._has(server, wanted))
        if fitting:
            return Targeted(fitting)
        said = ", ".join(f"{key}={value}" for key, value in wanted.items())
        return Targeted(why_not=f"no gateway here has the labels {said} of its selector")

    def are_ours(self, labels: Mapping[str, str]) -> bool:
        """Whether a Service with this selector is for a workload that this gateway is."""
        return any(self._has(server, labels) for server in self.servers)

    def of(self, policy: Resource[Any]) -> Targeted:
        """
        Return what a policy of edgegate's own kinds is for; report what it names and nobody declares.

        Whatever it names must be of its own namespace, as with the policies of the Gateway API.
        """
        spec: TargetedPolicy = policy.spec
        if not spec.target_refs:
            return self.by_labels(policy, {} if spec.selector is None else spec.selector.match_labels)
        servers: dict[Server, None] = {}
        routes: dict[RouteKey, None] = {}
        reasons = []
        for index, reference in enumerate(spec.target_refs):
            if reference.kind == "Gateway":
                found = list(self._servers(policy, index, reference))
                servers.update(dict.fromkeys(found))
                if not found:
                    reasons.append(f"no server of Gateway {policy.namespace}/{reference.name} that it names is opened")
            elif reference.kind == "VirtualService":
                routes.update(dict.fromkeys(self._routes(policy, index, reference)))
        return Targeted(tuple(servers), tuple(routes), "" if servers or routes else " and ".join(reasons))

    def _has(self, server: Server, wanted: Mapping[str, str]) -> bool:
        """Whether one of the workloads that a server belongs to has all labels."""
        if self.labels is not None:
            return may_have(with_chart(self.labels), wanted, complete=True)
        own = server.gateway.spec.selector
        # a Gateway without a selector is for every gateway
        asked = [own] if own else [each.gateway.spec.selector for each in self.servers]
        return any(may_have(with_chart(each), wanted, complete=False) for each in asked)

    def _servers(self, policy: Resource[Any], index: int, reference: PolicyTargetReference) -> Iterator[Server]:
        key = policy.namespace, reference.name
        if key not in self.gateways:
            self._undeclared(policy, index, reference)
            return
        section = reference.section_name
        if section and not any(section in (each.name, each.port.name) for each in self.gateways[key].spec.servers):
            message = f"Gateway {reference.name} has no server whose name or port's name is {show(section)}"
            path = ("spec", "targetRefs", index, "sectionName")
            policy.error(self.problems, path, message, Role.CONSEQUENCE, codes.POLICY_WITHOUT_TARGET)
            return
        for server in self.servers:
            is_its = (server.gateway.namespace, server.gateway.name) == key
            if is_its and (not section or section in (server.spec.name, server.spec.port.name)):
                yield server

    def _routes(self, policy: Resource[Any], index: int, reference: PolicyTargetReference) -> Iterator[RouteKey]:
        service = self.virtual_services.get((policy.namespace, reference.name))
        if service is None:
            self._undeclared(policy, index, reference)
            return
        section = reference.section_name or ""
        path = ("spec", "targetRefs", index, "sectionName" if section else "name")
        spec = service.spec
        message = ""
        if section and not any(item.name == section for item in spec.http):
            message = f"VirtualService {reference.name} has no http route of the name {show(section)}"
        elif not section and not spec.http:
            message = f"VirtualService {reference.name} has no http routes: target its Gateway"
        if message:
            policy.error(self.problems, path, message, Role.CONSEQUENCE, codes.POLICY_WITHOUT_TARGET)
            return
        if spec.hosts and all(name == _MESH for name in spec.gateways or (_MESH,)):
            message = (
                f"VirtualService {reference.name} is for the sidecars of a mesh alone: nothing of it is served here"
            )
            policy.warning(self.problems, path, message, Role.CONSEQUENCE, codes.NO_MATCHING_WORKLOADS)
        if not section and (spec.tcp or spec.tls):
            message = f"the tcp and tls routes of VirtualService {reference.name} are not guarded: target its Gateway"
            policy.warning(self.problems, path, message, Role.CONSEQUENCE, codes.POLICY_WITHOUT_TARGET)
        yield policy.namespace, reference.name, section

    def _undeclared(self, policy: Resource[Any], index: int, reference: PolicyTargetReference) -> None:
        message = f'no document declares {reference.kind} {show(reference.name)} in namespace "{policy.namespace}"'
        path = ("spec", "targetRefs", index, "name")
        policy.error(self.problems, path, message, Role.CONSEQUENCE, codes.POLICY_WITHOUT_TARGET)


def targets_of(
    resources: Resources,
    servers: Sequence[Server],
    labels: Mapping[str, str] | None,
    namespaces: Collection[str],
    problems: Problems,
) -> Targets:
    """Return what finds the targets of policies; see L{Targets}."""
    gateways = {(each.namespace, each.name): each for each in resources.gateways}
    services = {(each.namespace, each.name): each for each in resources.virtual_services}
    return Targets(servers, gateways, services, labels, namespaces, problems)


def gateway_namespaces(resources: Resources, root: str, given: str | None) -> frozenset[str]:
    """
    Return the namespaces whose policies are for this gateway.

    @param root: The root namespace, whose policies are for all.
    @param given: In which the gateway is (C{--gateway-namespace}); L{None}: in the root one, or where no document
        names a namespace, in C{default} as they all are.
    """
    if given is not None:
        return frozenset({root, given})
    named = any(each.namespace != "default" for each in _placed(resources))
    return frozenset({root}) if named else frozenset({root, "default"})


def _placed(resources: Resources) -> Iterable[Resource[Any]]:
    """Yield the documents that may tell whether namespaces count in a folder."""
    yield from resources.gateways
    yield from resources.virtual_services
    yield from resources.destination_rules
    yield from resources.service_entries
    yield from resources.services
