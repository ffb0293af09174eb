"""What policies of authorization leave open that was probably meant to be closed, and what they close that was not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.kinds.authorization_policy import Action, AuthorizationPolicy, Rule
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.standing import Policies
from edgegate.istio.translate.mesh import proxy_settings
from edgegate.istio.translate.servers import Server
from edgegate.istio.validation.authorization_policy import given
from edgegate.istio.when_keys import BadKey, parse_key
from edgegate.model import codes
from edgegate.model.guards.authorization import HTTP_ONLY, Attribute

Policy = Resource[AuthorizationPolicy]
Values = tuple[Path, Attribute, bool, tuple[str, ...]]

_DECODED = "decode-and-merge-slashes"
_PODS = {"8080": "80", "8443": "443"}
"""Ports of the pods of Istio's charts, and those of their Service."""


class AuthorizationWarnings:
    """Warns of one policy after the other; of what many have in common once."""

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._normalised = proxy_settings(policies.mesh).paths == _DECODED

    def warn(self, policy: Policy, servers: Sequence[Server], known: Iterable[int]) -> None:
        """
        Look at a policy that is for some servers.

        @param known: The numbers of ports that its conditions may ask for.
        """
        keeps_out = policy.spec.action in (Action.DENY, Action.CUSTOM)
        ports = {str(number) for number in known}
        for index, rule in enumerate(policy.spec.rules):
            for path, attribute, negated, values in _fields(("spec", "rules", index), rule):
                # what is denied, or left out of what is allowed
                if keeps_out != negated:
                    self._warn_of_hosts(policy, path, attribute, values)
                    self._warn_of_paths(policy, path, attribute, values)
                if attribute is Attribute.PORT:
                    self._warn_of_ports(policy, path, values, ports)
            if policy.spec.action is Action.DENY:
                self._warn_of_connections(policy, ("spec", "rules", index), rule, servers)

    def _warning(self, policy: Policy, path: Path, message: str, code: str) -> None:
        policy.warning(self._policies.problems, path, message, code=code)

    def _warn_of_hosts(self, policy: Policy, path: Path, attribute: Attribute, values: Sequence[str]) -> None:
        """A host is compared with its port, if the client sends one."""
        if attribute is not Attribute.HOST:
            return
        for index, value in enumerate(values):
            if value.endswith("*") or ":" in value:
                continue
            if any(other.startswith(f"{value}:") for other in values):
                continue
            more = f"{value}:*" if not value.startswith("*") else f"{value}:443, and so on for each port"
            message = f"{show(value)} does not match the same host with a port behind it: add {show(more)}"
            self._warning(policy, (*path, index), message, codes.POLICY_PASSED_BY)

    def _warn_of_paths(self, policy: Policy, path: Path, attribute: Attribute, values: Sequence[str]) -> None:
        """Backends may take two slashes, or an escaped one, for one slash."""
        if attribute is not Attribute.PATH or self._normalised or all(each in ("*", "/*") for each in values):
            return
        self._normalised = True  # told once
        message = (
            "paths with // or %2F in them are others here, and perhaps not to your backends: say pathNormalization: "
            "{normalization: DECODE_AND_MERGE_SLASHES} in MeshConfig, if no path needs them"
        )
        self._warning(policy, path, message, codes.POLICY_PASSED_BY)

    def _warn_of_ports(self, policy: Policy, path: Path, values: Sequence[str], known: set[str]) -> None:
        """A port is the Gateway's."""
        for index, value in enumerate(values):
            if value not in known:
                pod = f": it is that of Istio's pods; write {_PODS[value]}" if _PODS.get(value) in known else ""
                message = f"no server that the policy is for has port {value}{pod}"
                self._warning(policy, (*path, index), message, codes.VALUE_NEVER_FITS)

    def _warn_of_connections(self, policy: Policy, path: Path, rule: Rule, servers: Iterable[Server]) -> None:
        """Where there are no requests, what only they have counts for nothing."""
        fields = list(_fields(path, rule))
        if not fields or not all(attribute in HTTP_ONLY for _, attribute, _, _ in fields):
            return
        closed = [server for server in servers if not server.traffic.http]
        if closed:
            server = closed[0]
            message = (
                f"closes every connection to port {server.value.number}, which carries no requests "
                f"({server.value.origin}), as nothing but requests has what it asks for: add ports to the rule"
            )
            self._warning(policy, path, message, codes.POLICY_CLOSES_CONNECTIONS)


def _fields(path: Path, rule: Rule) -> Iterator[Values]:
    """Yield the fields of a rule."""
    for index, from_ in enumerate(rule.from_):
        for name, attribute, negated, values in given(from_.source) if from_.source is not None else ():
            yield (*path, "from", index, "source", name), attribute, negated, values
    for index, to in enumerate(rule.to):
        for name, attribute, negated, values in given(to.operation) if to.operation is not None else ():
            yield (*path, "to", index, "operation", name), attribute, negated, values
    for index, condition in enumerate(rule.when):
        try:
            attribute, _ = parse_key(condition.key)
        except BadKey:
            continue
        if condition.values:
            yield (*path, "when", index, "values"), attribute, False, condition.values
        if condition.not_values:
            yield (*path, "when", index, "notValues"), attribute, True, condition.not_values
