"""Policies and routes that ask who a client is before another policy, which is for routes alone, finds that out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.analysis.tokens import asks_for_tokens
from edgegate.istio.kinds.policy_target import TargetedPolicy
from edgegate.istio.kinds.rate_limit_policy import LimitKey
from edgegate.istio.kinds.virtual_service import is_claim
from edgegate.istio.resources import Resource, Resources
from edgegate.model import codes


def too_late(context: Context) -> Iterator[Finding]:
    """
    Yield what asks who a client is while nobody is known, as all that finds it out is for routes.

    Where anything finds it out before, nothing is yielded: what is asked of whom is not looked at.
    """
    resources = context.resources
    verified = any(policy.spec.jwt_rules for policy in resources.request_authentications)
    login = None if verified else _late(resources.oidc_policies)
    if login is not None:
        yield from _of_claims(context, login)
    others: list[Resource[Any]] = [*resources.basic_auth_policies, *resources.api_key_policies]
    finder = None if verified else _late([*resources.oidc_policies, *others])
    for policy, path, key in _asking(resources):
        late = finder if key.identity is not None else login
        if late is not None and not _of_routes(policy.spec):
            yield _finding(policy, path, late)


def never(context: Context) -> Iterator[Finding]:
    """Yield limits that ask who a client is where no policy finds it out."""
    resources = context.resources
    claims = any(policy.spec.jwt_rules for policy in resources.request_authentications) or resources.oidc_policies
    names = claims or resources.basic_auth_policies or resources.api_key_policies
    for policy, path, key in _asking(resources):
        if not (claims if key.identity is None else names):
            kinds = "RequestAuthentication or OIDCPolicy"
            if key.identity is not None:
                kinds = "RequestAuthentication, OIDCPolicy, BasicAuthPolicy or APIKeyPolicy"
            message = f"nobody is ever known here: no {kinds} finds out who a client is"
            yield Finding(policy, path, codes.KNOWN_TOO_LATE, message)


def _asking(resources: Resources) -> Iterator[tuple[Resource[Any], tuple[str | int, ...], LimitKey]]:
    """Yield what limits tell requests apart by, with its place, where that is who a client is."""
    policies: list[Resource[Any]] = [*resources.rate_limit_policies, *resources.concurrency_policies]
    for policy in policies:
        for index, limit in enumerate(policy.spec.limits):
            for number, key in enumerate(limit.by):
                if key.identity is not None or key.claim is not None:
                    yield policy, ("spec", "limits", index, "by", number), key


def _of_claims(context: Context, login: Resource[Any]) -> Iterator[Finding]:
    for policy in context.resources.authorization_policies:
        if asks_for_tokens(policy.spec):
            yield _finding(policy, ("spec",), login)
    for service in context.resources.virtual_services:
        for index, route in enumerate(service.spec.http):
            for number, match in enumerate(route.match):
                if any(map(is_claim, (*match.headers, *match.without_headers))):
                    yield _finding(service, ("spec", "http", index, "match", number), login)


def _late(policies: Iterable[Resource[Any]]) -> Resource[Any] | None:
    """Return the first of some policies, if there are any, and all of them are for routes."""
    found = list(policies)
    return found[0] if found and all(_of_routes(each.spec) for each in found) else None


def _of_routes(spec: TargetedPolicy) -> bool:
    return bool(spec.target_refs) and all(each.kind == "VirtualService" for each in spec.target_refs)


def _finding(resource: Resource[Any], path: tuple[str | int, ...], late: Resource[Any]) -> Finding:
    document = late.document
    message = (
        f"nobody is known yet where this is asked: {document.title} at {document.origin} is for routes, and finds out "
        "who a client is once one is chosen; have it be for the Gateway"
    )
    return Finding(resource, path, codes.KNOWN_TOO_LATE, message)
