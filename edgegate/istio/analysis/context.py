"""What analyzers ask of all files together; each index is made once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edgegate.istio.analysis.names import full_name, matches, of_kubernetes, whole_name
from edgegate.istio.analysis.served_hosts import ServedHosts
from edgegate.istio.decode import EXPORT_TO
from edgegate.istio.kinds.destination_rule import DestinationRule
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate import CompileOptions, rules
from edgegate.istio.translate.attachment import gateway_key
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.rules import MESH, GatewayKey
from edgegate.istio.translate.services import DOMAIN
from edgegate.istio.translate.suggestions import Suggestions


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A service as one document declares it.

    @ivar resource: A Service or a ServiceEntry.
    @ivar ports: Their numbers.
    """

    resource: Resource[Any]
    ports: tuple[int, ...]


class Hosts:
    """
    Finds services by the hosts of destinations, as Istio's analyzers do (C{util.GetDestinationHost}).

    What no namespace but some see is found by these alone.
    """

    def __init__(self, resources: Resources) -> None:
        self._by_scope: dict[tuple[str, str], Declared] = {}
        self._wildcards: list[tuple[str, str, Declared]] = []
        self._services: set[str] = set()
        for entry in resources.service_entries:
            spec = entry.spec
            declared = Declared(entry, tuple(port.number for port in spec.ports))
            for host in spec.hosts:
                self._add(host, spec.export_to, entry.namespace, declared)
        for service in resources.services:
            declared = Declared(service, tuple(port.port for port in service.spec.ports))
            scopes = annotations_of(service).get(EXPORT_TO, "")
            names = tuple(each.strip() for each in scopes.split(",") if each.strip())
            host = f"{service.name}.{service.namespace}.{DOMAIN}"
            self._services.add(host)
            self._add(host, names, service.namespace, declared)

    def _add(self, host: str, scopes: Iterable[str], namespace: str, declared: Declared) -> None:
        name = full_name(host, namespace)
        for said in tuple(scopes) or ("*",):
            scope = namespace if said == "." else said
            self._by_scope.setdefault((scope, name), declared)
            if name.startswith("*"):
                self._wildcards.append((scope, name, declared))

    def find(self, host: str, namespace: str, scopes: tuple[str, ...]) -> Declared | None:
        """
        Return what a destination, or the host of a rule, means; L{None} where nobody declares it.

        @param namespace: Of the document that says it.
        @param scopes: That document's C{exportTo}: all these namespaces have to see the service.
        """
        name = full_name(host, namespace)
        found = self._exact(name, namespace, scopes)
        whole = of_kubernetes(name) if found is None else None
        if whole is not None:
            found = self._exact(whole, namespace, scopes)
        if found is not None:
            return found
        text = host.lower().removeprefix("*")
        for scope, pattern, declared in self._wildcards:
            if scope in ("*", namespace) and text.endswith(pattern[1:]):
                return declared
        return None

    def is_served(self, host: str, namespace: str) -> bool:
        """Whether a gateway finds a destination: it does not ask who sees a Service, or whom a route is exported to."""
        return whole_name(host, namespace) in self._services or self.find(host, namespace, ()) is not None

    def _exact(self, name: str, namespace: str, scopes: tuple[str, ...]) -> Declared | None:
        anyone = self._by_scope.get(("*", name))
        if anyone is not None:
            return anyone
        asking = [namespace if scope == "." else scope for scope in scopes] or [namespace]
        found = [self._by_scope.get((scope, name)) for scope in asking]
        return found[0] if all(found) else None


class Rules:
    """Finds DestinationRules by the hosts of destinations, whose names may be spelt otherwise."""

    def __init__(self, declared: Iterable[Resource[DestinationRule]]) -> None:
        self._exact: dict[str, list[DestinationRule]] = {}
        self._patterns: list[tuple[str, DestinationRule]] = []
        for rule in declared:
            spec = rule.spec
            name = whole_name(spec.host, rule.namespace)
            if name.startswith("*"):
                self._patterns.append((name, spec))
            else:
                self._exact.setdefault(name, []).append(spec)

    def of(self, host: str, namespace: str) -> Iterator[DestinationRule]:
        """Yield the rules for a destination that a document of a namespace names."""
        name, full = whole_name(host, namespace), full_name(host, namespace)
        if name.startswith("*"):
            for other, specs in self._exact.items():
                if matches(other, name):
                    yield from specs
        yield from self._exact.get(name, ())
        for pattern, spec in self._patterns:
            if matches(pattern, name) or matches(pattern, full):
                yield spec


class Context:
    """
    All resources, and what is asked of them again and again.

    @ivar resources: All that are declared.
    @ivar options: How they are to be taken.
    """

    def __init__(self, resources: Resources, options: CompileOptions) -> None:
        self.resources = resources
        self.options = options
        self.gateways: Mapping[GatewayKey, Resource[Gateway]] = {
            (each.namespace, each.name): each for each in resources.gateways
        }

        self._served: dict[Resource[Gateway], ServedHosts] = {}

    def served_by(self, gateway: Resource[Gateway]) -> ServedHosts:
        """Return the hosts of a Gateway's servers."""
        found = self._served.get(gateway)
        if found is None:
            found = self._served[gateway] = ServedHosts(gateway)
        return found

    @cached_property
    def virtual_services(self) -> Mapping[tuple[str, str], Resource[VirtualService]]:
        """The VirtualServices by their namespaces and names."""
        return {(each.namespace, each.name): each for each in self.resources.virtual_services}

    @cached_property
    def hosts(self) -> Hosts:
        """The services that are declared."""
        return Hosts(self.resources)

    @cached_property
    def keys(self) -> KeySources:
        """The Secrets that are declared."""
        return KeySources(self.resources.secrets, self.options.read_file, Suggestions())

    @cached_property
    def rules(self) -> Rules:
        """The DestinationRules, wherever they are."""
        return Rules(self.resources.destination_rules)

    @cached_property
    def subsets(self) -> Mapping[str, frozenset[str]]:
        """The names of the subsets that DestinationRules declare, by full names of hosts."""
        found: dict[str, set[str]] = {}
        for rule in self.resources.destination_rules:
            spec = rule.spec
            names = found.setdefault(whole_name(spec.host, rule.namespace), set())
            names.update(subset.name for subset in spec.subsets if subset.name)
        return {host: frozenset(names) for host, names in found.items()}

    def gateways_of(self, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[tuple[int, GatewayKey]]:
        """Yield the index and the name of each Gateway that a VirtualService names; sidecars (C{mesh}) are none."""
        for index, name in enumerate(spec.gateways):
            if name != MESH:
                yield index, gateway_key(name, resource.namespace)


def annotations_of(resource: Resource[Any]) -> Mapping[str, str]:
    """Return a document's annotations, if one of them is Istio's: others are not kept."""
    metadata = resource.document.value.get("metadata")
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def in_mesh_alone(spec: VirtualService) -> bool:
    """Whether a VirtualService is for sidecars alone, and so nothing is served of it here; a delegate is not."""
    return bool(spec.hosts) and rules.in_mesh_alone(spec.gateways or (MESH,))
