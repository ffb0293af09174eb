"""What goes in the clear and looks as if it should not."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import structs

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.analysis.context import Context, Declared, in_mesh_alone
from edgegate.istio.analysis.destinations import destinations
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.analysis.services import protocol_of
from edgegate.istio.kinds.destination_rule import ClientTLSSettings, TrafficPolicy
from edgegate.istio.kinds.gateway import Gateway, Server, TLSMode
from edgegate.istio.kinds.service import Service
from edgegate.istio.kinds.service_entry import ServiceEntry
from edgegate.istio.kinds.virtual_service import HTTPMatchRequest, HTTPRoute, StringMatch, VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate.servers import HTTP_PROTOCOLS
from edgegate.model import codes

_SECRET = re.compile(
    r"(?:^|[/._-])(?:log-?in|sign-?in|auth|oauth2?|sso|account|accounts|password|passwd|admin|checkout|payment|pay"
    r"|billing|bank|wallet|token|session)(?:$|[/._-])"
)
"""Words in paths and host names by which people send passwords and the like."""

_TLS_PORTS = frozenset({443, 8443})


def to_backends(context: Context, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """Yield HTTP destinations that listen for TLS, as it seems, and get requests in the clear."""
    if in_mesh_alone(spec):
        return
    for path, destination in destinations(spec):
        if path[1] != "http":
            continue
        host = destination.host.strip()
        found = context.hosts.find(host, resource.namespace, spec.export_to)
        number = destination.port.number if destination.port is not None else None
        if number is None and found is not None and len(found.ports) == 1:
            number = found.ports[0]
        why = _why_tls(found, number)
        if why and not _has_tls(context, host, resource.namespace, number):
            message = f"{why}, and no DestinationRule of {show(host)} has tls: requests are sent there in the clear"
            yield Finding(resource, (*path, "host"), codes.PLAIN_TEXT_TO_TLS_PORT, message)


def _why_tls(found: Declared | None, number: int | None) -> str:
    """Return why a port seems to be one of TLS: what is said of it counts more than its number; empty: it does not."""
    said = "" if found is None else _said(found, number)
    if found is not None and said in ("HTTPS", "TLS"):
        return f"{found.resource.document.origin.resource} says that port {number} speaks {said}"
    return f"port {number} is one of TLS" if not said and number in _TLS_PORTS else ""


def _said(found: Declared, number: int | None) -> str:
    """Return what is said that a port speaks, in capitals."""
    spec = found.resource.spec
    if isinstance(spec, ServiceEntry):
        return next(((port.protocol or "").upper() for port in spec.ports if port.number == number), "")
    assert isinstance(spec, Service)
    return next((protocol_of(port).upper() for port in spec.ports if port.port == number), "")


def _has_tls(context: Context, host: str, namespace: str, number: int | None) -> bool:
    """Whether some rule, wherever it is, says what TLS to talk with a port of a host; none of it counts as well."""
    return any(
        policy is not None and _says_tls(policy, number)
        for rule in context.rules.of(host, namespace)
        for policy in (rule.traffic_policy, *(subset.traffic_policy for subset in rule.subsets))
    )


def _says_tls(policy: TrafficPolicy, number: int | None) -> bool:
    of_port: list[ClientTLSSettings | None] = [
        each.tls for each in policy.port_level_settings if each.port is not None and each.port.number == number
    ]
    return any(tls is not None for tls in (policy.tls, *of_port))


def from_clients(context: Context, resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """Yield routes that look secret, of a host that is served in the clear as well as over TLS; of each the first."""
    served = [context.gateways[key] for _, key in context.gateways_of(resource, spec) if key in context.gateways]
    for index, host in enumerate(spec.hosts):
        plain = next(_servers(context, served, host, secure=False), None)
        if plain is None or next(_servers(context, served, host, secure=True), None) is None:
            continue
        where = _secret(spec, index, plain[1].port.number)
        if where is not None:
            gateway, server, at = plain
            origin = gateway.document.origin_of(("spec", "servers", at))
            message = f"also served in the clear, on port {server.port.number} ({origin.resource} at {origin})"
            message += ": give that server tls.httpsRedirect: true"
            yield Finding(resource, where, codes.SECRETS_IN_PLAIN_TEXT, message)


def _servers(
    context: Context, gateways: list[Resource[Gateway]], host: str, secure: bool
) -> Iterator[tuple[Resource[Gateway], Server, int]]:
    for gateway in gateways:
        for index in context.served_by(gateway).servers(host):
            server = gateway.spec.servers[index]
            tls = server.tls
            if server.port.protocol.upper() == "HTTPS":
                fits = secure and tls is not None and tls.mode is not TLSMode.PASSTHROUGH
            else:
                redirects = tls is not None and tls.https_redirect is True
                fits = not secure and server.port.protocol.upper() in HTTP_PROTOCOLS and not redirects
            if fits:
                yield gateway, server, index


def _secret(spec: VirtualService, index: int, port: int) -> Path | None:
    """Return where a VirtualService says something secret that goes to a backend on a port in the clear."""
    for at, route in enumerate(spec.http):
        if not route.route:
            if _answers_all(route, port):
                return None
            continue
        if not route.match and _SECRET.search(spec.hosts[index].lower()):
            return ("spec", "hosts", index)
        for number in _in_the_clear(route, port):
            uri = route.match[number].uri
            path = (uri.exact or uri.prefix or "") if uri is not None else ""
            if _SECRET.search(path.lower()):
                return ("spec", "http", at, "match", number)
            if _SECRET.search(spec.hosts[index].lower()):
                return ("spec", "hosts", index)
    return None


def _answers_all(route: HTTPRoute, port: int) -> bool:
    """Whether a route answers all that comes in the clear by itself, such as with a redirect to https."""
    if route.redirect is None and route.direct_response is None:
        return False
    return not route.match or any(_takes_all(match, port) for match in route.match)


def _takes_all(match: HTTPMatchRequest, port: int) -> bool:
    """Whether a match takes every request that comes to a port in the clear."""
    rest = structs.replace(match, name=None, stat_prefix=None, uri=None, scheme=None, port=None)
    return (
        rest == HTTPMatchRequest()
        and match.uri in (None, StringMatch(prefix="/"))
        and match.scheme in (None, StringMatch(exact="http"))
        and match.port in (None, 0, port)
    )


def _in_the_clear(route: HTTPRoute, port: int) -> Iterator[int]:
    """Yield the matches of a route that may hold for a request in the clear."""
    for number, match in enumerate(route.match):
        https = match.scheme is not None and match.scheme.exact == "https"
        if not https and match.port in (None, 0, port):
            yield number
