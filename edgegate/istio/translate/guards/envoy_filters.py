"""
C{EnvoyFilter} to guards: the rate limits of Istio's task "Enabling Rate Limits using Envoy".

All else that would keep somebody out is an error; what would not is told to be passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.envoy.descriptors import descriptor_rules
from edgegate.istio.envoy.messages import Message, Teller, typed
from edgegate.istio.envoy.rate_limits import (
    LOCAL,
    PER_ROUTE,
    SERVICE,
    host_rules_included,
    local_limit,
    service_limit,
    service_of,
)
from edgegate.istio.kinds.envoy_filter import ApplyTo, ConfigPatch, EnvoyFilter, Operation
from edgegate.istio.kinds.virtual_service import Destination, PortSelector
from edgegate.istio.resources import Resource
from edgegate.istio.translate.destinations import DestinationCompiler
from edgegate.istio.translate.guards.added_clusters import added_names
from edgegate.istio.translate.guards.envoy_matches import (
    ROUTERS,
    STANDARD,
    asks_for_metadata,
    filter_of,
    for_gateways,
    host_key,
    may_be_there,
    route_key,
    servers_of,
)
from edgegate.istio.translate.guards.envoy_refusing import answering, refusing
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.translate.guards.targets import Targeted
from edgegate.istio.translate.mesh import root_namespace
from edgegate.istio.translate.servers import Server
from edgegate.model import codes
from edgegate.model.guards.envoy_rate_limits import (
    LocalLimit,
    LocalRateLimit,
    RateLimitService,
    Scopes,
    ServiceLimit,
    Settings,
)

_INSERTS: Final = frozenset({Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST, Operation.ADD})


@dataclass(slots=True)
class _Found:
    """
    What all EnvoyFilters together say of one server.

    @ivar filters: The limits, each with its document and whether it comes before who may enter is decided.
    """

    filters: list[tuple[Resource[EnvoyFilter], LocalLimit | ServiceLimit, bool]] = field(default_factory=list)
    hosts: list[tuple[str, Settings]] = field(default_factory=list)
    routes: list[tuple[str, str, Settings]] = field(default_factory=list)


def place_envoy_filters(policies: Policies, standing: Standing) -> None:
    """Have the limits of all EnvoyFilters stand where they belong."""
    found: dict[Server, _Found] = {}
    for resource in _in_order(policies):
        targeted = _targeted(policies, resource)
        if not targeted:
            policies.guards_nothing(resource, targeted.why_not, warn=True)
            continue
        for index, patch in enumerate(resource.spec.config_patches):
            if for_gateways(patch):
                _Patching(policies, resource, index, patch, targeted.servers, found).apply()
    for server, each in found.items():
        scopes = Scopes(tuple(each.hosts), tuple(each.routes))
        for resource, limit, first in each.filters:
            name, origin = f"{resource.namespace}/{resource.name}", resource.document.origin
            if isinstance(limit, LocalLimit):
                standing.on_servers([server], LocalRateLimit(name, origin, limit, scopes, first))
            else:
                standing.on_servers([server], RateLimitService(name, origin, limit, scopes))


def _in_order(policies: Policies) -> Iterator[Resource[EnvoyFilter]]:
    """Yield all by their priority, of one priority those of the root namespace first, then by age and name."""
    root = root_namespace(policies.mesh)

    def key(each: Resource[EnvoyFilter]) -> tuple[int, bool, bool, str, str]:
        made = each.document.creation_timestamp
        age = "" if made is None else made.isoformat()
        return each.spec.priority or 0, each.namespace != root, made is None, age, f"{each.name}.{each.namespace}"

    yield from sorted(policies.resources.envoy_filters, key=key)


def _targeted(policies: Policies, resource: Resource[EnvoyFilter]) -> Targeted:
    spec = resource.spec
    if spec.target_refs:
        return Targeted(why_not="targetRefs are for gateways of the Gateway API: this one is chosen by labels")
    return policies.targets.by_labels(resource, spec.workload_selector.labels if spec.workload_selector else {})


@dataclass(frozen=True, slots=True)
class _Patching:
    """One patch, on the servers of the workloads that its document chooses."""

    policies: Policies
    resource: Resource[EnvoyFilter]
    index: int
    patch: ConfigPatch
    servers: tuple[Server, ...]
    found: dict[Server, _Found]

    def apply(self) -> None:
        """Take note of what it says, or report why it can't be honoured."""
        apply_to = self.patch.apply_to
        if asks_for_metadata(self.patch):
            message = "passed over: this gateway has no metadata by which a patch could choose it"
            self._warn((*self._path, "match", "proxy", "metadata"), message)
            return
        if apply_to is ApplyTo.HTTP_FILTER:
            self._filter()
        elif apply_to in (ApplyTo.VIRTUAL_HOST, ApplyTo.HTTP_ROUTE):
            self._settings(apply_to is ApplyTo.HTTP_ROUTE)
        elif apply_to in (ApplyTo.NETWORK_FILTER, ApplyTo.LISTENER_FILTER):
            self._connection_filter()
        elif apply_to is not ApplyTo.CLUSTER or self._operation is not Operation.ADD:
            self._passed_over(f"{apply_to.value} is not patched here")

    @property
    def _path(self) -> Path:
        return ("spec", "configPatches", self.index)

    @property
    def _operation(self) -> Operation:
        patch = self.patch.patch
        return Operation.INVALID if patch is None or patch.operation is None else patch.operation

    def _message(self) -> Message:
        patch = self.patch.patch
        value = {} if patch is None or patch.value is None else patch.value
        return Message(value, (*self._path, "patch", "value"), Teller(self._error, self._warn))

    def _error(self, path: Path, message: str) -> None:
        self.resource.error(self.policies.problems, path, message, code=codes.ENVOY_FILTER)

    def _warn(self, path: Path, message: str) -> None:
        self.resource.warning(self.policies.problems, path, message, code=codes.ENVOY_FILTER)

    def _passed_over(self, why: str) -> None:
        if not self._refuses(None if self.patch.patch is None else self.patch.patch.value):
            self._warn((*self._path, "applyTo"), f"not honoured: {why}")

    def _refuses(self, value: object, name: str = "") -> bool:
        """Whether there is a filter that may refuse somebody, which is reported: it is not passed over."""
        if self._operation in (Operation.REMOVE, Operation.INVALID) or self.patch.apply_to is ApplyTo.CLUSTER:
            return False
        if self._answers(value):
            return True
        found = refusing(value, name)
        if found is not None:
            self._error((*self._path, "patch"), f"not honoured: {show(found[0])} may refuse requests; {found[1]}")
        return found is not None

    def _filter(self) -> None:
        message = self._message()
        listener = None if self.patch.match is None else self.patch.match.listener
        name, at = message.text("name"), filter_of(listener)
        config = message.typed("typed_config")
        type_ = config[0] if config is not None else ""
        if type_ not in (LOCAL, SERVICE):
            self._other_filter(name, type_, None if self.patch.patch is None else self.patch.patch.value)
            return
        if self._operation not in _INSERTS:
            self._error((*self._path, "patch", "operation"), f"not honoured: insert {name}, with all that it needs")
            return
        if at and at not in ROUTERS and at not in STANDARD:
            self._error(
                (*self._path, "match", "listener", "filterChain", "filter", "subFilter", "name"),
                f"there is no filter {show(at)} at which it could be inserted: Envoy would leave it out",
            )
            return
        assert config is not None
        servers = servers_of(listener, self.servers, self.policies.options.port_map)
        if not servers:
            self._nothing_there("match")
        limit = local_limit(config[1]) if type_ == LOCAL else self._service(config[1])
        message.end("an HTTP filter")
        if limit is not None:
            first = not at or self._operation is Operation.INSERT_FIRST
            for server in servers:
                self.found.setdefault(server, _Found()).filters.append((self.resource, limit, first))

    def _connection_filter(self) -> None:
        """Report a filter of connections."""
        name = self._message().text("name")
        self._other_filter(name, "", None if self.patch.patch is None else self.patch.patch.value)

    def _other_filter(self, name: str, type_: str, value: object) -> None:
        if not self._refuses(value, name):
            said = show(name or type_ or "a filter without a name")
            self._warn((*self._path, "patch"), f"not honoured: {said} is no filter here")

    def _nothing_there(self, name: str) -> None:
        path = (*self._path, name) if self.patch.match is not None else self._path
        self.resource.warning(
            self.policies.problems, path, "no HTTP server of this gateway is what it matches", code=codes.ENVOY_FILTER
        )

    def _service(self, message: Message) -> ServiceLimit | None:
        found = service_of(message)
        cluster = None if found is None else self._cluster(*found)
        return None if cluster is None else service_limit(message, cluster)

    def _cluster(self, message: Message, name: str) -> str | None:
        """Return the cluster of a service; L{None}: there is none, which is reported."""
        parts = name.split("|")
        if (
            len(parts) == 4
            and parts[0] == "outbound"
            and parts[1].isascii()
            and parts[1].isdigit()
            and len(parts[1]) < 6
        ):
            wanted = Destination(host=parts[3], subset=parts[2] or None, port=PortSelector(number=int(parts[1])))
        elif name in added_names(self.policies.resources):
            wanted = Destination(host=name)
        else:
            hint = "write outbound|PORT||HOST for a service of the files, or add the cluster by a patch of CLUSTER"
            message.error("cluster_name", f"no cluster {show(name)}: {hint}")
            return None
        policies = self.policies
        compiler = DestinationCompiler(policies.services, policies.clusters, policies.problems, policies.suggestions)
        return compiler.cluster(self.resource, message.at("cluster_name"), wanted)  # type: ignore[arg-type]

    def _answers(self, value: object) -> bool:
        """Whether there is a route that refuses requests by itself, which is reported."""
        field = answering(value)
        if field:
            other = "say directResponse in a VirtualService, or an AuthorizationPolicy"
            self._error((*self._path, "patch"), f"not honoured: {field} refuses requests; {other}")
        return bool(field)

    def _settings(self, of_route: bool) -> None:
        """Take what a virtual host or a route is given."""
        if self._operation not in (Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST):
            self._passed_over("virtual hosts and routes are only merged here")
            return
        match = None if self.patch.match is None else self.patch.match.route_configuration
        message = self._message()
        if self._answers(None if self.patch.patch is None else self.patch.patch.value):
            return
        settings = self._read_settings(message, of_route)
        host, route = host_key(match), route_key(match) if of_route else ""
        if host is None or route is None:
            self._nothing_there("match")
            return
        services = self.policies.resources.virtual_services
        if not may_be_there(host, route, self.servers, services, self.policies.options.port_map):
            self._nothing_there("match")
        for server in self.servers:
            found = self.found.setdefault(server, _Found())
            if of_route:
                found.routes.append((host, route, settings))
            else:
                found.hosts.append((host, settings))

    def _read_settings(self, message: Message, of_route: bool) -> Settings:
        rules, with_host = None, False
        if of_route:
            action = message.message("route")
            if action is not None:
                rules = descriptor_rules(action)
                with_host = action.flag("include_vh_rate_limits")
                action.end("a route's action")
        else:
            rules = descriptor_rules(message)
        local = None
        for name, config in message.by_name("typed_per_filter_config"):
            type_, inner = typed(config)
            if type_ == LOCAL:
                local = local_limit(inner, on_route=True)
            elif type_ == PER_ROUTE:
                own = descriptor_rules(inner)
                rules, with_host = rules if own is None else own, host_rules_included(inner) or with_host
            else:
                self._other_filter(name, type_, {"name": name, "@type": type_})
        message.end("a route" if of_route else "a virtual host")
        return Settings(rules, local, with_host)
