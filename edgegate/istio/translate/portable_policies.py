"""Where access policies would be taken otherwise in a cluster; see L{portable}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.authorization_policy import Action, AuthorizationPolicy
from edgegate.istio.resources import Resource

Found = Iterator[tuple[Resource[Any], Path, str]]
"""Places in documents, each with what a cluster would do."""


def policy_differences(policies: Iterable[Resource[AuthorizationPolicy]]) -> Found:
    """
    Yield the policies that may have another provider asked at a workload than those before: a cluster asks one there
    (Istio's C{authz/builder/extauthz.go}).
    """
    asking = [each for each in policies if each.spec.action is Action.CUSTOM and each.spec.provider is not None]
    for index, policy in enumerate(asking):
        provider = policy.spec.provider
        before = [each for each in asking[:index] if _may_meet(policy, each)]
        other = next((each for each in before if each.spec.provider != provider), None)
        if other is None or provider is None:
            continue
        assert other.spec.provider is not None
        yield (
            policy,
            ("spec", "provider", "name"),
            f"all is denied that policies of {show(provider.name)} and {show(other.spec.provider.name)}"
            f" ({other.document.origin}) match, unless istiod has PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS",
        )


def _may_meet(one: Resource[AuthorizationPolicy], other: Resource[AuthorizationPolicy]) -> bool:
    """Whether a workload may have the labels that both choose by."""
    labels = [{} if each.spec.selector is None else each.spec.selector.match_labels for each in (one, other)]
    return all(labels[1].get(key, value) == value for key, value in labels[0].items())
