"""Istio's rules for a WorkloadEntry, wherever it stands, and for a WorkloadGroup."""

from __future__ import annotations

import re

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show, with_port
from edgegate.istio.kinds.workload import HTTPHealthCheck, ReadinessProbe, WorkloadEntry, WorkloadGroup
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import (
    UNIX,
    check_labels,
    check_port,
    check_unix,
    host_fault,
    is_address,
    is_label,
)

_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_PROBE_HEADER = re.compile(r"[-_A-Za-z0-9]+")  # what Kubernetes takes in a probe
_CONTROL = re.compile(r"[\0-\x08\n-\x1f\x7f]")
_SCHEMES = ("", "HTTP", "HTTPS")


def validate_workload_entry(resource: Resource[WorkloadEntry], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of."""
    findings, path = Findings(resource, problems), ("spec",)
    check_workload(findings, path, resource.spec)
    for name in resource.spec.ports:
        if not is_label(name):
            findings.error((*path, "ports", name), f"{show(name)} is no name of a port: letters, digits and -")


def check_workload(findings: Findings, path: Path, entry: WorkloadEntry) -> None:
    """An endpoint has an address (a mesh finds one by its network), ports that are some, and labels."""
    address = entry.address or ""
    place = (*path, "address")
    if not address and entry.network:
        findings.warning(place, "missing: only a mesh finds an endpoint by its network; it is left out")
    elif not address:
        findings.error(place, "missing")
    else:
        check_address(findings, place, address)
    check_ports(findings, path, entry)


def check_address(findings: Findings, path: Path, address: str) -> None:
    """The address of an endpoint is an IP address, a name or a UNIX socket."""
    if address.startswith(UNIX):
        check_unix(findings, path, address)
    elif not is_address(address):
        parts = with_port(address)
        fault = host_fault(address, wildcard=False)
        if parts is not None:
            where = "targetPort of the service's port, or under ports by that one's name"
            fault = f"{show(address)} has a port: write address: {parts[0]}, and {parts[1]} as {where}"
        if fault is not None:
            findings.error(path, fault)


def check_ports(findings: Findings, path: Path, entry: WorkloadEntry) -> None:
    """Ports are some, a UNIX socket has none, and labels are what Kubernetes takes."""
    if (entry.address or "").startswith(UNIX) and entry.ports:
        findings.error((*path, "ports"), "a UNIX socket has no ports")
    for name, number in entry.ports.items():
        check_port(findings, (*path, "ports", name), number)
    check_labels(findings, (*path, "labels"), entry.labels)


def validate_workload_group(resource: Resource[WorkloadGroup], problems: Problems) -> None:
    """Report whatever Istio would refuse, and probes that only a workload itself could make."""
    findings, spec = Findings(resource, problems), resource.spec
    if spec.template is None:
        findings.error(("spec", "template"), "missing: it says what the entries of the group have in common")
    else:
        if spec.template.address:
            check_address(findings, ("spec", "template", "address"), spec.template.address)
        check_ports(findings, ("spec", "template"), spec.template)
    if spec.metadata is not None:
        check_labels(findings, ("spec", "metadata", "labels"), spec.metadata.labels)
    if spec.probe is not None:
        _check_probe(findings, ("spec", "probe"), spec.probe)


def _check_probe(findings: Findings, path: Path, probe: ReadinessProbe) -> None:
    counts = (
        probe.initial_delay_seconds,
        probe.timeout_seconds,
        probe.period_seconds,
        probe.success_threshold,
        probe.failure_threshold,
    )
    for name, count in zip(_COUNTS, counts, strict=True):
        if count is not None and count < 0:
            findings.error((*path, name), f"{count} is less than 0")
    if probe.http_get is not None:
        _check_http_get(findings, (*path, "httpGet"), probe.http_get)
    elif probe.tcp_socket is not None:
        check_port(findings, (*path, "tcpSocket", "port"), probe.tcp_socket.port)
    elif probe.grpc is not None:
        check_port(findings, (*path, "grpc", "port"), probe.grpc.port or 0)
    elif probe.exec is not None:
        if not probe.exec.command:
            findings.error((*path, "exec", "command"), "missing")
    else:
        findings.error(path, "does not say how to ask: httpGet, tcpSocket or grpc")


def _check_http_get(findings: Findings, place: Path, probe: HTTPHealthCheck) -> None:
    check_port(findings, (*place, "port"), probe.port)
    if (probe.scheme or "") not in _SCHEMES:
        findings.error((*place, "scheme"), f"{show(probe.scheme)} is neither HTTP nor HTTPS")
    if probe.path and not probe.path.startswith("/"):
        findings.error((*place, "path"), f"{show(probe.path)} does not begin with /")
    for index, header in enumerate(probe.http_headers):
        name, value = header.name or "", header.value or ""
        if not _PROBE_HEADER.fullmatch(name):
            findings.error((*place, "httpHeaders", index, "name"), f"{show(name)} is no name of a header")
        if _CONTROL.search(value):
            findings.error((*place, "httpHeaders", index, "value"), f"{show(value)} has control characters")
