"""Kubernetes' rules for Secrets, Services and their endpoints, as far as they matter here."""

from __future__ import annotations

import re

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.secret import Secret
from edgegate.istio.kinds.service import Endpoints, EndpointSlice, Service, ServiceType
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_port, host_fault, is_address

TLS_SECRET = "kubernetes.io/tls"
SERVICE_NAME = "kubernetes.io/service-name"
"""The label that names the Service of an EndpointSlice."""

_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_ADDRESS_TYPES = ("IPv4", "IPv6", "FQDN")


def validate_secret(resource: Resource[Secret], problems: Problems) -> None:
    """Report what Kubernetes would refuse. No value is shown."""
    findings, spec = Findings(resource, problems), resource.spec
    keys = [(part, key) for part, entries in (("data", spec.data), ("stringData", spec.string_data)) for key in entries]
    for part, key in keys:
        if not _KEY.fullmatch(key):
            findings.error((part, key), "a key is made of letters, digits, -, _ and .")
    if spec.type != TLS_SECRET:
        return
    for needed in ("tls.crt", "tls.key"):
        if needed not in spec.contents:
            like = next((key for _, key in keys if suggestion(key, [needed])), None)
            hint = f": was it meant by {show(like)}?" if like is not None and like not in ("tls.crt", "tls.key") else ""
            findings.error(("data", needed), f"missing: a Secret of type {TLS_SECRET} has it{hint}")


def validate_service(resource: Resource[Service], problems: Problems) -> None:
    """Report what Kubernetes would refuse."""
    findings, spec = Findings(resource, problems), resource.spec
    if spec.type is ServiceType.EXTERNAL_NAME:
        name = spec.external_name or ""
        fault = host_fault(name, wildcard=False) if name else "missing: a Service of type ExternalName has it"
        if fault is not None:
            findings.error(("spec", "externalName"), fault)
    numbers: set[tuple[int, str]] = set()
    names: set[str] = set()
    for index, port in enumerate(spec.ports):
        path: Path = ("spec", "ports", index)
        check_port(findings, (*path, "port"), port.port)
        if isinstance(port.target_port, int):
            check_port(findings, (*path, "targetPort"), port.target_port)
        if len(spec.ports) > 1 and not port.name:
            findings.error((*path, "name"), "missing: of several ports each has a name")
        number = (port.port, port.protocol or "TCP")
        if number in numbers:
            findings.error((*path, "port"), f"{port.port} comes twice")
        if port.name and port.name in names:
            findings.error((*path, "name"), f"{show(port.name)} comes twice")
        numbers.add(number)
        names.add(port.name or "")


def validate_endpoint_slice(resource: Resource[EndpointSlice], problems: Problems) -> None:
    """Report what Kubernetes would refuse, and a slice that belongs to no Service."""
    findings, spec = Findings(resource, problems), resource.spec
    if not resource.document.labels.get(SERVICE_NAME):
        findings.warning(("metadata", "labels"), f"without the label {SERVICE_NAME} it belongs to no Service")
    if spec.address_type is None:
        findings.error(("addressType",), "missing")
    elif spec.address_type not in _ADDRESS_TYPES:
        hint = suggestion(spec.address_type, _ADDRESS_TYPES)
        findings.error(("addressType",), f"{show(spec.address_type)} is none of {', '.join(_ADDRESS_TYPES)}{hint}")
    for index, endpoint in enumerate(spec.endpoints):
        for at, address in enumerate(endpoint.addresses):
            _check_address(findings, ("endpoints", index, "addresses", at), address, names=spec.address_type == "FQDN")
    for index, port in enumerate(spec.ports):
        if port.port is not None:
            check_port(findings, ("ports", index, "port"), port.port)


def validate_endpoints(resource: Resource[Endpoints], problems: Problems) -> None:
    """Report what Kubernetes would refuse."""
    findings = Findings(resource, problems)
    for index, subset in enumerate(resource.spec.subsets):
        path: Path = ("subsets", index)
        for at, address in enumerate(subset.addresses):
            _check_address(findings, (*path, "addresses", at, "ip"), address.ip, names=False)
        for at, port in enumerate(subset.ports):
            if port.port is not None:
                check_port(findings, (*path, "ports", at, "port"), port.port)


def _check_address(findings: Findings, path: Path, address: str, names: bool) -> None:
    if names:
        fault = host_fault(address, wildcard=False)
        if fault is not None:
            findings.error(path, fault)
    elif not is_address(address):
        findings.error(path, f"{show(address)} is no IP address")
