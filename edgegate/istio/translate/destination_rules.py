"""DestinationRules: which of them is for a service, and what several for one host come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from edgegate.config.document import Path
from edgegate.config.problems import Problems, Role
from edgegate.config.values import show
from edgegate.istio.kinds.destination_rule import DestinationRule, Subset, TrafficPolicy
from edgegate.istio.resources import Resource
from edgegate.istio.translate.exports import exported
from edgegate.istio.translate.key_sources import ROOT_NAMESPACE
from edgegate.istio.translate.services import DOMAIN, Service, ServiceIndex, short_form
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.hosts import is_partial, normalise
from edgegate.model.origin import Origin
from edgegate.model.patterns import wider

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Said(Generic[T]):
    """A part of a DestinationRule, and where it stands."""

    value: T
    resource: Resource[DestinationRule]
    path: Path


@dataclass(slots=True, eq=False)
class Rule:
    """
    What the DestinationRules of one namespace say of one host.

    @ivar host: As the first of them writes it, in normal form.
    """

    resource: Resource[DestinationRule]
    host: str
    policy: Said[TrafficPolicy] | None = None
    subsets: dict[str, Said[Subset]] = field(default_factory=dict)
    export_to: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        """Whose rule it is."""
        return self.resource.namespace

    @property
    def origin(self) -> Origin:
        """Where the first of its documents is."""
        return self.resource.document.origin


class DestinationRules:
    """
    Finds the rule of a service.

    Of one namespace, a rule for exactly its host comes before wildcards, longest
    first. The namespace of the document that names the destination is looked at
    first, then the service's, then the root namespace; one rule is in effect.
    """

    def __init__(self, rules: list[Resource[DestinationRule]], problems: Problems) -> None:
        self._problems = problems
        self._rules: dict[str, dict[str, Rule]] = {}
        self._partial: list[str] = []
        for resource in rules:
            if resource.spec.workload_selector is not None:
                continue  # said when it was decoded
            try:
                host = normalise(resource.spec.host)
            except ValueError:
                continue
            self._add(resource, host)

    def find(self, service: Service, namespace: str) -> Rule | None:
        """Return the rule for a service, as seen from a namespace."""
        for owner in dict.fromkeys((namespace, service.namespace, ROOT_NAMESPACE)):
            rules = self._rules.get(owner)
            if rules:
                for name in _names(service, self._partial):
                    rule = rules.get(name)
                    if rule is not None and exported(rule.export_to, owner, namespace):
                        return rule
        return None

    def warn_of_unused(self, services: ServiceIndex, suggestions: Suggestions) -> None:
        """Report rules for a host that no document declares: its name may be misspelt."""
        for rules in self._rules.values():
            for rule in rules.values():
                if rule.host.startswith("*") or _stands_for_itself(rule.host):
                    continue
                service = services.find(rule.host, rule.namespace)
                if service is None:
                    hint = suggestions.like(rule.host, services.names())
                    message = f"no document declares {show(rule.host)}: the rule is of no use{hint}"
                    code = codes.UNKNOWN_RULE_HOST
                elif service.host.startswith("*"):
                    origin = service.declarations[0].origin
                    what = f"{origin.resource} at {origin} declares it as {show(service.host)}"
                    message = f"the rule is of no use: {what}, so rules for that count"
                    code = codes.RULE_WITHOUT_USE
                else:
                    continue
                rule.resource.warning(self._problems, ("spec", "host"), message, Role.CONSEQUENCE, code)

    def _add(self, resource: Resource[DestinationRule], host: str) -> None:
        rules = self._rules.setdefault(resource.namespace, {})
        key = canonical(host, resource.namespace)
        rule = rules.get(key)
        if rule is None:
            rule = rules[key] = Rule(resource, host)
            if is_partial(key) and key not in self._partial:
                self._partial.append(key)
        self._merge(rule, resource)

    def _merge(self, rule: Rule, resource: Resource[DestinationRule]) -> None:
        """
        Add what a document says to a rule, as Istio merges them.

        The first policy counts whole; subsets add up, the first of a name counts.
        """
        spec = resource.spec
        if spec.traffic_policy is not None:
            if rule.policy is None:
                rule.policy = Said(spec.traffic_policy, resource, ("spec", "trafficPolicy"))
            else:
                first = rule.policy.resource.document.origin_of(rule.policy.path)
                message = f"is passed over: for {show(rule.host)} the policy of {first.resource} at {first} counts"
                resource.warning(self._problems, ("spec", "trafficPolicy"), message, code=codes.RULE_WITHOUT_USE)
        for index, subset in enumerate(spec.subsets):
            path: Path = ("spec", "subsets", index)
            known = rule.subsets.setdefault(subset.name or "", Said(subset, resource, path))
            if known.resource is not resource:
                first = known.resource.document.origin_of(known.path)
                message = f"is passed over: {first.resource} at {first} has a subset {show(subset.name)} already"
                resource.warning(self._problems, (*path, "name"), message, code=codes.RULE_WITHOUT_USE)
        rule.export_to = rule.export_to or spec.export_to


def canonical(host: str, namespace: str) -> str:
    """
    Return the one name that all spellings of a host in a namespace have.

    A short name is C{name.namespace.svc.cluster.local}, and so is whatever can be a spelling of it.
    """
    short = None if host.startswith("*") else short_form(host, namespace)
    return host if short is None else f"{short[0]}.{short[1]}.{DOMAIN}"


def _names(service: Service, partial: list[str]) -> Iterator[str]:
    """
    Yield the names of rules that are for a service, narrowest first.

    @param partial: Those of rules whose wildcard stands for a part of a label.
    """
    whole = canonical(service.host, service.namespace)
    yield whole
    yield from wider(whole if "." not in service.host else service.host, partial)


def _stands_for_itself(host: str) -> bool:
    """Whether a destination may name a host that no document declares."""
    return host == "localhost" or host.replace(".", "").isdigit()
