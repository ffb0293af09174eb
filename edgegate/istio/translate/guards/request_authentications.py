"""
C{RequestAuthentication} to guards: of all policies that hold at a workload one, with all their rules in the order of
their issuers (C{pilot/pkg/security/authn/policy_applier.go}).
"""

from __future__ import annotations

from edgegate.access.jwt.key_set import public_text
from edgegate.istio.kinds.request_authentication import JWTRule, RequestAuthentication
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.translate.servers import Server
from edgegate.model import codes
from edgegate.model.guards import jwt as values

KIND = "RequestAuthentication"
DISCOVERY = "/.well-known/openid-configuration"
TIMEOUT = 5.0
"""Seconds for one try to fetch keys, where a rule does not say (C{pilot/pkg/model/jwks_resolver.go})."""

_NO_KEYS = values.InlineKeys('{"keys": []}')
_GATEWAYS = ("Gateway", "GatewayClass")


def place_request_authentications(policies: Policies, standing: Standing) -> None:
    """Have a guard of all rules stand on each server, for whose workloads there are any."""
    at: dict[Server, list[Resource[RequestAuthentication]]] = {}
    for policy in policies.resources.request_authentications:
        if KIND in policies.options.ignored_kinds:
            message = f"{policy.document.title}: no token is checked because of it, as --ignore-kind has it"
            policy.warning(policies.problems, (), message, code=codes.POLICY_NOT_ENFORCED)
            continue
        for server in _servers(policies, policy):
            at.setdefault(server, []).append(policy)
    together: dict[tuple[int, ...], tuple[list[Resource[RequestAuthentication]], list[Server]]] = {}
    for server, found in at.items():
        together.setdefault(tuple(map(id, found)), (found, []))[1].append(server)
    for found, servers in together.values():
        standing.on_servers(servers, token_guard(found))


def _servers(policies: Policies, policy: Resource[RequestAuthentication]) -> tuple[Server, ...]:
    """Return the servers that a policy is for; where there is none, tell why."""
    spec = policy.spec
    if not spec.jwt_rules:
        policies.guards_nothing(policy, "it has no jwtRules", warn=False)
        return ()
    references = (*spec.target_refs, *(() if spec.target_ref is None else (spec.target_ref,)))
    if references:
        what = " and ".join(f"{each.kind} {each.name}" for each in references)
        why = f"it is for {what}: this gateway is chosen by a selector"
        policies.guards_nothing(policy, why, any(each.kind in _GATEWAYS for each in references))
        return ()
    labels = {} if spec.selector is None else spec.selector.match_labels
    found = policies.targets.by_labels(policy, labels)
    if found.why_not:
        policies.guards_nothing(policy, found.why_not, _looks_meant(policy, labels))
    return found.servers


def _looks_meant(policy: Resource[RequestAuthentication], labels: dict[str, str]) -> bool:
    """Whether a policy looks as if it were meant for a gateway."""
    words = (policy.namespace, *labels.values())
    return any("ingress" in word or "gateway" in word for word in words)


def token_guard(policies: list[Resource[RequestAuthentication]]) -> values.TokenGuard:
    """Return one guard with the rules of several policies, the root namespace's first among those of one issuer."""
    rules = [_rule(policy, index, rule) for policy in policies for index, rule in enumerate(policy.spec.jwt_rules)]
    rules.sort(key=lambda rule: rule.issuer)
    names = dict.fromkeys(f"{policy.namespace}/{policy.name}" for policy in policies)
    return values.TokenGuard(", ".join(names), policies[0].document.origin, tuple(rules))


def _rule(policy: Resource[RequestAuthentication], index: int, rule: JWTRule) -> values.JWTRule:
    return values.JWTRule(
        f"{policy.namespace}/{policy.name}",
        policy.origin_of(("spec", "jwtRules", index)),
        rule.issuer or "",
        _keys(rule),
        rule.audiences,
        tuple(values.TokenHeader(_lower(each.name), (each.prefix or "").encode()) for each in rule.from_headers),
        rule.from_params,
        rule.from_cookies,
        bool(rule.forward_original_token),
        _lower(rule.output_payload_to_header or ""),
        tuple(
            values.ClaimHeader(_lower(each.header), tuple(each.claim.split(".")))
            for each in rule.output_claim_to_headers
        ),
        rule.space_delimited_claims,
    )


def _lower(name: str) -> bytes:
    return name.lower().encode()


def _keys(rule: JWTRule) -> values.InlineKeys | values.RemoteKeys:
    """Return where a rule's keys are; what can't be read was reported, and verifies nothing."""
    timeout = TIMEOUT if rule.timeout is None else float(rule.timeout)
    if rule.jwks:
        try:
            return values.InlineKeys(public_text(rule.jwks.encode()))
        except ValueError:
            return _NO_KEYS
    if rule.jwks_uri:
        return values.RemoteKeys(rule.jwks_uri, False, timeout)
    issuer = rule.issuer or ""
    return values.RemoteKeys(issuer.removesuffix("/") + DISCOVERY, True, timeout)
