"""Which VirtualServices are attached to which servers, and under which names."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role, Severity
from edgegate.config.values import show
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.exports import exported
from edgegate.istio.translate.noting import note_routes
from edgegate.istio.translate.rules import MESH, GatewayKey, Rules, host_patterns, routes_of
from edgegate.istio.translate.servers import Server
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.notes import Cause, LeftOut, Notes
from edgegate.model.patterns import PatternIndex
from edgegate.model.translation import AttachedRoutes

RulesAt = Callable[[int, Iterable[int]], Rules]


class GatewayNames:
    """Finds the Gateways that C{gateways} fields name."""

    def __init__(self, gateways: Iterable[Resource[Gateway]], problems: Problems, suggestions: Suggestions) -> None:
        """
        @param gateways: All that are declared, selected or not.
        """
        self._declared = {(gateway.namespace, gateway.name) for gateway in gateways}
        self._problems = problems
        self._suggestions = suggestions

    def of_service(self, resource: Resource[VirtualService]) -> frozenset[GatewayKey]:
        """Return the Gateways that a VirtualService names; report those that are not declared."""
        spec = resource.spec
        if not spec.gateways and resource.left_out(("spec", "gateways")):
            return frozenset()  # which was told
        if not spec.gateways:
            message = "it names no gateways, so it applies to a mesh and to nothing here"
            resource.warning(self._problems, ("spec", "hosts"), message, code=codes.NO_GATEWAYS)
            return frozenset()
        return self._find(resource, ("spec", "gateways"), spec.gateways)

    def of_match(self, resource: Resource[VirtualService], path: Path, names: tuple[str, ...]) -> frozenset[GatewayKey]:
        """
        Return the Gateways that a match names; they should be among those of the VirtualService.

        A delegate by itself, without hosts, has none: those of its roots count.
        """
        found = self._find(resource, path, names)
        if not resource.spec.hosts:
            return found
        attached = {gateway_key(name, resource.namespace) for name in resource.spec.gateways}
        speaker = resource.at(path)[0]
        whose = "" if speaker.document is resource.document else f" of {resource.document.title}"
        for index, name in enumerate(names):
            key = gateway_key(name, speaker.namespace)
            if key in found and key not in attached:
                message = f"{show(name)} is not among spec.gateways{whose}: there this match never holds"
                resource.warning(self._problems, (*path, index), message, code=codes.MATCH_OF_ANOTHER_GATEWAY)
        return found

    def _find(self, resource: Resource[VirtualService], path: Path, names: tuple[str, ...]) -> frozenset[GatewayKey]:
        found = set()
        resource, path = resource.at(path)
        for index, name in enumerate(names):
            key = gateway_key(name, resource.namespace)
            if name == MESH:
                message = "mesh means the sidecars of a mesh: nothing at an edge"
                resource.document.problem(
                    self._problems, Severity.INFO, (*path, index), message, code=codes.NO_GATEWAYS
                )
            elif key in self._declared:
                found.add(key)
            else:
                own = [other for namespace, other in self._declared if namespace == resource.namespace]
                full = [f"{namespace}/{other}" for namespace, other in self._declared]
                hint = self._suggestions.like(name, [*own, *full])
                where = f'no document declares Gateway {show(key[1])} in namespace "{key[0]}"'
                resource.error(
                    self._problems, (*path, index), where + hint, Role.CONSEQUENCE, codes.REFERENCED_RESOURCE_NOT_FOUND
                )
        return frozenset(found)


class Attachments:
    """
    Attaches VirtualServices to servers by the hosts that both have.

    @ivar found: What is attached.
    """

    def __init__(self, servers: Iterable[Server], problems: Problems, notes: Notes | None = None) -> None:
        """
        @param servers: Those that are opened.
        @param notes: Where is noted what is attached to none of them.
        """
        self.found: list[AttachedRoutes] = []
        self._problems = problems
        self._notes = notes
        self._hosts: dict[GatewayKey, PatternIndex[tuple[Server, str | None]]] = {}
        self._first: dict[GatewayKey, Server] = {}
        for server in servers:
            key = server.gateway.namespace, server.gateway.name
            self._first.setdefault(key, server)
            index = self._hosts.setdefault(key, PatternIndex())
            for host, namespace in zip(server.hosts, server.namespaces, strict=True):
                index.add(host.pattern, (server, namespace))

    def attach(self, order: int, rules: Rules, gateways: frozenset[GatewayKey], at: RulesAt | None = None) -> None:
        """
        Attach a VirtualService to all servers of these Gateways with which it has hosts in common.

        A name that a wildcard and another name have in common is the narrower one.

        @param order: Its place among all VirtualServices.
        @param at: Where its routes depend on the listener: compiles those of a listener's port, by the files, given
            the ports of all listeners that it is attached to.
        """
        resource = rules.resource
        open_ones = sorted(key for key in gateways if key in self._hosts)
        scopes = resource.spec.export_to
        visible = [key for key in open_ones if exported(scopes, resource.namespace, key[0])]
        if self._notes is not None:
            self._note_unattached(self._notes, resource, gateways, visible)
        if not visible:
            if open_ones:
                message = "it is not exported to the namespace of any Gateway that it names"
                resource.warning(self._problems, ("spec", "exportTo"), message, code=codes.NOT_EXPORTED)
            return
        domains = self._common(resource, visible)
        ports = {server.value.number for server in domains}
        by_port = {port: at(port, ports) if at is not None else rules for port in ports}
        names = {gateway_key(name, resource.namespace) for name in resource.spec.gateways}
        parents = frozenset(f"Gateway {namespace}/{name}" for namespace, name in names)
        for server, common in domains.items():
            routes = routes_of(by_port[server.value.number], server)
            origin = resource.document.origin
            if self._notes is not None:
                note_routes(self._notes, by_port[server.value.number], server, tuple(common), routes[0])
            self.found.append(AttachedRoutes(origin, order, server.value, tuple(common), parents, *routes))

    def _common(
        self, resource: Resource[VirtualService], gateways: Iterable[GatewayKey]
    ) -> dict[Server, dict[str, None]]:
        """Return the servers of Gateways that serve hosts of a VirtualService, with what they have in common."""
        domains: dict[Server, dict[str, None]] = {}
        for index, pattern in host_patterns(resource).items():
            served = refused = False
            for key in gateways:
                for domain, (server, namespace) in self._hosts[key].intersecting(pattern):
                    if namespace not in (None, resource.namespace):
                        refused = True
                        continue
                    served = True
                    domains.setdefault(server, {})[domain] = None
            if not served:
                why = "serves this host" + (f' to namespace "{resource.namespace}"' if refused else "")
                message, code = f"no server of its gateways {why}", codes.HOST_WITHOUT_SERVER
                resource.warning(self._problems, ("spec", "hosts", index), message, Role.OUTCOME, code)
                if self._notes is not None:
                    place = resource.origin_of(("spec", "hosts", index))
                    names = ", ".join(map("/".join, gateways))
                    by = self._first[next(iter(gateways))].gateway.origin_of(("spec", "servers"))
                    said = f"no server of Gateway {names} {why}"
                    self._notes.leave_out(LeftOut(Cause.HOST, place, (pattern,), None, said, by=by))
        return domains

    def _note_unattached(
        self,
        notes: Notes,
        resource: Resource[VirtualService],
        gateways: frozenset[GatewayKey],
        visible: Collection[GatewayKey],
    ) -> None:
        """Note that a VirtualService is not attached to some of its Gateways, or to none as it names none."""
        hosts = tuple(host_patterns(resource).values())
        if not gateways:
            why = "it names no gateways, so it is for the sidecars of a mesh"
            place = resource.origin_of(("spec", "gateways" if resource.spec.gateways else "hosts"))
            notes.leave_out(LeftOut(Cause.MESH, place, hosts, None, why))
        for key in sorted(gateways.difference(visible)):
            name = "/".join(key)
            if key in self._hosts:
                why = f"exportTo keeps it from the namespace of Gateway {name}"
                place = resource.origin_of(("spec", "exportTo"))
                notes.leave_out(LeftOut(Cause.EXPORT, place, hosts, None, why))
            else:
                why = f"no server of Gateway {name}, which it names, is opened"
                place = resource.origin_of(("spec", "gateways"))
                notes.leave_out(LeftOut(Cause.SELECTOR, place, hosts, None, why))


def gateway_key(name: str, namespace: str) -> GatewayKey:
    """
    Return which Gateway a field names: C{NAME}, C{NAMESPACE/NAME} or C{./NAME}, or by what was written before there
    were namespaces in it: C{NAME.NAMESPACE.svc.cluster.local}, of which the first two count (Istio's
    C{resolveGatewayName}).

    @param namespace: Of the document that names it.
    """
    scope, slash, rest = name.partition("/")
    if not slash:
        own, dot, domain = name.partition(".")
        return (domain.partition(".")[0], own) if dot else (namespace, name)
    return (namespace if scope == "." else scope), rest
