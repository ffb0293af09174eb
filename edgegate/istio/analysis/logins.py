"""Passwords, keys and sessions that are asked for in the clear, or twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.api_key_policy import APIKeyPolicy, KeyExtraction
from edgegate.istio.kinds.gateway import Gateway, Server, TLSMode
from edgegate.istio.kinds.oidc_policy import CALLBACK, OIDCPolicy
from edgegate.istio.kinds.policy_target import PolicyTargetReference, TargetedPolicy
from edgegate.istio.kinds.virtual_service import HTTPRoute
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
        (resources.api_key_policies, "for a key in the same place, and takes it out,"),
    ):
        for policy, other in _meeting(policies, _both_ask):
            message = f"{_placed(other)} asks {what} of the same requests: nobody could answer both"
            yield Finding(policy, ("spec",), codes.POLICIES_EXCLUDE_EACH_OTHER, message)
    # users lose their session with each login of another policy on the same host
    for policy, other in _meeting(resources.oidc_policies, _share_cookie):
        message = f"{_placed(other)} keeps its sessions in cookies of this name: each login ends the other's"
        yield Finding(policy, ("spec", "cookieName"), codes.POLICIES_EXCLUDE_EACH_OTHER, message)


def _meeting(
    policies: Iterable[Resource[Any]], meet: Callable[[Resource[Any], Resource[Any]], bool]
) -> Iterator[tuple[Resource[Any], Resource[Any]]]:
    """
    Yield policies that meet one before them, with that.

    Only those of a namespace that have a target in common are compared: of thousands not each is with each.
    """
    earlier: dict[tuple[str, str, str], list[Resource[Any]]] = {}
    for policy in policies:
        # a browser has one cookie of a name for all routes of a host
        places = sorted({(policy.namespace, kind, name) for kind, name, _ in _targets(policy.spec)})
        known = (each for place in places for each in earlier.get(place, ()))
        other = next((each for each in known if meet(each, policy)), None)
        for place in places:
            earlier.setdefault(place, []).append(policy)
        if other is not None:
            yield policy, other


def _placed(policy: Resource[Any]) -> str:
    return f"{policy.document.title} at {policy.document.origin}"


def _share_cookie(one: Resource[OIDCPolicy], other: Resource[OIDCPolicy]) -> bool:
    return bool(one.spec.cookie_name) and one.spec.cookie_name == other.spec.cookie_name


def elsewhere(context: Context) -> Iterator[Finding]:
    """Yield OIDCPolicies for routes that take none of the paths by which users come back from the provider."""
    for policy in context.resources.oidc_policies:
        path = policy.spec.callback_path or CALLBACK
        references = policy.spec.target_refs
        routes = [each for reference in references for each in _routes(context, policy.namespace, reference)]
        if not routes or any(each.kind != "VirtualService" for each in references):
            continue
        if not any(_takes(route, path) for route in routes):
            message = f"none of the routes that it is for takes {path}, by which users come back from the provider"
            message += ": nobody could log in"
            place = ("spec", "callbackPath") if policy.spec.callback_path else ("spec",)
            yield Finding(policy, place, codes.CALLBACK_ELSEWHERE, message)


def _routes(context: Context, namespace: str, reference: PolicyTargetReference) -> Iterator[HTTPRoute]:
    service = context.virtual_services.get((namespace, reference.name))
    for route in service.spec.http if service is not None else ():
        if not reference.section_name or route.name == reference.section_name:
            yield route


def _takes(route: HTTPRoute, path: str) -> bool:
    """Whether a route may take a path; of what is no plain text it is taken to."""
    if not route.match or route.delegate is not None:
        return True
    for match in route.match:
        uri = match.uri
        if uri is None or uri.regex is not None or match.ignore_uri_case:
            return True
        if uri.exact == path or (uri.prefix is not None and path.startswith(uri.prefix)):
            return True
    return False


def _both_ask(one: Resource[Any], other: Resource[Any]) -> bool:
    paths = (getattr(each.spec, "callback_path", None) or CALLBACK for each in (one, other))
    same_path = len(set(paths)) == 1 and _same_place(one.spec, other.spec)
    return same_path and _overlap(_targets(one.spec), _targets(other.spec))


def _same_place(one: TargetedPolicy, other: TargetedPolicy) -> bool:
    """Whether two policies look for a key in one place alone, where the first of them leaves none; others always do."""
    if not (isinstance(one, APIKeyPolicy) and isinstance(other, APIKeyPolicy)):
        return True
    places = {(each.header or "").lower() for policy in (one, other) for each in policy.extract_from or _HEADER}
    return len(places) == 1 and "" not in places and not one.forward and not other.forward


_HEADER = (KeyExtraction(header="x-api-key"),)


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
        service = context.virtual_services.get((policy.namespace, reference.name))
        for _, key in context.gateways_of(service, service.spec) if service is not None else ():
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
