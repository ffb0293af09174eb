"""From resources to the Snapshot, in one pass over each kind."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from edgegate.config.problems import Problems, Severity
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.access import check_access, workloads
from edgegate.istio.translate.attachment import Attachments, GatewayNames
from edgegate.istio.translate.clusters import ClusterCompiler
from edgegate.istio.translate.credentials import CredentialCompiler
from edgegate.istio.translate.delegates import Delegates
from edgegate.istio.translate.destination_rules import DestinationRules
from edgegate.istio.translate.destinations import DestinationCompiler, NoDestinations
from edgegate.istio.translate.http_tables import warn_of_unreachable
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.listeners import ListenerCompiler
from edgegate.istio.translate.options import CompileOptions
from edgegate.istio.translate.ports import ports_of
from edgegate.istio.translate.redirects import RedirectPorts
from edgegate.istio.translate.rules import MESH, RuleCompiler, Rules, in_mesh_alone
from edgegate.istio.translate.servers import selected, servers_of
from edgegate.istio.translate.services import index_services
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.istio.translate.upstream_tls import UpstreamTLSCompiler
from edgegate.routing.snapshot import Snapshot


def compile_resources(resources: Resources, options: CompileOptions, problems: Problems) -> Snapshot:
    """
    Compile all that the files say.

    Everything that is wrong between documents is reported; what is in error is
    left out of the result, which is to be served only where there are no
    errors at all.

    @param problems: May hold what is wrong with each document alone, which is not reported again.
    """
    found = Problems()
    snapshot = _compile(resources, options, found)
    _merge(problems, found)
    problems.leave_out_consequences()
    return snapshot


def _compile(resources: Resources, options: CompileOptions, problems: Problems) -> Snapshot:
    suggestions = Suggestions()
    gateways = [gateway for gateway in resources.gateways if selected(gateway, options.selector)]
    ours = workloads(gateways, options.selector)
    check_access(resources.access_policies, ours, options.ignored_kinds, problems)
    servers = [server for gateway in gateways for server in servers_of(gateway, problems)]
    ports = ports_of(servers, options.port_map, problems)
    services = index_services(resources)
    destination_rules = DestinationRules(resources.destination_rules, problems)
    sources = KeySources(resources.secrets, options.read_file, suggestions)
    tls = UpstreamTLSCompiler(sources, options.inspect_upstream, problems)
    destinations = DestinationCompiler(services, ClusterCompiler(destination_rules, tls), problems, suggestions)
    names = GatewayNames(resources.gateways, problems, suggestions)
    rule_compiler = RuleCompiler(destinations, names.of_match, problems)
    unreferring = RuleCompiler(NoDestinations(), names.of_match, problems)
    served = [server for port in ports for server in port.servers]
    attachments = Attachments(served, problems)
    delegates = Delegates(resources.virtual_services, problems, suggestions)
    known = {
        delegate.at(path)
        for delegate in delegates.declared
        for path in warn_of_unreachable(unreferring.rules(delegate), problems)
    }

    def rules_at(resource: Resource[VirtualService], listener: int, listeners: Iterable[int]) -> Rules:
        return RuleCompiler(destinations.at(listener, listeners), names.of_match, problems).rules(resource)

    for order, root in enumerate(delegates.roots):
        resource = delegates.merged(root)
        rules = (unreferring if in_mesh_alone(root.spec.gateways or (MESH,)) else rule_compiler).rules(resource)
        warn_of_unreachable(rules, problems, known)
        at = partial(rules_at, resource) if destinations.depends_on_listener(resource) else None
        attachments.attach(order, rules, names.of_service(resource), at)
    delegates.warn_of_unused()
    destination_rules.warn_of_unused(services, suggestions)
    credentials = CredentialCompiler(sources, options, problems)
    listeners = ListenerCompiler(attachments, credentials, RedirectPorts(served), problems)
    return Snapshot(tuple(listeners.listener(port) for port in ports if port.servers), destinations.clusters)


def _merge(problems: Problems, found: Problems) -> None:
    """Add what was found, but for errors at a place where one was known before: the first says why."""
    known = {
        (problem.file, problem.line, problem.column, problem.path)
        for problem in problems
        if problem.severity is Severity.ERROR
    }
    for problem in found:
        place = problem.file, problem.line, problem.column, problem.path
        if problem.severity is not Severity.ERROR or place not in known:
            problems.add(problem)
