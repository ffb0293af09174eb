"""Tokens that nobody requires, and routes that ask for claims where nobody verifies any."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.authorization_policy import AuthorizationPolicy
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.virtual_service import VirtualService, is_claim
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.workloads import may_have, with_chart
from edgegate.model import codes


def claims(context: Context, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """Yield conditions on claims at a gateway that no RequestAuthentication is for (C{jwtclaimroute.go})."""
    asked = [
        (("spec", "http", index, "match", number, field, name), field)
        for index, route in enumerate(spec.http)
        for number, match in enumerate(route.match)
        for field, names in (("headers", match.headers), ("withoutHeaders", match.without_headers))
        for name in names
        if is_claim(name)
    ]
    if not asked:
        return
    gateways = [context.gateways.get(key) for _, key in context.gateways_of(resource, spec)]
    unverified = [each for each in gateways if each is not None and not _verified(context, each)]
    for path, field in asked if unverified else ():
        gateway = unverified[0]
        holds = "this match never holds" if field == "headers" else "this condition always holds"
        message = f"no RequestAuthentication is for {gateway.document.title}, so that no request has claims: {holds}"
        yield Finding(resource, path, codes.JWT_CLAIM_WITHOUT_AUTHENTICATION, message)


def not_required(context: Context) -> Iterator[Finding]:
    """
    Yield the RequestAuthentications where nothing asks who somebody is: with a token or without, everybody passes.

    What is asked of whom is not looked at: one policy or route that asks for a principal or a claim is enough.
    """
    resources = context.resources
    if any(map(asks_for_tokens, (policy.spec for policy in resources.authorization_policies))):
        return
    if any(is_claim(name) for each in resources.virtual_services for name in _names(each.spec)):
        return
    for policy in resources.request_authentications:
        if policy.spec.jwt_rules:
            message = (
                "a request without a token passes, and nothing asks for one: deny whoever has no "
                "requestPrincipals by an AuthorizationPolicy"
            )
            yield Finding(policy, ("spec", "jwtRules"), codes.TOKENS_NOT_REQUIRED, message)


def asks_for_tokens(policy: AuthorizationPolicy) -> bool:
    """Whether a policy asks for what tokens say."""
    for rule in policy.rules:
        sources = [each.source for each in rule.from_ if each.source is not None]
        if any(source.request_principals or source.not_request_principals for source in sources):
            return True
        if any(condition.key.startswith(_OF_TOKENS) for condition in rule.when):
            return True
    return False


_OF_TOKENS = ("request.auth.", "experimental.envoy.filters.http.jwt_authn[")


def _names(spec: VirtualService) -> Iterator[str]:
    """Yield the names of headers, and of claims, that routes ask for."""
    for route in spec.http:
        for match in route.match:
            yield from match.headers
            yield from match.without_headers


def _verified(context: Context, gateway: Resource[Gateway]) -> bool:
    """Whether tokens are verified at a Gateway's workloads; where their namespace is wrong the compiler says so."""
    if context.resources.oidc_policies:
        return True  # a login has claims, too
    labels = with_chart(gateway.spec.selector)
    for policy in context.resources.request_authentications:
        spec = policy.spec
        wanted = {} if spec.selector is None else spec.selector.match_labels
        targeted = spec.target_ref is not None or spec.target_refs
        if spec.jwt_rules and not targeted and (not gateway.spec.selector or may_have(labels, wanted, complete=False)):
            return True
    return False
