"""
Where a cluster would take files otherwise: C{edgegate check --portable}.

Each is a deliberate difference from Istio, of which docs/istio-differences.md
has the reasons; here the places of a folder are found that meet one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import Struct, structs

from edgegate.config.document import Document, Path, snake_case
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.honoured import fields
from edgegate.istio.kinds import EDGEGATE, KINDS
from edgegate.istio.kinds.certificate_issuer import CertificateIssuer
from edgegate.istio.kinds.destination_rule import DestinationRule
from edgegate.istio.kinds.gateway import Gateway
from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry
from edgegate.istio.kinds.virtual_service import Destination, VirtualService
from edgegate.istio.kinds.workload import WorkloadEntry
from edgegate.istio.resources import Resource, Resources
from edgegate.istio.translate.compile_options import CompileOptions
from edgegate.istio.translate.key_sources import ROOT_NAMESPACE, KeySources, is_pem
from edgegate.istio.translate.members import ip_literal, unix_path
from edgegate.istio.translate.portable_order import order_differences
from edgegate.istio.translate.portable_policies import policy_differences
from edgegate.istio.translate.portable_servers import gateway_differences
from edgegate.istio.translate.rules import MESH
from edgegate.istio.translate.servers import selected
from edgegate.istio.translate.services import DOMAIN, ServiceIndex, index_services, short_form
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.hosts import normalise

Found = Iterator[tuple[Path, str]]
"""Places in a document, each with what a cluster would do."""

_FILES = frozenset({"server_certificate", "private_key", "client_certificate", "ca_certificates", "ca_crl"})
_SECRETS = frozenset({"credential_name", "credential_names", "ca_cert_credential_name"})


def warn_of_differences(resources: Resources, options: CompileOptions, problems: Problems) -> None:
    """Warn of every place where a cluster would do otherwise."""
    walk = _Walk(index_services(resources), KeySources(resources.secrets, options.read_file, Suggestions()))
    delegates = {(each.namespace, each.name): each.spec for each in resources.virtual_services if not each.spec.hosts}
    everything: list[Resource[Any]] = [
        *resources.gateways,
        *resources.virtual_services,
        *resources.service_entries,
        *resources.destination_rules,
        *resources.workload_entries,
    ]
    for resource in everything:
        for path, message in (*walk.said(resource), *_spelt(resource.document)):
            resource.warning(problems, path, f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)
    for root in resources.virtual_services:
        for path, message in _delegations(root, delegates):
            root.warning(problems, path, f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)
    for gateway, path, message in gateway_differences(resources.gateways, options):
        gateway.warning(problems, path, f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)
    gateways = [gateway for gateway in resources.gateways if selected(gateway, options.selector)]
    for resource, path, message in order_differences(gateways, resources.virtual_services):
        resource.warning(problems, path, f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)
    for own in _own(resources):
        issuer = isinstance(own.spec, CertificateIssuer)
        what = "no certificate is issued by it" if issuer else "nobody is refused because of it"
        message = f"{what}: Istio has no {own.document.kind}"
        own.warning(problems, (), f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)
    for policy, path, message in policy_differences(resources.authorization_policies):
        policy.warning(problems, path, f"in a cluster {message}", code=codes.OTHERWISE_IN_A_CLUSTER)


def _own(resources: Resources) -> Iterator[Resource[Any]]:
    """Yield the documents of edgegate's own kinds."""
    for kind in KINDS:
        if kind.group == EDGEGATE:
            yield from getattr(resources, kind.resources)


class _Walk:
    """Looks through documents, field by field."""

    def __init__(self, services: ServiceIndex, sources: KeySources) -> None:
        self._services = services
        self._sources = sources

    def said(self, resource: Resource[Any]) -> Found:
        """Yield what a document says that a cluster takes otherwise."""
        spec = resource.spec
        if isinstance(spec, VirtualService):
            yield from _short_hosts(spec, resource.namespace)
        elif isinstance(spec, Gateway):
            yield from _localhost(spec)
        elif isinstance(spec, ServiceEntry):
            yield from _entry(spec)
        elif isinstance(spec, DestinationRule):
            yield from self._named(("spec", "host"), spec.host, resource.namespace)
        elif isinstance(spec, WorkloadEntry):
            yield from _address(("spec", "address"), spec.address or "")
        for path, name, value in _values(spec, ("spec",)):
            if isinstance(value, Destination):
                yield from self._named((*path, "host"), value.host, resource.namespace)
            elif name in _FILES and isinstance(value, str) and value and not is_pem(value):
                yield path, f"{show(value)} is a file of the gateway's Pod, where it has to be mounted"
            elif name == "source_subnet":
                yield path, "it is not looked at: the route takes every client"
            elif name in _SECRETS:
                yield from self._secrets(path, value, resource.namespace)

    def _named(self, path: Path, text: str, namespace: str) -> Found:
        """Yield what a destination's host, or a rule's, does not mean there."""
        try:
            host = ip_literal(text.strip()) or normalise(text.strip())
        except ValueError:
            return
        service = self._services.find(host, namespace)
        if service is None:
            if path[-2:] != ("spec", "host") and (host == "localhost" or ip_literal(host)):
                yield path, f"{show(host)} is no service: requests are answered 503, unless a ServiceEntry declares it"
            return
        if "." in host and not service.host.startswith("*") and service.host != host:
            whole = service.host
            yield (
                path,
                f"{show(text)} is taken as it stands, since it has a dot, and nothing is called so: write {whole}",
            )

    def _secrets(self, path: Path, value: str | tuple[str, ...] | None, namespace: str) -> Found:
        names = (value,) if isinstance(value, str) else value or ()
        for name in names:
            secret = self._sources.secret(name, namespace)
            if secret is not None and secret.namespace != ROOT_NAMESPACE:
                where = f"a Secret is looked for where the gateway's Pod runs, mostly {ROOT_NAMESPACE}"
                yield path, f"{where}: this one is in {secret.namespace}"


