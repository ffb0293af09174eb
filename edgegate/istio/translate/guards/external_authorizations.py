"""C{AuthorizationPolicy} with the action C{CUSTOM} to guards: one for each provider that is asked at a place."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.config.problems import Role
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.guards.authorization_policies import KIND, chosen_by, rules_compiler
from edgegate.istio.translate.guards.authorization_rules import Policy
from edgegate.istio.translate.guards.authorizers import Authorizers, NoAuthorizer
from edgegate.istio.translate.guards.standing import Policies, Standing
from edgegate.model import codes
from edgegate.model.authorizers import Authorizer
from edgegate.model.guards.authorization import Action
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.hosts import normalise


def place_external_authorizations(policies: Policies, standing: Standing) -> None:
    """Have them stand where their policies belong, in the order of the providers' names (Istio)."""
    if KIND in policies.options.ignored_kinds:
        return  # which was told
    compiler = rules_compiler(policies)
    authorizers = Authorizers(policies)
    for servers, chosen in chosen_by(policies, Action.CUSTOM):
        by_provider: dict[str, list[Policy]] = {}
        for policy in chosen:
            by_provider.setdefault(_provider(policy), []).append(policy)
        for name in sorted(by_provider):
            group = by_provider[name]
            authorizer = _authorizer(policies, authorizers, name, group)
            if authorizer is not None:
                _warn_of_guarded_login(policies, authorizer, group)
                called = ", ".join(f"{each.namespace}/{each.name}" for each in group)
                rules = compiler.rules(Action.CUSTOM, group)
                standing.on_servers(servers, ExternalAuthorization(called, group[0].document.origin, rules, authorizer))


def _authorizer(policies: Policies, authorizers: Authorizers, name: str, group: list[Policy]) -> Authorizer | None:
    """Return a provider; L{None}: there is none, which is reported, so that the files are not served."""
    try:
        return authorizers.of(name)
    except NoAuthorizer as error:
        if not error.told:
            for policy in group:
                path = ("spec", "provider", "name")
                policy.error(policies.problems, path, str(error), Role.CONSEQUENCE, codes.UNKNOWN_PROVIDER)
        return None


def _warn_of_guarded_login(policies: Policies, authorizer: Authorizer, group: list[Policy]) -> None:
    """Warn of rules that match everything where routes lead to the service itself, as to a login."""
    everything = [
        (policy, index)
        for policy in group
        for index, rule in enumerate(policy.spec.rules)
        if not rule.from_ and not rule.to and not rule.when
    ]
    if not everything:
        return
    leading = next(_leading_to(policies, authorizer), None)
    if leading is None:
        return
    for policy, index in everything:
        message = (
            f"{authorizer.name} is asked about requests to itself as well, which {leading.document.title} at"
            f" {leading.document.origin} lets in: leave them out by notPaths or notHosts, or nobody can log in"
        )
        path = ("spec", "rules", index)
        policy.warning(policies.problems, path, message, Role.CONSEQUENCE, codes.LOGIN_BEHIND_ITSELF)


def _leading_to(policies: Policies, authorizer: Authorizer) -> Iterator[Resource[VirtualService]]:
    """Yield the VirtualServices that lead to a provider's service."""
    wanted = authorizer.cluster.rpartition("|")[2]
    for service in policies.resources.virtual_services:
        hosts = {each.destination.host for item in service.spec.http for each in item.route}
        for host in hosts:
            try:
                found = policies.services.find(normalise(host), service.namespace)
            except ValueError:
                continue  # told
            if found is not None and found.identity == wanted:
                yield service


def _provider(policy: Policy) -> str:
    """Return the name of a policy's provider; one without has an error."""
    provider = policy.spec.provider
    return "" if provider is None else provider.name
