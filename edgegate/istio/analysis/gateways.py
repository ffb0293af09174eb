"""Gateways that are in each other's way, or of no use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edgegate.config.problems import Problems, Role, Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.gateway import Gateway, ServerTLSSettings
from edgegate.istio.resources import Resource
from edgegate.istio.translate.credentials import CredentialCompiler
from edgegate.istio.translate.key_sources import KeySources
from edgegate.istio.translate.servers import selected, servers_of
from edgegate.model import codes
from edgegate.model.servers import Traffic

_CREDENTIALS = frozenset({codes.REFERENCED_RESOURCE_NOT_FOUND, codes.INVALID_GATEWAY_CREDENTIAL})


def same_certificates(context: Context) -> Iterator[Finding]:
    """
    Yield the Gateways of which a server shows the certificate of another Gateway's (Istio's C{CertificateAnalyzer}).

    Browsers use one connection for all names of a certificate, also for those that another server is for. Other than
    in Istio, credentials are one where they mean one Secret: a name alone is looked for in two namespaces.
    """
    alike: dict[_Certificate, list[_Shown]] = {}
    for gateway in context.resources.gateways:
        for index, server in enumerate(gateway.spec.servers):
            certificate = _certificate(context.keys, gateway, server.tls)
            if certificate is not None and server.tls is not None:
                alike.setdefault(certificate, []).append(_Shown(gateway, index, server.tls))
    for together in alike.values():
        for shown in together:
            selector = shown.gateway.spec.selector.items()
            for other in together:
                if other.gateway is not shown.gateway and selector <= other.gateway.spec.selector.items():
                    yield _shared(shown, other)


_Certificate = tuple[str, str, str]
"""What two servers with one certificate have in common."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """A server with a certificate, by its index."""

    gateway: Resource[Gateway]
    index: int
    tls: ServerTLSSettings


def _certificate(keys: KeySources, gateway: Resource[Gateway], tls: ServerTLSSettings | None) -> _Certificate | None:
    if tls is None:
        return None
    if tls.credential_name:
        return "Secret", *keys.meant(tls.credential_name, gateway.namespace)
    files = tls.server_certificate, tls.private_key
    return ("files", files[0], files[1]) if files[0] and files[1] else None


def _shared(shown: _Shown, other: _Shown) -> Finding:
    """Say that a server shows another's certificate: a note, where requests are served all the same."""
    origin = other.gateway.document.origin_of(("spec", "servers", other.index))
    message = f"servers[{shown.index}] has the certificate of servers[{other.index}] of {origin.resource} at {origin}: "
    if _terms(shown.tls) == _terms(other.tls):
        severity = Severity.INFO
        message += "both ask the same of clients, so requests that take the other's connection are served"
    else:
        severity = Severity.WARNING
        message += f"{_REUSED}: give each its own certificate, or both the same tls"
    return Finding(shown.gateway, ("metadata", "name"), codes.DUPLICATE_CERTIFICATE, message, severity)


_REUSED = "browsers send requests for one on connections to the other, which are answered 421"


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
    for declared in context.resources.gateways:
        gateway = declared.anew()
        problems = Problems()
        compiler = CredentialCompiler(context.keys, options, problems)
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