def _short_hosts(spec: VirtualService, namespace: str) -> Found:
    if not set(spec.gateways) - {MESH}:
        return  # in a mesh a short name is what it should be
    for index, host in enumerate(spec.hosts):
        if "." not in host and not host.startswith("*"):
            yield ("spec", "hosts", index), f"{show(host)} has no dot, and so means {host}.{namespace}.{DOMAIN}"


def _localhost(spec: Gateway) -> Found:
    for number, server in enumerate(spec.servers):
        for index, host in enumerate(server.hosts):
            if host.rpartition("/")[2].lower() == "localhost":
                message = f"{show(host)} is a short name, and refused: app.localhost is taken"
                yield ("spec", "servers", number, "hosts", index), message


def _delegations(root: Resource[VirtualService], delegates: Mapping[tuple[str, str], VirtualService]) -> Found:
    """Yield where a root and its delegate forbid one header: here the root's condition stays."""
    for index, item in enumerate(root.spec.http):
        if item.delegate is None:
            continue
        found = delegates.get((item.delegate.namespace or root.namespace, item.delegate.name or ""))
        own = {name for match in item.match for name in match.without_headers}
        theirs = {
            name for route in (found.http if found else ()) for match in route.match for name in match.without_headers
        }
        for name in sorted(own & theirs):
            message = f"the delegate's condition of withoutHeaders on {show(name)} takes the place of this one's"
            yield ("spec", "http", index, "delegate"), message


def _entry(spec: ServiceEntry) -> Found:
    for index, host in enumerate(spec.hosts):
        path: Path = ("spec", "hosts", index)
        if "." not in host:
            yield path, f"{show(host)} stands for itself alone: a destination {host} means {host}.NAMESPACE.{DOMAIN}"
        elif host.endswith("." + DOMAIN) and short_form(host, "") is not None:
            yield path, f"{show(host)} is the Service of that name: the two get in each other's way, leave this one out"
    if not spec.endpoints and spec.workload_selector is None and spec.addresses:
        if spec.resolution is Resolution.STATIC:
            yield ("spec", "addresses"), "these are no endpoints: with resolution STATIC list them as endpoints"
        elif spec.resolution in (None, Resolution.NONE):
            yield ("spec", "addresses"), "a gateway does not go to these: say resolution STATIC, with endpoints"
    for index, endpoint in enumerate(spec.endpoints):
        yield from _address(("spec", "endpoints", index, "address"), endpoint.address or "")


def _address(path: Path, address: str) -> Found:
    if unix_path(address) is not None:
        yield path, f"{show(address)} is a socket in the gateway's Pod, where it has to be mounted"
    elif address in ("localhost", "::1") or address.startswith("127."):
        yield path, f"{show(address)} is the gateway's own Pod, and not this machine"


def _values(struct: Struct, path: Path) -> Iterator[tuple[Path, str, Any]]:
    """Yield the place, the Python name and the value of every field that is given, outer ones first."""
    for field in structs.fields(struct):
        value = getattr(struct, field.name)
        if value is None or value in ((), {}):
            continue
        place = (*path, field.encode_name)
        yield place, field.name, value
        items: Any = ()
        if isinstance(value, tuple):
            items = enumerate(value)
        elif isinstance(value, dict):
            items = value.items()
        elif isinstance(value, Struct):
            yield from _values(value, place)
        for key, each in items:
            if isinstance(each, Struct):
                yield from _values(each, (*place, key))


@cache
def _camel_cased() -> dict[str, str]:
    """Return all fields whose two spellings differ: the one of Istio's JSON by protobuf's."""
    names = {
        part.partition("[")[0] for kind in KINDS for field in fields(kind.struct) for part in field.path.split(".")
    }
    return {snake_case(name): name for name in names if snake_case(name) != name}


def _spelt(document: Document) -> Found:
    """Yield fields in protobuf's spelling, which a cluster's API prunes or refuses."""
    for path in document.paths():
        known = _camel_cased().get(str(path[-1]))
        if known is not None and path[0] == "spec":
            yield path, f"the API does not know {path[-1]}: write {known}"
