"""C{AuthorizationPolicy} to guards, on all servers that a policy is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from edgegate.istio.kinds import authorization_policy as kinds
from edgegate.istio.translate.guards.authorization_rules import Policy, RulesCompiler, action_of, is_tried
from edgegate.istio.translate.guards.authorization_warnings import AuthorizationWarnings
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.istio.translate.guards.targets import Targeted
from edgegate.istio.translate.servers import Server
from edgegate.model import codes
from edgegate.model.guards.authorization import Action

KIND: Final = "AuthorizationPolicy"


def place_authorization_policies(policies: Policies, standing: Standing) -> None:
    """Have the policies of all actions but C{CUSTOM} stand where they belong."""
    if KIND in policies.options.ignored_kinds:
        for policy in policies.resources.authorization_policies:
            message = f"{policy.document.title} refuses nobody, as --ignore-kind has it"
            policy.document.warning(policies.problems, (), message, code=codes.POLICY_NOT_ENFORCED)
        return
    compiler = rules_compiler(policies)
    for action in (Action.AUDIT, Action.DENY, Action.ALLOW):
        for servers, chosen in chosen_by(policies, action):
            standing.on_servers(servers, compiler.guard(action, chosen))
    _warn_of_gaps(policies, compiler)


def rules_compiler(policies: Policies) -> RulesCompiler:
    """Return what makes rules of policies, those of C{CUSTOM} among them."""
    return RulesCompiler(None if policies.mesh is None else policies.mesh.spec, pod_ports(policies))


def chosen_by(policies: Policies, action: Action) -> Iterator[tuple[list[Server], list[Policy]]]:
    """
    Yield all servers, each with those of the same policies of an action, and these. Of a policy that is for nothing
    that is served, and has an action that is asked for, the reason is told.
    """
    found: dict[Server, list[Policy]] = {}
    for policy in policies.resources.authorization_policies:
        if action_of(policy) is action:
            for server in _targeted(policies, policy).servers:
                found.setdefault(server, []).append(policy)
    together: dict[tuple[int, ...], tuple[list[Server], list[Policy]]] = {}
    for server, chosen in found.items():
        together.setdefault(tuple(map(id, chosen)), ([], chosen))[0].append(server)
    yield from together.values()


def _targeted(policies: Policies, policy: Policy, tell: bool = True) -> Targeted:
    spec = policy.spec
    if spec.target_ref is not None or spec.target_refs:
        why = "targetRefs of Istio's policies name gateways of the Gateway API: use a selector of labels"
        found = Targeted(why_not=why)
    else:
        labels = {} if spec.selector is None else spec.selector.match_labels
        found = policies.targets.by_labels(policy, labels)
    if found.why_not and tell:
        policies.guards_nothing(policy, found.why_not, _is_meant(policy))
    return found


def _warn_of_gaps(policies: Policies, compiler: RulesCompiler) -> None:
    """Warn of what policies leave open, or close, that was probably not meant so."""
    warnings = AuthorizationWarnings(policies)
    bound = policies.options.port_map
    for policy in policies.resources.authorization_policies:
        servers = _targeted(policies, policy, tell=False).servers
        numbers = {server.value.number for server in servers}
        pods = {int(pod) for pod, port in compiler.pod_ports.items() if int(port) in numbers}
        # in one with an error what would be warned of may be that error
        if servers and not policy.faulty:
            known = numbers | pods | {bound[each] for each in numbers if each in bound}
            warnings.warn(policy, servers, known)


def pod_ports(policies: Policies) -> Mapping[str, str]:
    """
    Return the ports of pods by which a cluster's policies name those of this gateway, as the Services of its workloads
    have them: C{8080} for C{80}.
    """
    found: dict[str, str] = {}
    for service in policies.resources.services:
        selector = service.spec.selector
        if selector and policies.targets.are_ours(selector):
            for port in service.spec.ports:
                if isinstance(port.target_port, int) and port.target_port != port.port:
                    found[str(port.target_port)] = str(port.port)
    return found


def _is_meant(policy: Policy) -> bool:
    """Whether a policy that fits nothing was probably meant for a gateway, and not for a workload of a mesh."""
    spec = policy.spec
    if spec.action is kinds.Action.AUDIT or is_tried(policy):
        return False
    refs = [*spec.target_refs, *([] if spec.target_ref is None else [spec.target_ref])]
    if any(ref.kind == "Gateway" and "waypoint" not in ref.name for ref in refs):
        return True
    labels = {} if spec.selector is None else spec.selector.match_labels
    words = (policy.namespace, *labels, *labels.values())
    return any("ingress" in word or "gateway" in word for word in words)
