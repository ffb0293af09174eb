"""Routes that ask for claims of tokens where nobody verifies any."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
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
