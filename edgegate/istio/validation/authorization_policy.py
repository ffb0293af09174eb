"""What an AuthorizationPolicy must be by itself (Istio's C{ValidateAuthorizationPolicy})."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.authorization_policy import Action, AuthorizationPolicy, Condition, Operation, Rule, Source
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_selector, check_subnets
from edgegate.istio.validation.rule_values import (
    check_accounts,
    check_hosts,
    check_methods,
    check_paths,
    check_ports,
    check_principals,
    check_request_principals,
    check_server_names,
    check_texts,
    check_trust_domains,
)
from edgegate.istio.when_keys import BadKey, parse_key
from edgegate.model import codes
from edgegate.model.guards.authorization import Attribute

DRY_RUN: Final = "istio.io/dry-run"
"""The annotation of a policy that is only tried."""

TRUE: Final = frozenset({"1", "t", "T", "true", "TRUE", "True"})
"""What Go takes for a boolean that holds (C{strconv.ParseBool})."""

FALSE: Final = frozenset({"0", "f", "F", "false", "FALSE", "False"})

MAX_RULES: Final = 512
MAX_SOURCES: Final = 512

_TARGETS: Final = {
    ("Gateway", "gateway.networking.k8s.io"),
    ("GatewayClass", "gateway.networking.k8s.io"),
    ("Service", ""),
    ("ServiceEntry", "networking.istio.io"),
}
"""What C{targetRefs} may name (Istio's C{validatePolicyTargetReference})."""

_CHECKS: Final = {
    Attribute.HOST: check_hosts,
    Attribute.METHOD: check_methods,
    Attribute.PATH: check_paths,
    Attribute.PORT: check_ports,
    Attribute.PRINCIPAL: check_principals,
    Attribute.NAMESPACE: check_texts,
    Attribute.SERVICE_ACCOUNT: check_accounts,
    Attribute.TRUST_DOMAIN: check_trust_domains,
    Attribute.REQUEST_PRINCIPAL: check_request_principals,
    Attribute.PEER: check_subnets,
    Attribute.CLIENT: check_subnets,
    Attribute.LOCAL: check_subnets,
    Attribute.SERVER_NAME: check_server_names,
}
"""What the values of a field must be; of all others they are texts."""

SOURCE_FIELDS: Final = {
    "principals": Attribute.PRINCIPAL,
    "requestPrincipals": Attribute.REQUEST_PRINCIPAL,
    "namespaces": Attribute.NAMESPACE,
    "serviceAccounts": Attribute.SERVICE_ACCOUNT,
    "trustDomains": Attribute.TRUST_DOMAIN,
    "ipBlocks": Attribute.PEER,
    "remoteIpBlocks": Attribute.CLIENT,
}
"""The fields of a source."""

OPERATION_FIELDS: Final = {
    "hosts": Attribute.HOST,
    "ports": Attribute.PORT,
    "methods": Attribute.METHOD,
    "paths": Attribute.PATH,
}
"""The fields of an operation."""

_OF_REQUEST_LINE: Final = (":authority", ":method", ":path", ":scheme")
"""Headers that are parts of the request line."""

_BEFORE_CUSTOM: Final = frozenset(
    {
        *(Attribute.PRINCIPAL, Attribute.NAMESPACE, Attribute.SERVICE_ACCOUNT, Attribute.TRUST_DOMAIN),
        *(Attribute.REQUEST_PRINCIPAL, Attribute.CLAIM),
    }
)
"""What a rule of C{CUSTOM} can't ask for: it is asked before tokens are verified."""


def given(part: Source | Operation) -> Iterator[tuple[str, Attribute, bool, tuple[str, ...]]]:
    """Yield the fields that a source or an operation has: name, what it looks at, whether it is a negation, values."""
    fields = SOURCE_FIELDS if isinstance(part, Source) else OPERATION_FIELDS
    names = dict(zip(part.__struct_encode_fields__, part.__struct_fields__, strict=True))
    for name, attribute in fields.items():
        for encoded in (name, f"not{name[:1].upper()}{name[1:]}"):
            values = getattr(part, names[encoded])
            if values:
                yield encoded, attribute, encoded != name, values


def validate_authorization_policy(resource: Resource[Any], problems: Problems) -> None:
    """Report what Istio would refuse, and what is in no request."""
    findings = Findings(resource, problems)
    policy: AuthorizationPolicy = resource.spec
    _check_targets(findings, policy)
    _check_action(findings, policy)
    if len(policy.rules) > MAX_RULES:
        findings.error(("spec", "rules"), f"{len(policy.rules)} rules; a policy has {MAX_RULES} at most")
    for index, rule in enumerate(policy.rules):
        _RuleCheck(findings, policy.action is Action.CUSTOM).check(("spec", "rules", index), rule)


def _check_targets(findings: Findings, policy: AuthorizationPolicy) -> None:
    if policy.selector is not None:
        labels = policy.selector.match_labels
        check_selector(findings, ("spec", "selector"), labels, without="selects every workload")
    ways = (policy.selector is not None, policy.target_ref is not None, bool(policy.target_refs))
    if sum(ways) > 1:
        findings.error(("spec",), "only one of selector, targetRef and targetRefs can be given")
    references = [(("spec", "targetRef"), policy.target_ref)] if policy.target_ref is not None else []
    places: list[tuple[Path, Any]] = [*references]
    places.extend((("spec", "targetRefs", index), each) for index, each in enumerate(policy.target_refs))
    for path, each in places:
        group = each.group or ""
        group = "" if group == "core" else group
        if each.namespace and each.namespace != findings.resource.namespace:
            findings.error((*path, "namespace"), "a policy is for what is in its own namespace")
        if not each.name:
            findings.error((*path, "name"), "missing")
        elif (each.kind, group) not in _TARGETS:
            message = f"a policy of Istio can't be for a {each.kind} of {show(group)}: use a selector of labels"
            findings.error((*path, "kind"), message)


def _check_action(findings: Findings, policy: AuthorizationPolicy) -> None:
    action = policy.action or Action.ALLOW
    if not policy.rules and action in (Action.DENY, Action.CUSTOM):
        message = f"{action.value} without rules matches nothing: for all requests say rules: [{{}}]"
        findings.error(("spec", "rules"), message)
    if action is Action.CUSTOM:
        if policy.provider is None or not policy.provider.name:
            findings.error(("spec", "provider", "name"), "missing: CUSTOM asks an extension provider of MeshConfig")
    elif policy.provider is not None:
        findings.error(("spec", "provider"), f"only CUSTOM asks a provider, and the action is {action.value}")
    metadata = findings.resource.document.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    said = annotations.get(DRY_RUN) if isinstance(annotations, dict) else None
    if said is None:
        return
    path = ("metadata", "annotations", DRY_RUN)
    if not isinstance(said, str) or said not in TRUE | FALSE:
        findings.error(path, f'{show(said)} is neither "true" nor "false"')
    elif action not in (Action.ALLOW, Action.DENY):
        findings.error(path, f"only ALLOW and DENY can be tried, and the action is {action.value}")


class _RuleCheck:
    """Checks one rule."""

    def __init__(self, findings: Findings, custom: bool) -> None:
        self._findings = findings
        self._custom = custom

    def check(self, path: Path, rule: Rule) -> None:
        """Report what is wrong with it."""
        if len(rule.from_) > MAX_SOURCES:
            message = f"{len(rule.from_)} sources; a rule has {MAX_SOURCES} at most"
            self._findings.error((*path, "from"), message)
        for index, from_ in enumerate(rule.from_):
            self._check_part((*path, "from", index), "source", from_.source)
            if from_.source is not None:
                self._check_accounts((*path, "from", index, "source"), from_.source)
        for index, to in enumerate(rule.to):
            self._check_part((*path, "to", index), "operation", to.operation)
        for index, condition in enumerate(rule.when):
            self._check_condition((*path, "when", index), condition)

    def _check_part(self, path: Path, name: str, part: Source | Operation | None) -> None:
        if part is None:
            self._findings.error(path, f"has no {name}")
            return
        fields = [*given(part)]
        if not fields:
            self._findings.error((*path, name), "has no fields: leave it out where any will do")
        for field, attribute, _, values in fields:
            self._check_values((*path, name, field), attribute, values)

    def _check_accounts(self, path: Path, source: Source) -> None:
        others = (source.principals, source.not_principals, source.namespaces, source.not_namespaces)
        if (source.service_accounts or source.not_service_accounts) and any(others):
            message = "serviceAccounts go with neither principals nor namespaces"
            self._findings.error((*path, "serviceAccounts"), message)

    def _check_condition(self, path: Path, condition: Condition) -> None:
        if not condition.key:
            self._findings.error((*path, "key"), "missing")
            return
        try:
            attribute, names = parse_key(condition.key)
        except BadKey as error:
            self._findings.error((*path, "key"), str(error))
            return
        if attribute is Attribute.HEADER and names[0].startswith(":") and names[0] not in _OF_REQUEST_LINE:
            message = f"{show(condition.key)} is in no request: with a colon there are {', '.join(_OF_REQUEST_LINE)}"
            self._findings.warning((*path, "key"), message, codes.VALUE_NEVER_FITS)
        if not condition.values and not condition.not_values:
            self._findings.error(path, "has neither values nor notValues")
        for name, values in (("values", condition.values), ("notValues", condition.not_values)):
            self._check_values((*path, name), attribute, values)

    def _check_values(self, path: Path, attribute: Attribute, values: Sequence[str]) -> None:
        if self._custom and attribute in _BEFORE_CUSTOM and values:
            message = f"CUSTOM can't ask for it: who is asked, is so before a {attribute.value} is known"
            self._findings.error(path, message)
        empty = [index for index, value in enumerate(values) if not value]
        for index in empty:
            self._findings.error((*path, index), "is empty")
        if not empty:
            _CHECKS.get(attribute, check_texts)(self._findings, path, values)
