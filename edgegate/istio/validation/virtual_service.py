"""Istio's rules for a VirtualService."""

from __future__ import annotations

import re
from urllib.parse import quote

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.virtual_service import (
    HTTPMatchRequest,
    HTTPRoute,
    StringMatch,
    TCPRoute,
    TLSRoute,
    VirtualService,
    is_claim,
)
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.http_actions import METHODS, check_actions
from edgegate.istio.validation.names import (
    check_export,
    check_header,
    check_subnet,
    check_subnets,
    host_fault,
    is_address,
)
from edgegate.istio.validation.routes import check_destinations, check_gateways, check_match_port, check_string_match
from edgegate.model import codes
from edgegate.model.hosts import is_partial, subset_of

MESH = "mesh"
"""The gateway that stands for all sidecars."""

_GENERATED = re.compile(r"outbound_[^_]*[0-9][^_]*_[^_]*_[^_]*[A-Za-z].*")
"""Names that Istio makes of services for AUTO_PASSTHROUGH: C{outbound_.80_._.web.default.svc.cluster.local}."""

_IN_A_PATH = "/%!$&'()*+,;=:@~"
_PSEUDO = frozenset({":authority", ":method", ":path", ":scheme", ":status"})
_ACTIONS = {"route": "route", "redirect": "redirect", "directResponse": "direct_response"}


