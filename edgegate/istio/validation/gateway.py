"""Istio's rules for a Gateway."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds.gateway import Gateway, Server
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import (
    HTTP_PROTOCOLS,
    SECURE_PROTOCOLS,
    UNIX,
    check_port,
    check_protocol,
    check_unix,
    host_fault,
    is_address,
    is_label,
)
from edgegate.istio.validation.server_tls import check_plain, check_tls

LOCALHOST = "localhost"
"""The one host without a domain: no name of a cluster, but this machine's (RFC 6761 section 6.3)."""


def validate_gateway(resource: Resource[Gateway], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of."""
    findings = Findings(resource, problems)
    if not resource.spec.servers:
        findings.error(("spec", "servers"), "a Gateway has at least one server")
    port_names: dict[str, int] = {}
    names: dict[str, int] = {}
    for index, server in enumerate(resource.spec.servers):
        path: Path = ("spec", "servers", index)
        _check_hosts(findings, path, server)
        _check_port(findings, path, server)
        _check_server_tls(findings, path, server)
        first = port_names.setdefault(server.port.name, index)
        if first != index:
            findings.error((*path, "port", "name"), f"{show(server.port.name)} is the name of servers[{first}]'s port")
        if server.name:
            first = names.setdefault(server.name, index)
            if first != index:
                findings.error((*path, "name"), f"{show(server.name)} is the name of servers[{first}]")


def _check_hosts(findings: Findings, path: Path, server: Server) -> None:
    if not server.hosts:
        findings.error((*path, "hosts"), "a server has at least one host, * for any")
    for index, text in enumerate(server.hosts):
        place: Path = (*path, "hosts", index)
        namespace, slash, host = text.rpartition("/")
        if "://" not in text and slash and namespace not in ("*", ".") and not is_label(namespace):
            hint = f"; a host has no path: write {namespace}" if "." in namespace else ""
            findings.error(place, f"{show(namespace)} is no namespace{hint}")
        host = text if "://" in text else host
        fault = None if is_address(host) else host_fault(host, partial=False)
        if fault is None and host.lower() not in ("*", LOCALHOST) and "." not in host and ":" not in host:
            fault = f"{show(host)} is a short name: a Gateway's hosts are those that clients use, with their domain"
        if fault is not None:
            findings.error(place, fault)


def _check_port(findings: Findings, path: Path, server: Server) -> None:
    port, place = server.port, (*path, "port")
    bind = server.bind or ""
    check_protocol(findings, (*place, "protocol"), port.protocol)
    if not port.name:
        findings.error((*place, "name"), "a port has a name")
    if port.target_port:
        findings.error((*place, "targetPort"), "has no meaning on a Gateway")
    if not bind.startswith(UNIX):
        check_port(findings, (*place, "number"), port.number)
        if bind and not is_address(bind):
            findings.error((*path, "bind"), f"{show(bind)} is neither an IP address nor unix:// with a path")
        return
    check_unix(findings, (*path, "bind"), bind)
    if port.number:
        findings.error((*place, "number"), "must be 0 where bind is a UNIX socket")


def _check_server_tls(findings: Findings, path: Path, server: Server) -> None:
    protocol = server.port.protocol.upper()
    place = (*path, "tls")
    if protocol in SECURE_PROTOCOLS:
        if server.tls is None:
            findings.error(place, f"missing: a server of protocol {protocol} has TLS settings")
        else:
            check_tls(findings, place, server.tls)
    elif server.tls is not None:
        check_plain(findings, place, server.tls, protocol, protocol in HTTP_PROTOCOLS)
