"""Gateways that are in each other's way, or of no use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edgegate.config.problems import Problems, Role, Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.gateway import Gateway, ServerTLSSettings
from edgegate.istio.resources import Resource
from edgegate.istio.translate.credentials import CredentialCompiler
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.servers import selected, servers_of
from edgegate.istio.translate.suggestions import Suggestions
from edgegate.model import codes
from edgegate.model.servers import Traffic

_CREDENTIALS = frozenset({codes.REFERENCED_RESOURCE_NOT_FOUND, codes.INVALID_GATEWAY_CREDENTIAL})


def same_certificates(context: Context) -> Iterator[Finding]:
    """
    Yield the Gateways of which a server shows the certificate of another Gateway's (Istio's C{CertificateAnalyzer}).

    Browsers use one connection for all names of a certificate, also for those that another server is for.
    """
    gateways = context.resources.gateways
    for gateway in gateways:
        selector = gateway.spec.selector.items()
        for other in gateways:
            if other is gateway or not selector <= other.spec.selector.items():
                continue
            for index, server in enumerate(gateway.spec.servers):
                for at, another in enumerate(other.spec.servers):
                    if server.tls is None or another.tls is None or not _same(server.tls, another.tls):
                        continue
                    origin = other.document.origin_of(("spec", "servers", at))
                    equal = _terms(server.tls) == _terms(another.tls)
                    so = "both ask the same of clients, so requests that take the other's connection are served"
                    message = (
                        f"servers[{index}] has the certificate of servers[{at}] of {origin.resource} at {origin}: "
                    )
                    message += so if equal else f"{_REUSED}: give each its own certificate, or both the same tls"
                    yield Finding(gateway, ("metadata", "name"), codes.DUPLICATE_CERTIFICATE, message)


_REUSED = "browsers send requests for one on connections to the other, which are answered 421"


def _same(one: ServerTLSSettings, other: ServerTLSSettings) -> bool:
    if one.credential_name or other.credential_name:
        return one.credential_name == other.credential_name
    files = (one.server_certificate, one.private_key)
    return all(files) and files == (other.server_certificate, other.private_key)


def _terms(tls: ServerTLSSettings) -> tuple[object, ...]:
    """Return what a server asks of clients."""
    return (
        tls.mode,
        tls.min_protocol_version,
        tls.max_protocol_version,
        tls.cipher_suites,
        tls.ca_certificates,
        tls.ca_cert_credential_name,
        tls.subject_alt_names,
    )


def same_hosts(context: Context) -> Iterator[Finding]:
    """
    Yield servers whose port, address and host another Gateway has, too (Istio's C{ConflictingGatewayAnalyzer}).

    Hosts are compared as they are written. Of each Gateway's servers with one port only the last is looked at by
    others, as in Istio.
    """
    last: dict[int, dict[Resource[Gateway], tuple[str | None, frozenset[str]]]] = {}
    for gateway in context.resources.gateways:
        for server in gateway.spec.servers:
            last.setdefault(server.port.number, {})[gateway] = (server.bind or None, frozenset(server.hosts))
    for gateway in context.resources.gateways:
        for index, server in enumerate(gateway.spec.servers):
            number, bind = server.port.number, server.bind or None
            others = [
                other
                for other, (its_bind, hosts) in last[number].items()
                if other is not gateway
                and bind == its_bind
                and not hosts.isdisjoint(server.hosts)
                and _for_one(gateway.spec.selector, other.spec.selector)
            ]
            if others:
                names = ", ".join(
                    sorted(f"{other.namespace}/{other.name} at {other.document.origin}" for other in others)
                )
                message = f"port {number} and a host of this server are those of a server of {names}, too"
                where = ("spec", "servers", index)
                yield Finding(gateway, where, codes.CONFLICTING_GATEWAYS, message, renames=codes.SERVER_LEFT_OUT)


def _for_one(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Whether every gateway that one selector chooses is chosen by the other, or the reverse."""
    return one.items() <= other.items() or other.items() <= one.items()


def credentials(context: Context) -> Iterator[Finding]:
    """
    Yield what is wrong with the Secrets that servers name (Istio's C{SecretAnalyzer}), also with those that are not
    served: the compiler tells of the others.
    """
    options = context.options
    sources = KeySources(context.resources.secrets, options.read_file, Suggestions())
    for declared in context.resources.gateways:
        gateway = declared.anew()
        problems = Problems()
        compiler = CredentialCompiler(sources, options, problems)
        for server in servers_of(gateway, Problems()):
            if not server.traffic.plain and server.traffic is not Traffic.PASSTHROUGH:
                compiler.server_tls(server)
            for problem in problems:
                if problem.code in _CREDENTIALS:
                    settings = server.spec.tls
                    name = "credentialName" if settings and settings.credential_name else "credentialNames"
                    path = (*server.path, "tls", name)
                    yield Finding(declared, path, problem.code, problem.message, role=problem.role)
                problems.replace(problem)


def unused(context: Context) -> Iterator[Finding]:
    """Yield Gateways that no VirtualService names, and those that are not for this gateway."""
    named = {
        key
        for resource in context.resources.virtual_services
        for _, key in context.gateways_of(resource, resource.spec)
    }
    for key, gateway in context.gateways.items():
        code, where = codes.UNUSED_GATEWAY, ("metadata", "name")
        if not selected(gateway, context.options.selector):
            asked = ", ".join(f"{label}={value}" for label, value in gateway.spec.selector.items())
            message = f"not served: --selector does not give this gateway the labels {asked}"
            yield Finding(gateway, where, code, message, Severity.INFO)
        elif key not in named and not all(_redirects(server.tls) for server in gateway.spec.servers):
            name = show(f"{gateway.namespace}/{gateway.name}")
            message = f"no VirtualService names it: write {name} into the gateways of one"
            yield Finding(
                gateway,
                where,
                code,
                message,
                role=Role.CONSEQUENCE,
                part=(),
                replaces=(codes.HOST_WITHOUT_ROUTE,),
            )


def _redirects(tls: ServerTLSSettings | None) -> bool:
    return tls is not None and tls.https_redirect is True