def validate_virtual_service(resource: Resource[VirtualService], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of."""
    findings, spec = Findings(resource, problems), resource.spec
    if not spec.hosts:
        _check_delegate(findings, spec)
    _check_hosts(findings, spec)
    check_gateways(findings, ("spec", "gateways"), spec.gateways)
    check_export(findings, ("spec", "exportTo"), spec.export_to)
    if not spec.http and not spec.tls and not spec.tcp:
        findings.error(("spec",), "it has no routes: http, tls or tcp is missing")
    for index, route in enumerate(spec.http):
        _check_http(findings, ("spec", "http", index), route, delegated=not spec.hosts)
    for index, tls in enumerate(spec.tls):
        _check_tls(findings, ("spec", "tls", index), tls)
    for index, tcp in enumerate(spec.tcp):
        _check_tcp(findings, ("spec", "tcp", index), tcp)


def _check_delegate(findings: Findings, spec: VirtualService) -> None:
    """Without hosts it can only be the delegate of another VirtualService, with C{http} alone."""
    given = [name for name in ("gateways", "tls", "tcp") if getattr(spec, name)]
    if given or not spec.http:
        instead = f"no {given[0]}" if given else "http"
        message = f"a VirtualService has at least one host; one that is another's delegate has none, but {instead}"
        findings.error(("spec", "hosts"), message)


def _check_hosts(findings: Findings, spec: VirtualService) -> None:
    seen: set[str] = set()
    by_sni = any(match.sni_hosts for route in spec.tls for match in route.match)
    for index, host in enumerate(spec.hosts):
        path: Path = ("spec", "hosts", index)
        name = host.lower()
        fault = None if is_address(host) or (by_sni and _is_generated(host, spec)) else host_fault(host)
        if fault is None and host == "*" and (not spec.gateways or MESH in spec.gateways):
            fault = "* is for gateways only: name them in gateways, without mesh"
        if fault is None and name in seen:
            fault = f"{show(host)} comes twice"
        seen.add(name)
        if fault is not None:
            findings.error(path, fault)
    partial = [name for name in seen if name and is_partial(name)]
    for index, host in enumerate(spec.hosts):
        name = host.lower()
        among = [*_wider(name), *(pattern for pattern in partial if pattern != name and subset_of(name, pattern))]
        wider = next((pattern for pattern in among if pattern in seen), None)
        if wider is not None:
            findings.error(
                ("spec", "hosts", index), f"{show(host)} is covered by {show(wider)}: one of the two is enough"
            )


def _is_generated(host: str, spec: VirtualService) -> bool:
    """Whether a host is one of Istio's own for SNI, which it takes of VirtualServices for gateways alone."""
    return MESH not in spec.gateways and _GENERATED.fullmatch(host) is not None


def _wider(name: str) -> list[str]:
    """Return all patterns that cover a name or pattern, itself left out."""
    labels = name.removeprefix("*.").split(".")
    suffixes = ["*." + ".".join(labels[at:]) for at in range(1, len(labels))]
    return [*suffixes, "*"] if name != "*" else []


def _check_http(findings: Findings, path: Path, route: HTTPRoute, delegated: bool) -> None:
    actions = [
        name
        for name, attribute in _ACTIONS.items()
        if getattr(route, attribute) not in (None, ()) or findings.resource.left_out((*path, name))
    ]
    if route.delegate is not None:
        for name in actions:
            findings.error((*path, name), "goes with no delegate")
        if delegated:
            findings.error((*path, "delegate"), "a delegate has no delegates")
        elif not route.delegate.name:
            findings.error((*path, "delegate", "name"), "missing: which VirtualService has the routes?")
    elif not actions:
        if not findings.resource.left_out((*path, "delegate")):
            findings.error((*path, "route"), "missing: where do these requests go? (or redirect, or directResponse)")
    elif len(actions) > 1:
        findings.error((*path, actions[1]), f"only one of {' and '.join(actions)} can be done")
    for index, match in enumerate(route.match):
        _check_match(findings, (*path, "match", index), match)
    check_destinations(findings, (*path, "route"), route.route)
    check_actions(findings, path, route)


def _check_match(findings: Findings, path: Path, match: HTTPMatchRequest) -> None:
    for name in ("scheme", "method", "authority"):
        condition = getattr(match, name)
        if condition is not None:
            check_string_match(findings, (*path, name), condition)
    _check_words(findings, path, match)
    if match.uri is not None:
        _check_uri(findings, (*path, "uri"), match.uri)
    for name, value in match.headers.items():
        _check_name(findings, (*path, "headers", name), name)
        _check_value(findings, (*path, "headers", name), value)
    for name, value in match.without_headers.items():
        _check_name(findings, (*path, "withoutHeaders", name), name)
        if value.regex != "*":
            check_string_match(findings, (*path, "withoutHeaders", name), value)
    for name, value in match.query_params.items():
        _check_value(findings, (*path, "queryParams", name), value)
    check_match_port(findings, path, match.port)
    check_gateways(findings, (*path, "gateways"), match.gateways)


def _check_uri(findings: Findings, path: Path, uri: StringMatch) -> None:
    """An empty prefix is one that every path has; what no path is like is a mistake."""
    if uri.prefix != "":
        check_string_match(findings, path, uri)
    for kind in ("exact", "prefix"):
        value: str | None = getattr(uri, kind)
        if value is None or (value == "" and kind == "prefix"):
            continue
        if not value.startswith(("/", "*")):
            findings.warning(
                (*path, kind), f"{show(value)} never holds: a path begins with /", codes.CONDITION_NEVER_HOLDS
            )
        elif set(value) & set("?#"):
            findings.warning(
                (*path, kind),
                f"{show(value)} never holds: a path has no query, see queryParams",
                codes.CONDITION_NEVER_HOLDS,
            )
        elif not value.isascii():
            findings.warning(
                (*path, kind),
                f"never holds: a path is ASCII, say {show(quote(value, safe=_IN_A_PATH))}",
                codes.CONDITION_NEVER_HOLDS,
            )


def _check_words(findings: Findings, path: Path, match: HTTPMatchRequest) -> None:
    """A method in the wrong case, or a scheme that is none of HTTP's, is a mistake."""
    method = match.method.exact if match.method is not None else None
    if method is not None and method.upper() in METHODS and method not in METHODS:
        hint = show(method.upper())
        findings.warning(
            (*path, "method", "exact"),
            f"{show(method)} never holds: methods have a case; say {hint}",
            codes.CONDITION_NEVER_HOLDS,
        )
    scheme = match.scheme.exact if match.scheme is not None else None
    if scheme is not None and scheme not in ("http", "https"):
        findings.warning(
            (*path, "scheme", "exact"), f"{show(scheme)} never holds: it is http or https", codes.CONDITION_NEVER_HOLDS
        )


def _check_name(findings: Findings, path: Path, name: str) -> None:
    """What is asked for is a header, a pseudo-header, or a claim of a token."""
    spec = findings.resource.spec
    if is_claim(name):
        if spec.hosts and (not spec.gateways or MESH in spec.gateways):
            findings.error(path, "claims are for gateways only: name them in spec.gateways, without mesh")
    elif name not in _PSEUDO:
        check_header(findings, path, name)


def _check_value(findings: Findings, path: Path, value: StringMatch) -> None:
    """C{*} is no expression: it stands for presence, but only for C{withoutHeaders} does Istio take it."""
    if value.regex == "*":
        findings.warning(
            (*path, "regex"),
            '"*" is no expression and taken for presence, which Istio refuses: say {}',
            codes.OTHERWISE_IN_A_CLUSTER,
        )
    else:
        check_string_match(findings, path, value)


def _check_tls(findings: Findings, path: Path, route: TLSRoute) -> None:
    if not route.match:
        findings.error((*path, "match"), "a TLS route has at least one match, with sniHosts")
    for index, match in enumerate(route.match):
        place = (*path, "match", index)
        if not match.sni_hosts:
            findings.error((*place, "sniHosts"), "a match has at least one host")
        for at, host in enumerate(match.sni_hosts):
            if is_address(host):
                findings.warning(
                    (*place, "sniHosts", at),
                    f"{show(host)} never holds: SNI has no IP addresses",
                    codes.CONDITION_NEVER_HOLDS,
                )
                continue
            fault = None if _is_generated(host, findings.resource.spec) else host_fault(host)
            if fault is not None:
                findings.error((*place, "sniHosts", at), fault)
            elif is_partial(host):
                message = f"{show(host)}: Envoy finds no listener by a part of a label, so no cluster serves this"
                findings.warning((*place, "sniHosts", at), message, codes.OTHERWISE_IN_A_CLUSTER)
        check_subnets(findings, (*place, "destinationSubnets"), match.destination_subnets)
        check_match_port(findings, place, match.port)
        check_gateways(findings, (*place, "gateways"), match.gateways)
    if not route.route:
        findings.error((*path, "route"), "missing: a TLS route has destinations")
    check_destinations(findings, (*path, "route"), route.route)


def _check_tcp(findings: Findings, path: Path, route: TCPRoute) -> None:
    for index, match in enumerate(route.match):
        place = (*path, "match", index)
        check_subnets(findings, (*place, "destinationSubnets"), match.destination_subnets)
        if match.source_subnet:
            check_subnet(findings, (*place, "sourceSubnet"), match.source_subnet)
            findings.warning(
                (*place, "sourceSubnet"),
                "Istio never looks at it: there every client passes",
                codes.OTHERWISE_IN_A_CLUSTER,
            )
        check_match_port(findings, place, match.port)
        check_gateways(findings, (*place, "gateways"), match.gateways)
    if not route.route:
        findings.error((*path, "route"), "missing: a TCP route has destinations")
    check_destinations(findings, (*path, "route"), route.route)
