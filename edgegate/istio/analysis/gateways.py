"""Gateways that are in each other's way, or of no use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from edgegate.config.problems import Problems, Role, Severity
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.gateway import Gateway, Server, ServerTLSSettings
from edgegate.istio.resources import Resource
from edgegate.istio.translate.certificates import CertificateIssuers
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
    alike: dict[_Certificate, _Showing] = {}
    for gateway in context.resources.gateways:
        for index, server in enumerate(gateway.spec.servers):
            certificate = _certificate(context.keys, gateway, server.tls)
            if certificate is not None and server.tls is not None:
                asking = frozenset(gateway.spec.selector.items()), _terms(server.tls)
                servers = alike.setdefault(certificate, {}).setdefault(asking, {})
                servers.setdefault(gateway, index)
    for showing in alike.values():
        for asking, servers in showing.items():
            for gateway, index in servers.items():
                yield from _shared(context, gateway, index, asking, showing)


_Asking = tuple[frozenset[tuple[str, str]], tuple[object, ...]]
"""The selector of a Gateway, and what a server of it asks of clients."""

_Showing = dict[_Asking, dict[Resource[Gateway], int]]
"""The Gateways of which a server shows one certificate, with the index of the first that asks the same of clients."""

_Certificate = tuple[str, str, str]
"""What two servers with one certificate have in common."""


def _certificate(keys: KeySources, gateway: Resource[Gateway], tls: ServerTLSSettings | None) -> _Certificate | None:
    if tls is None:
        return None
    if tls.credential_name:
        return "Secret", *keys.meant(tls.credential_name, gateway.namespace)
    files = tls.server_certificate, tls.private_key
    return ("files", files[0], files[1]) if files[0] and files[1] else None


def _shared(
    context: Context, gateway: Resource[Gateway], index: int, asking: _Asking, showing: _Showing
) -> Iterator[Finding]:
    """Say once that a server shows the certificate of others: a note, where requests are served all the same."""
    selector, terms = asking
    fitting = [
        (servers, _APART if not _any_served(context, servers) else _SERVED if its == terms else "")
        for (its_selector, its), servers in showing.items()
        if selector <= its_selector
    ]
    count = sum(len(servers) - (gateway in servers) for servers, _ in fitting)
    fitting.sort(key=lambda each: bool(each[1]))  # those first whose requests are not served
    for servers, harmless in fitting:
        for other, at in servers.items():
            if other is gateway:
                continue
            origin = other.document.origin_of(("spec", "servers", at))
            more = f" and of {count - 1} more" if count > 1 else ""
            message = f"servers[{index}] has the certificate of servers[{at}] of {origin.resource} at {origin}{more}: "
            message += harmless or f"{_REUSED}: give each its own certificate, or both the same tls"
            severity = Severity.INFO if harmless else Severity.WARNING
            yield Finding(gateway, ("metadata", "name"), codes.DUPLICATE_CERTIFICATE, message, severity)
            return


_SERVED = "both ask the same of clients, so requests that take the other's connection are served"
_APART = "that Gateway is not served here"
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
    last: dict[tuple[Resource[Gateway], int], Server] = {}
    for gateway in context.resources.gateways:
        for server in gateway.spec.servers:
            last[gateway, server.port.number] = server
    known: dict[tuple[int, str, str], _BySelector] = {}
    for (gateway, number), server in last.items():
        selector = frozenset(gateway.spec.selector.items())
        for host in server.hosts:
            known.setdefault((number, server.bind or "", host), {}).setdefault(selector, {})[gateway] = None
    for gateway in context.resources.gateways:
        for index, server in enumerate(gateway.spec.servers):
            number = server.port.number
            where = number, server.bind or ""
            having = [known.get((*where, host), {}) for host in server.hosts]
            others = _others(gateway, having)
            if others:
                names = ", ".join(
                    sorted(f"{other.namespace}/{other.name} at {other.document.origin}" for other in others[:_SHOWN])
                )
                names += " and others" if len(others) > _SHOWN else ""
                message = f"port {number} and a host of this server are those of a server of {names}, too"
                path = ("spec", "servers", index)
                severity = Severity.WARNING if _meets_served(context, gateway, having) else Severity.INFO
                yield Finding(
                    gateway, path, codes.CONFLICTING_GATEWAYS, message, severity, renames=codes.SERVER_LEFT_OUT
                )


_BySelector = dict[frozenset[tuple[str, str]], dict[Resource[Gateway], None]]
"""Gateways, by their selectors."""

_SHOWN = 3


def _any_served(context: Context, alike: Iterable[Resource[Gateway]]) -> bool:
    """Whether Gateways of one selector are served: those that C{--selector} leaves out are in nobody's way."""
    return any(selected(each, context.options.selector) for each in islice(alike, 1))


def _meets_served(context: Context, gateway: Resource[Gateway], having: Iterable[_BySelector]) -> bool:
    """Whether another Gateway has a host that is served, too."""
    own = frozenset(gateway.spec.selector.items())
    return any(
        _any_served(context, gateways) and (len(gateways) > 1 or gateway not in gateways)
        for by_selector in having
        for selector, gateways in by_selector.items()
        if selector <= own or own <= selector
    )


def _others(gateway: Resource[Gateway], having: Iterable[_BySelector]) -> list[Resource[Gateway]]:
    """
    Return other Gateways that have a host, too, but not many more than are told.

    @param having: Those that have it, for each host.
    """
    found: dict[Resource[Gateway], None] = {}
    own = frozenset(gateway.spec.selector.items())
    for by_selector in having:
        for selector, gateways in by_selector.items():
            # every gateway that one selector chooses is chosen by the other, or the reverse
            if selector <= own or own <= selector:
                found.update(dict.fromkeys(islice(gateways, _SHOWN + 2)))
        found.pop(gateway, None)
        if len(found) > _SHOWN:
            break
    return list(found)


def credentials(context: Context) -> Iterator[Finding]:
    """
    Yield what is wrong with the Secrets that servers name (Istio's C{SecretAnalyzer}), also with those that are not
    served: the compiler tells of the others.
    """
    options = context.options
    for declared in context.resources.gateways:
        gateway = declared.anew()
        problems = Problems()
        issuers = CertificateIssuers(context.resources.certificate_issuers, context.keys, options, problems)
        compiler = CredentialCompiler(context.keys, options, problems, issuers)
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
