"""
The rules of an C{AuthorizationPolicy} to the model's (Istio's C{authz/model} and C{authz/builder}).

All policies of one action that choose the same workload are one guard: there is no order among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from edgegate.config.document import Path
from edgegate.istio.kinds import authorization_policy as kinds
from edgegate.istio.kinds.authorization_policy import AuthorizationPolicy
from edgegate.istio.kinds.mesh_config import MeshConfig
from edgegate.istio.resources import Resource
from edgegate.istio.validation.authorization_policy import DRY_RUN, TRUE, given
from edgegate.istio.when_keys import BadKey, parse_key
from edgegate.model.guards.authorization import Action, Attribute, Authorization, Condition, Conditions, Rule, Rules

Policy = Resource[AuthorizationPolicy]

_LOCAL: Final = "cluster.local"
"""The trust domain that stands for the mesh's own, whatever that is called."""

_SHOWN: Final = 3
"""Policies that the name of a guard has; of more their number."""


@dataclass(frozen=True, slots=True)
class RulesCompiler:
    """
    Makes rules of policies.

    @ivar mesh: L{None}: there is no MeshConfig.
    @ivar pod_ports: The ports of pods by which a cluster's policies name those of this gateway: C{8080} for C{80}.
    """

    mesh: MeshConfig | None = None
    pod_ports: Mapping[str, str] = field(default_factory=dict)

    def guard(self, action: Action, chosen: Sequence[Policy]) -> Authorization:
        """Return the one guard of policies."""
        enforced = [each for each in chosen if not is_tried(each)]
        tried = [each for each in chosen if is_tried(each)]
        names = [f"{each.namespace}/{each.name}" for each in (*enforced, *tried)]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return Authorization(
            ", ".join(names[:_SHOWN]) + more,
            (enforced or tried)[0].document.origin,
            self.rules(action, enforced),
            bool(enforced),
            self.rules(action, tried) if tried else None,
        )

    def rules(self, action: Action, chosen: Iterable[Policy]) -> Rules:
        """Return the rules of policies, in the order of their names as text."""
        found = [rule for policy in chosen for rule in self._rules(policy)]
        return Rules(action, tuple(sorted(found, key=lambda rule: rule.name)))

    def _rules(self, policy: Policy) -> Iterator[Rule]:
        name = f"ns[{policy.namespace}]-policy[{policy.name}]"
        if policy.faulty:
            # what can't be read is not left out: it denies all, or allows nothing
            if action_of(policy) is not Action.ALLOW:
                yield Rule(f"{name}-rule[0]", origin=policy.document.origin)
            return
        for index, rule in enumerate(policy.spec.rules):
            path: Path = ("spec", "rules", index)
            sources = [self._part(policy, each.source) for each in rule.from_ if each.source is not None]
            operations = [self._part(policy, each.operation) for each in rule.to if each.operation is not None]
            when = [each for condition in rule.when for each in self._when(policy, condition)]
            yield Rule(f"{name}-rule[{index}]", tuple(sources), tuple(operations), tuple(when), policy.origin_of(path))

    def _part(self, policy: Policy, part: kinds.Source | kinds.Operation) -> Conditions:
        return tuple(self._settled(policy, each) for each in _conditions(part))

    def _when(self, policy: Policy, condition: kinds.Condition) -> Iterator[Condition]:
        try:
            attribute, key = parse_key(condition.key)
        except BadKey:
            return  # told, and an error
        for negated, values in ((False, condition.values), (True, condition.not_values)):
            if values:
                field = f"{condition.key} {'notValues' if negated else 'values'}"
                yield self._settled(policy, Condition(attribute, values, negated, key, field))

    def _settled(self, policy: Policy, condition: Condition) -> Condition:
        """Return a condition with all that its values stand for."""
        values: Iterable[str] = condition.values
        if condition.attribute is Attribute.SERVICE_ACCOUNT:
            values = (each if "/" in each else f"{policy.namespace}/{each}" for each in values)
        elif condition.attribute is Attribute.PORT:
            values = (spelt for each in values for spelt in (each, self.pod_ports.get(each, each)))
        elif condition.attribute is Attribute.PRINCIPAL:
            values = (spelt for each in values for spelt in self._principals(each))
        else:
            return condition
        found = tuple(dict.fromkeys(values))
        return Condition(condition.attribute, found, condition.negated, condition.key, condition.field)

    def _principals(self, principal: str) -> Iterator[str]:
        """Yield a principal under all names that its trust domain has (Istio's C{trustdomain/bundle.go})."""
        yield principal
        mesh = self.mesh
        domain, slash, rest = principal.partition("/")
        if not slash or mesh is None:
            return
        known = [_LOCAL, mesh.trust_domain or _LOCAL, *mesh.trust_domain_aliases]
        if any(_fits(domain, each) for each in known):
            yield from (f"{each}/{rest}" for each in known)


def is_tried(policy: Policy) -> bool:
    """Whether nothing is refused by a policy, only noted that it would be."""
    metadata = policy.document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    said = annotations.get(DRY_RUN) if isinstance(annotations, dict) else None
    return isinstance(said, str) and said in TRUE


def action_of(policy: Policy) -> Action:
    """What becomes of what a policy matches."""
    return Action((policy.spec.action or kinds.Action.ALLOW).value)


def _fits(domain: str, known: str) -> bool:
    """Whether the trust domain of a principal, which may have a wildcard, is one that is known."""
    if domain == known:
        return True
    if domain.startswith("*") and domain != "*":
        return known.endswith(domain[1:])
    return len(domain) > 1 and domain.endswith("*") and known.startswith(domain[:-1])


def _conditions(part: kinds.Source | kinds.Operation) -> Iterator[Condition]:
    for name, attribute, negated, values in given(part):
        yield Condition(attribute, values, negated, (), name)
