"""
Istio's analyzers, as far as they concern a gateway, and others like them: for C{edgegate check} alone.

Each looks at resources as they are declared, also at those that are not served, and yields findings. What is proved of
the Snapshot is found elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from edgegate.config.problems import Problems, Severity
from edgegate.istio.analysis import (
    attachment,
    destination_rules,
    destinations,
    gateways,
    identities,
    logins,
    matches,
    plain_text,
    routes,
    service_annotations,
    services,
    tokens,
)
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding, Teller
from edgegate.istio.resources import Resources
from edgegate.istio.translate import CompileOptions
from edgegate.istio.translate.servers import selected


def analyze(resources: Resources, options: CompileOptions, problems: Problems, portable: bool = False) -> None:
    """
    Tell all that the analyzers find and the compiler has not told already.

    @param problems: What the compiler has told; what it said otherwise of the same is replaced.
    @param portable: Also what concerns a mesh alone.
    """
    teller, context = Teller(problems), Context(resources, options)
    for finding in findings(context):
        teller.tell(finding)
    if portable:
        for finding in services.addresses(context):
            teller.tell(finding)


def findings(context: Context) -> Iterator[Finding]:
    """Yield all that the analyzers find of what concerns a gateway."""
    yield from _of_gateways(context)
    yield from _of_virtual_services(context)
    yield from gateways.unused(context)
    for rule in context.resources.destination_rules:
        yield from destination_rules.hosts(context, rule, rule.spec)
        yield from destination_rules.verification(context, rule, rule.spec)
    yield from tokens.not_required(context)
    yield from service_annotations.unknown_or_misplaced(context)
    yield from services.port_names(context)
    yield from services.protocols(context)
    yield from logins.in_the_clear(context)
    yield from logins.twice(context)
    yield from logins.elsewhere(context)
    yield from identities.too_late(context)
    yield from identities.never(context)


def _of_gateways(context: Context) -> Iterator[Finding]:
    """What is found of Gateways that are not served is worth a note."""
    selector = context.options.selector
    others = {each for each in context.resources.gateways if not selected(each, selector)}
    for finding in chain(
        gateways.same_certificates(context), gateways.same_hosts(context), gateways.credentials(context)
    ):
        yield replace(finding, severity=Severity.INFO) if finding.resource in others else finding


def _of_virtual_services(context: Context) -> Iterator[Finding]:
    """Look at one VirtualService after the other, as there may be thousands that are packed."""
    resources = context.resources.virtual_services
    shared, in_mesh_only = attachment.SharedHosts(), destinations.InMeshOnly()
    for resource in resources:
        in_mesh_only.add(resource, resource.spec)
    for resource in resources:
        spec = resource.spec
        yield from attachment.gateways(context, resource, spec)
        yield from shared.of(context, resource, spec)
        yield from destinations.services(context, resource, spec)
        yield from in_mesh_only.of(resource, spec)
        yield from matches.rules(resource, spec)
        yield from routes.http_routes(resource, spec)
        yield from tokens.claims(context, resource, spec)
        yield from plain_text.to_backends(context, resource, spec)
        yield from plain_text.from_clients(context, resource, spec)
