"""DestinationRules: whose they are, and whether they verify backends."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.document import Path
from edgegate.config.problems import Role, Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.analysis.names import is_served_without_declaration
from edgegate.istio.kinds.destination_rule import ClientTLSMode, ClientTLSSettings, DestinationRule
from edgegate.istio.resources import Resource
from edgegate.model import codes

_HERE = "Istio's gateway takes any certificate then; this one takes those of the system's authorities"


def hosts(context: Context, rule: Resource[DestinationRule], spec: DestinationRule) -> Iterator[Finding]:
    """Yield the host of a rule where nobody declares it."""
    if is_served_without_declaration(spec.host):
        return
    if context.hosts.find(spec.host, rule.namespace, spec.export_to) is None:
        message = f"no document declares {show(spec.host)}: the rule is of no use"
        yield Finding(rule, ("spec", "host"), codes.UNKNOWN_RULE_HOST, message, role=Role.CONSEQUENCE)


def verification(context: Context, rule: Resource[DestinationRule], spec: DestinationRule) -> Iterator[Finding]:
    """
    Yield TLS with backends for which no authority is named (Istio's C{CaCertificateAnalyzer}).

    Policies of subsets are not looked at, as in Istio.
    """
    policy = spec.traffic_policy
    if policy is None:
        return
    for_workloads = spec.workload_selector is not None
    path: Path = ("spec", "trafficPolicy")
    if _unverified(policy.tls, for_workloads):
        yield _finding(rule, (*path, "tls"), codes.NO_SERVER_CERTIFICATE_VERIFICATION, policy.tls)
    for index, each in enumerate(policy.port_level_settings):
        if _unverified(each.tls, for_workloads):
            where = (*path, "portLevelSettings", index, "tls")
            yield _finding(rule, where, codes.NO_SERVER_CERTIFICATE_VERIFICATION_OF_PORT, each.tls)


def _unverified(tls: ClientTLSSettings | None, for_workloads: bool) -> bool:
    if tls is None or tls.mode not in (ClientTLSMode.SIMPLE, ClientTLSMode.MUTUAL) or tls.ca_certificates:
        return False
    return not (tls.credential_name and for_workloads)


def _finding(rule: Resource[DestinationRule], path: Path, code: str, tls: ClientTLSSettings | None) -> Finding:
    if tls is not None and tls.insecure_skip_verify:
        return Finding(rule, path, code, "insecureSkipVerify: any certificate of the backend is taken")
    if tls is not None and tls.credential_name:
        message = (
            f"caCertificates is missing: this gateway takes those of {show(tls.credential_name)}, Istio's does not"
        )
        return Finding(rule, path, code, message, Severity.INFO)
    return Finding(rule, path, code, f"caCertificates is missing: {_HERE}", Severity.INFO)
