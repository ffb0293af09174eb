"""Clusters: services and their subsets, with what DestinationRules say of them."""

from __future__ import annotations

from dataclasses import replace

from edgegate.istio.kinds.destination_rule import Subset, TrafficPolicy
from edgegate.istio.translate.destination_rules import DestinationRules, Rule, Said
from edgegate.istio.translate.members import Members, Unusable
from edgegate.istio.translate.services import Declaration, Service
from edgegate.istio.translate.traffic_policies import (
    connect_timeout,
    effective,
    http_version,
    load_balancer,
    outlier_detection,
    pool_limits,
    proxy_header,
    retry_share,
)
from edgegate.istio.translate.upstream_tls import UpstreamTLSCompiler
from edgegate.istio.translate.workloads import has_labels
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, HTTPVersion
from edgegate.model.origin import Origin

LOCALHOST = "127.0.0.1"


class ClusterCompiler:
    """
    Makes each cluster once.

    @ivar clusters: By name.
    @ivar endpoints: Theirs.
    """

    def __init__(self, rules: DestinationRules, tls: UpstreamTLSCompiler) -> None:
        self.clusters: dict[str, Cluster] = {}
        self.endpoints: dict[str, tuple[Endpoint, ...]] = {}
        self._rules = rules
        self._tls = tls
        self._names: dict[tuple[str, Rule | None], str] = {}
        self._members: dict[tuple[Service, int], Members | Unusable] = {}

    def rule(self, service: Service, namespace: str) -> Rule | None:
        """Return the DestinationRule of a service, as seen from a namespace."""
        return self._rules.find(service, namespace)

    def of_service(
        self, service: Service, port: int, namespace: str, rule: Rule | None, subset: Said[Subset] | None
    ) -> Cluster:
        """
        Return the cluster of a service's port.

        @param rule: As seen from the namespace, of which C{subset} is one.

        @raise Unusable: The documents do not tell where the service is.
        """
        label = subset.value.name if subset is not None else None
        name, known = self._name(f"outbound|{port}|{label or ''}|{service.identity}", rule, namespace)
        if known:
            return self.clusters[name]
        declarations = [each for each in service.declarations if each.ports is None or port in each.ports]
        members = self._members_of(service, declarations, port)
        endpoints = members.endpoints
        if subset is not None:
            labels = subset.value.labels
            endpoints = tuple(each for each in endpoints if has_labels(dict(each.labels), labels))
        names = tuple(dict.fromkeys(name for each in declarations for name in each.subject_alt_names))
        http2 = any(each.by_http2(port) for each in declarations)
        http = HTTPVersion.HTTP2 if http2 else HTTPVersion.HTTP1
        grpc_web = any(each.by_grpc_web(port) for each in declarations)
        cluster = Cluster(name, members.discovery, declarations[0].origin, http=http, grpc_web=grpc_web)
        return self._add(cluster, endpoints, rule, subset, port, names)

    def of_address(self, host: str, port: int, namespace: str, origin: Origin) -> Cluster:
        """Return the cluster of an address that stands for itself."""
        rule = self.rule(Service(host, namespace, host, []), namespace)
        name, known = self._name(f"outbound|{port}||{host}", rule, namespace)
        if known:
            return self.clusters[name]
        address = TCPAddress(LOCALHOST if host == "localhost" else host, port)
        return self._add(Cluster(name, Discovery.STATIC, origin), (Endpoint(address),), rule, None, port, ())

    def _name(self, name: str, rule: Rule | None, namespace: str) -> tuple[str, bool]:
        """
        Return what a cluster is called, and whether it is there.

        Where a document of another namespace sees another rule, its namespace makes the difference.
        """
        known = self._names.get((name, rule))
        if known is None:
            known = name if name not in self.clusters else f"{name}@{namespace}"
        return known, known in self.clusters

    def _members_of(self, service: Service, declarations: list[Declaration], port: int) -> Members:
        key = service, port
        found = self._members.get(key)
        if found is None:
            try:
                found = join_members(declarations, port)
            except Unusable as error:
                found = error
            self._members[key] = found
        if isinstance(found, Unusable):
            raise found
        return found

    def _add(
        self,
        cluster: Cluster,
        endpoints: tuple[Endpoint, ...],
        rule: Rule | None,
        subset: Said[Subset] | None,
        port: int,
        names: tuple[str, ...],
    ) -> Cluster:
        plain = cluster.name.partition("@")[0]
        self._names[plain, rule] = cluster.name
        if rule is not None:
            cluster = self._ruled(cluster, rule, subset, port, names)
            if cluster.tls is not None:
                endpoints = tuple(map(_probed_by_tls, endpoints))
        self.clusters[cluster.name] = cluster
        self.endpoints[cluster.name] = endpoints
        return cluster

    def _ruled(
        self, cluster: Cluster, rule: Rule, subset: Said[Subset] | None, port: int, names: tuple[str, ...]
    ) -> Cluster:
        """Return a cluster with all that a rule says of it."""
        policy = effective(rule.policy, _policy_of(subset), port)
        pool, balancer, outliers = policy.connection_pool, policy.load_balancer, policy.outlier_detection
        budget, proxy = policy.retry_budget, policy.proxy_protocol
        if balancer is not None:
            cluster = replace(cluster, balancer=load_balancer(balancer.value))
        if pool is not None:
            limits = pool_limits(pool.value)
            http = http_version(pool.value, cluster.http)
            cluster = replace(cluster, limits=limits, connect_timeout=connect_timeout(pool.value), http=http)
        return replace(
            cluster,
            outliers=None if outliers is None else outlier_detection(outliers.value),
            retry_share=None if budget is None else retry_share(budget.value),
            tls=None if policy.tls is None else self._tls.tls(policy.tls, names),
            proxy_header=None if proxy is None else proxy_header(proxy.value),
            rule=rule.origin,
        )


def join_members(declarations: list[Declaration], port: int) -> Members:
    """
    Join the endpoints of all documents that declare a service.

    @raise Unusable: One of them does not tell.
    """
    endpoints: list[Endpoint] = []
    discoveries = set()
    for declaration in declarations:
        try:
            members = declaration.members(port)
        except Unusable as error:
            raise Unusable(f"{declaration.origin.resource} at {declaration.origin}: {error}") from None
        if members.discovery is Discovery.DYNAMIC:
            return members  # all names of the pattern: what others declare of it adds none
        endpoints.extend(members.endpoints)
        discoveries.add(members.discovery)
    ways = (Discovery.DNS, Discovery.LOGICAL_DNS)
    discovery = next((way for way in ways if way in discoveries), Discovery.STATIC)
    if discovery is Discovery.LOGICAL_DNS and len(endpoints) > 1:
        discovery = Discovery.DNS
    return Members(discovery, tuple(endpoints))


def _probed_by_tls(endpoint: Endpoint) -> Endpoint:
    """
    Return an endpoint that speaks TLS: then so does gRPC's probe, which can't say so itself, where it asks for the
    health at the port that requests go to.
    """
    probe, address = endpoint.probe, endpoint.address
    if probe is None or probe.grpc_service is None:
        return endpoint
    if isinstance(address, TCPAddress) and (probe.port != address.port or probe.host):
        return endpoint
    return replace(endpoint, probe=replace(probe, tls=True))


def _policy_of(subset: Said[Subset] | None) -> Said[TrafficPolicy] | None:
    if subset is None or subset.value.traffic_policy is None:
        return None
    return Said(subset.value.traffic_policy, subset.resource, (*subset.path, "trafficPolicy"))
