"""Passwords, keys and sessions that are asked for in the clear, or twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.gateway import Gateway, Server, TLSMode
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.translate.servers import HTTP_PROTOCOLS
from edgegate.model import codes

Target = tuple[str, str, str]
"""Kind, name and section of what a policy is for; empty: all of it."""


def in_the_clear(context: Context) -> Iterator[Finding]:
    """
    Yield policies that ask for passwords, keys or sessions on a port in the clear, of Gateways that have one of TLS as
    well: where there is none, a proxy in front may end TLS.
    """
    resources = context.resources
    asking: list[Resource[Any]] = [*resources.basic_auth_policies, *resources.api_key_policies]
    for policy in (*asking, *resources.oidc_policies):
        for gateway, section in _gateways(context, policy):
            plain = next((each for each in gateway.spec.servers if _is_plain(each) and _named(each, section)), None)
            if plain is None or not any(map(_ends_tls, gateway.spec.servers)):
                continue
            at = gateway.spec.servers.index(plain)
            origin = gateway.document.origin_of(("spec", "servers", at))
            message = f"it asks on port {plain.port.number} in the clear ({origin.resource} at {origin})"
            message += ": give that server tls.httpsRedirect: true"
            yield Finding(policy, ("spec",), codes.SECRETS_IN_PLAIN_TEXT, message)
            break


def twice(context: Context) -> Iterator[Finding]:
    """Yield policies that ask for what another one of the same target asks for: nobody could answer both."""
    resources = context.resources
    for policies, what in (
        (resources.basic_auth_policies, "for a password in the same header"),
        (resources.oidc_policies, "by the same callbackPath"),
    ):
        known: list[Resource[Any]] = []
        for policy in policies:
            other = next((each for each in known if _both_ask(each, policy)), None)
            known.append(policy)
            if other is not None:
                title, origin = other.document.title, other.document.origin
                message = f"{title} at {origin} asks {what} of the same requests: nobody could answer both"
                yield Finding(policy, ("spec",), codes.POLICIES_EXCLUDE_EACH_OTHER, message)


def _both_ask(one: Resource[Any], other: Resource[Any]) -> bool:
    paths = (getattr(each.spec, "callback_path", None) for each in (one, other))
    same_path = len(set(paths)) == 1
    return one.namespace == other.namespace and same_path and _overlap(_targets(one.spec), _targets(other.spec))


def _overlap(some: set[Target], others: set[Target]) -> bool:
    return any(
        one[:2] == other[:2] and (not one[2] or not other[2] or one[2] == other[2]) for one in some for other in others
    )


def _targets(spec: TargetedPolicy) -> set[Target]:
    if not spec.target_refs:
        labels = () if spec.selector is None else sorted(spec.selector.match_labels.items())
        return {("", str(labels), "")}
    return {(each.kind, each.name, each.section_name or "") for each in spec.target_refs}


def _gateways(context: Context, policy: Resource[Any]) -> Iterator[tuple[Resource[Gateway], str]]:
    """Yield the Gateways that a policy is for, each with the name of a server or a port that is meant, if any is."""
    spec: TargetedPolicy = policy.spec
    if not spec.target_refs:
        for gateway in context.resources.gateways:
            yield gateway, ""
    for reference in spec.target_refs:
        if reference.kind == "Gateway":
            found = context.gateways.get((policy.namespace, reference.name))
            if found is not None:
                yield found, reference.section_name or ""
            continue
        for service in context.resources.virtual_services:
            if (service.namespace, service.name) == (policy.namespace, reference.name):
                for _, key in context.gateways_of(service, service.spec):
                    if key in context.gateways:
                        yield context.gateways[key], ""


def _named(server: Server, section: str) -> bool:
    return not section or section in (server.name, server.port.name)


def _is_plain(server: Server) -> bool:
    redirects = server.tls is not None and server.tls.https_redirect is True
    return server.port.protocol.upper() in HTTP_PROTOCOLS and not redirects


def _ends_tls(server: Server) -> bool:
    return (
        server.port.protocol.upper() == "HTTPS"
        and server.tls is not None
        and server.tls.mode is not TLSMode.PASSTHROUGH
    )
