"""Istio's rules for a ServiceEntry."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.service_entry import Resolution, ServiceEntry
from edgegate.istio.kinds.workload import WorkloadEntry
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import (
    HTTP_PROTOCOLS,
    PROTOCOLS,
    SECURE_PROTOCOLS,
    UNIX,
    check_export,
    check_port,
    check_protocol,
    check_selector,
    check_subnets,
    host_fault,
    is_address,
    is_label,
)
from edgegate.istio.validation.workload import check_workload

SERVICE_PROTOCOLS = (*PROTOCOLS, "UDP")

_BY_DNS = frozenset({Resolution.DNS, Resolution.DNS_ROUND_ROBIN, Resolution.DYNAMIC_DNS})


def validate_service_entry(resource: Resource[ServiceEntry], problems: Problems) -> None:
    """Report whatever Istio would refuse, or warn of."""
    findings, spec = Findings(resource, problems), resource.spec
    resolution = spec.resolution or Resolution.NONE
    _check_hosts(findings, spec, resolution)
    _check_addresses(findings, spec, resolution)
    _check_ports(findings, spec, resolution)
    _check_resolution(findings, spec, resolution)
    for index, endpoint in enumerate(spec.endpoints):
        _check_endpoint(findings, ("spec", "endpoints", index), endpoint, spec, resolution)
    check_export(findings, ("spec", "exportTo"), spec.export_to, nobody=True)


def _check_hosts(findings: Findings, spec: ServiceEntry, resolution: Resolution) -> None:
    if not spec.hosts:
        findings.error(("spec", "hosts"), "a ServiceEntry has at least one host")
    by_name = resolution in _BY_DNS and resolution is not Resolution.DYNAMIC_DNS and not spec.endpoints
    seen: set[str] = set()
    for index, host in enumerate(spec.hosts):
        path: Path = ("spec", "hosts", index)
        fault = "* would stand for everything: name the hosts" if host == "*" else host_fault(host)
        if fault is None and resolution is Resolution.DYNAMIC_DNS and not host.startswith("*"):
            fault = f"{show(host)} is no wildcard, which DYNAMIC_DNS is for: say DNS"
        if fault is None and by_name and host.startswith("*"):
            fault = f"{show(host)} can't be resolved by {resolution.value}: name a host, or endpoints"
        if fault is None and host.lower() in seen:
            fault = f"{show(host)} comes twice"
        seen.add(host.lower())
        if fault is not None:
            findings.error(path, fault)


def _check_addresses(findings: Findings, spec: ServiceEntry, resolution: Resolution) -> None:
    check_subnets(findings, ("spec", "addresses"), spec.addresses)
    if resolution in _BY_DNS:
        for index, address in enumerate(spec.addresses):
            if "/" in address:
                message = f"{show(address)}: blocks of addresses go with NONE and STATIC only"
                findings.error(("spec", "addresses", index), message)


def _check_ports(findings: Findings, spec: ServiceEntry, resolution: Resolution) -> None:
    numbers: dict[int, int] = {}
    names: dict[str, int] = {}
    for index, port in enumerate(spec.ports):
        path: Path = ("spec", "ports", index)
        check_port(findings, (*path, "number"), port.number)
        if not is_label(port.name):
            findings.error((*path, "name"), f"{show(port.name)} is no name of a port: letters, digits and -")
        if port.protocol:
            check_protocol(findings, (*path, "protocol"), port.protocol, SERVICE_PROTOCOLS)
        if port.target_port is not None:
            check_port(findings, (*path, "targetPort"), port.target_port)
        first = numbers.setdefault(port.number, index)
        if first != index:
            findings.error((*path, "number"), f"{port.number} is the number of ports[{first}] too")
        first = names.setdefault(port.name, index)
        if first != index:
            findings.error((*path, "name"), f"{show(port.name)} is the name of ports[{first}] too")
        protocol = (port.protocol or "TCP").upper()
        if len(spec.hosts) > 1 and resolution is not Resolution.NONE and protocol in _INDISTINCT:
            message = f"several hosts on a port of protocol {protocol}: nothing in it tells which of them is meant"
            findings.error((*path, "protocol"), message)


_INDISTINCT = frozenset(SERVICE_PROTOCOLS) - HTTP_PROTOCOLS - SECURE_PROTOCOLS


def _check_resolution(findings: Findings, spec: ServiceEntry, resolution: Resolution) -> None:
    path: Path = ("spec", "endpoints")
    if resolution is Resolution.DYNAMIC_DNS:
        _check_dynamic(findings, spec)
    if spec.workload_selector is not None:
        selector: Path = ("spec", "workloadSelector")
        if spec.endpoints:
            findings.error(selector, "goes with no endpoints")
        check_selector(findings, (*selector, "labels"), spec.workload_selector.labels)
    if resolution is Resolution.NONE and spec.endpoints:
        given = "NONE" if spec.resolution else "NONE, which it is where none is given"
        findings.error(path, f"resolution {given}, has no endpoints: was STATIC or DNS meant?")
    if resolution is Resolution.STATIC and not (spec.endpoints or spec.addresses or spec.workload_selector):
        warn_of_no_endpoints(findings.resource, findings.problems)
    if resolution is Resolution.DNS_ROUND_ROBIN and len(spec.endpoints) > 1:
        findings.error(path, "one at most with resolution DNS_ROUND_ROBIN")


def _check_dynamic(findings: Findings, spec: ServiceEntry) -> None:
    """C{DYNAMIC_DNS} takes its names from requests, so that they have to say one."""
    for name, given in (("endpoints", spec.endpoints), ("workloadSelector", spec.workload_selector)):
        if given:
            findings.warning(("spec", name), "changes nothing with DYNAMIC_DNS: names are those that requests ask for")
    for index, port in enumerate(spec.ports):
        protocol = (port.protocol or "TCP").upper()
        if protocol in _INDISTINCT:
            message = f"{protocol} has no names: with DYNAMIC_DNS only a connection with SNI is served"
            findings.warning(("spec", "ports", index, "protocol"), message)


def warn_of_no_endpoints(resource: Resource[ServiceEntry], problems: Problems) -> None:
    """Report a ServiceEntry without endpoints. It is no error: Istio takes it."""
    message = "none: whatever is sent there is answered 503 (UH) until there is one, or resolution is DNS"
    resource.warning(problems, ("spec", "endpoints"), message)


def _check_endpoint(
    findings: Findings, path: Path, endpoint: WorkloadEntry, spec: ServiceEntry, resolution: Resolution
) -> None:
    address = endpoint.address or ""
    place = (*path, "address")
    check_workload(findings, path, endpoint)
    if address.startswith(UNIX):
        if resolution in _BY_DNS:
            findings.error(place, f"{show(address)} goes with resolution STATIC only")
        if len(spec.ports) != 1:
            findings.error(place, f"a UNIX socket serves exactly one port; the service has {len(spec.ports)}")
    elif address and not is_address(address) and resolution is Resolution.STATIC:
        findings.error(place, f"{show(address)} is no IP address: a name needs resolution DNS")
    names = [port.name for port in spec.ports]
    for name in endpoint.ports:
        if name not in names:
            hint = suggestion(name, names)
            findings.error((*path, "ports", name), f"the service has no port {show(name)}{hint}")
