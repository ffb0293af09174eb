"""From Istio's resources to the model, in one pass over each kind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import partial

from edgegate.config.problems import Problems
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.access_logs import AccessLogCompiler
from edgegate.istio.translate.attachment import Attachments, GatewayNames
from edgegate.istio.translate.certificates import CertificateIssuers
from edgegate.istio.translate.clusters import ClusterCompiler
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.credentials import CredentialCompiler
from edgegate.istio.translate.delegates import Delegates
from edgegate.istio.translate.destination_rules import DestinationRules
from edgegate.istio.translate.destinations import DestinationCompiler, NoDestinations
from edgegate.istio.translate.guards.added_clusters import with_added_clusters
from edgegate.istio.translate.guards.compilation import guards_of
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.translate.guards.targets import gateway_namespaces, targets_of
from edgegate.istio.translate.guards.workloads import workloads
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.mesh import mesh_of, proxy_settings, root_namespace
from edgegate.istio.translate.metrics import MetricsCompiler
from edgegate.istio.translate.reporting import Reporter
from edgegate.istio.translate.rules import MESH, RuleCompiler, Rules, in_mesh_alone
from edgegate.istio.translate.servers import Server, note_unserved, selected, servers_of
from edgegate.istio.translate.services import index_services
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.istio.translate.telemetries import telemetries_for
from edgegate.istio.translate.tracing import TracingCompiler
from edgegate.istio.translate.unreachable import warn_of_unreachable
from edgegate.istio.translate.upstream_tls import UpstreamTLSCompiler
from edgegate.model import servers as values
from edgegate.model.diagnostics import Diagnostic
from edgegate.model.tls import ServerTLS
from edgegate.model.translation import Attached


class IstioTranslation:
    """
    Istio's resources on their way to a Snapshot; a L{edgegate.model.translation.Translation}.

    Everything that is wrong between documents is reported; what is in error is left out.

    @ivar servers: Those of all Gateways that are served.
    """

    def __init__(self, resources: Resources, options: CompileOptions, problems: Problems) -> None:
        self._resources = resources
        self._options = options
        self._problems = problems
        self._suggestions = Suggestions()
        self._sources = KeySources(resources.secrets, options.read_file, self._suggestions)
        self._reporter = Reporter([*resources.gateways, *resources.virtual_services], problems)
        gateways = [gateway for gateway in resources.gateways if selected(gateway, options.selector)]
        if options.notes is not None:
            note_unserved(options.notes, resources.gateways, options.selector)
        ours = workloads(gateways, options.selector)
        namespaces = {gateway.namespace for gateway in gateways}
        self._mesh = mesh = mesh_of(resources.mesh_configs, problems)
        self._services = index_services(with_added_clusters(resources, problems))
        root = root_namespace(mesh)
        self._telemetries = telemetries_for(resources.telemetries, root, namespaces, ours, problems)
        self._access_logs = AccessLogCompiler(mesh, self._telemetries, self._services, problems).logs()
        self._metrics = MetricsCompiler(mesh, self._telemetries, problems).metrics()
        self._proxy = proxy_settings(mesh)
        declared = [server for gateway in gateways for server in servers_of(gateway, problems)]
        self._servers = {server.value: server for server in declared}
        self.servers: Collection[values.Server] = tuple(self._servers)

    def attach(self, served: Collection[values.Server]) -> Attached:
        """Return the routes, the key material and the backends of servers that are opened."""
        servers = [self._servers[value] for value in served]
        services = self._services
        destination_rules = DestinationRules(self._resources.destination_rules, self._problems)
        tls = UpstreamTLSCompiler(self._sources, self._options.inspect_upstream, self._problems)
        clusters = ClusterCompiler(destination_rules, tls)
        destinations = DestinationCompiler(services, clusters, self._problems, self._suggestions)
        attachments = Attachments(servers, self._problems, self._options.notes)
        standing = guards_of(self._policies(servers, clusters))
        self._attach_all(attachments, destinations, standing)
        destination_rules.warn_of_unused(services, self._suggestions)
        issuers = CertificateIssuers(
            self._resources.certificate_issuers, self._sources, self._options, self._problems, servers
        )
        ended = dict(self._ended(servers, issuers))
        issuers.warn()
        traces = TracingCompiler(self._mesh, self._telemetries, services, self._problems)
        return Attached(
            "VirtualService",
            tuple(attachments.found),
            ended,
            destinations.clusters,
            destinations.endpoints,
            self._access_logs,
            self._proxy,
            traces.tracing(),
            self._metrics,
            standing.servers,
            tuple(issuers.certificates),
            tuple(issuers.on_demand.values()),
        )

    def report(self, diagnostic: Diagnostic) -> None:
        """Report what is wrong between servers, or between what is attached to them."""
        if self._options.notes is not None:
            for left in diagnostic.left_out:
                self._options.notes.leave_out(left)
        self._reporter.report(diagnostic)

    def _policies(self, servers: Sequence[Server], clusters: ClusterCompiler) -> Policies:
        """Return what the compilers of policies work with."""
        resources, options, problems = self._resources, self._options, self._problems
        namespaces = gateway_namespaces(resources, root_namespace(self._mesh), options.gateway_namespace)
        targets = targets_of(resources, servers, options.selector, namespaces, problems)
        return Policies(resources, options, targets, self._mesh, self._services, clusters, self._suggestions, problems)

    def _attach_all(self, attachments: Attachments, destinations: DestinationCompiler, standing: Standing) -> None:
        """Attach all VirtualServices, each with its delegates."""
        problems, notes = self._problems, self._options.notes
        names = GatewayNames(self._resources.gateways, problems, self._suggestions)
        rule_compiler = RuleCompiler(destinations, names.of_match, problems, notes, standing)
        unreferring = RuleCompiler(NoDestinations(), names.of_match, problems)
        delegates = Delegates(self._resources.virtual_services, problems, self._suggestions, notes)
        known = {
            delegate.at(path)
            for delegate in delegates.declared
            for path in warn_of_unreachable(unreferring.rules(delegate), problems)
        }

        def rules_at(resource: Resource[VirtualService], listener: int, listeners: Iterable[int]) -> Rules:
            compiler = RuleCompiler(destinations.at(listener, listeners), names.of_match, problems, notes, standing)
            return compiler.rules(resource)

        for order, root in enumerate(delegates.roots):
            resource = delegates.merged(root)
            rules = (unreferring if in_mesh_alone(root.spec.gateways or (MESH,)) else rule_compiler).rules(resource)
            warn_of_unreachable(rules, problems, known)
            at = partial(rules_at, resource) if destinations.depends_on_listener(resource) else None
            attachments.attach(order, rules, names.of_service(resource), at)
        delegates.warn_of_unused()

    def _ended(
        self, servers: Iterable[Server], issuers: CertificateIssuers
    ) -> Iterable[tuple[values.Server, ServerTLS]]:
        """Yield how those servers end TLS that do."""
        credentials = CredentialCompiler(self._sources, self._options, self._problems, issuers)
        for server in servers:
            if not server.traffic.plain and server.traffic is not values.Traffic.PASSTHROUGH:
                tls = credentials.server_tls(server)
                if tls is not None:
                    yield server.value, tls
