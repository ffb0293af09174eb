"""Where a collector is, by itself."""

from __future__ import annotations

from edgegate.config.document import Path
from edgegate.config.values import show
from edgegate.istio.validation.findings import Findings
from edgegate.model.hosts import normalise

MOST_PORT = 65535


def check_place(findings: Findings, path: Path, service: str, port: int) -> None:
    """
    A collector has a service, HOST or NAMESPACE/HOST, and a port.

    @param path: Of what has C{service} and C{port}.
    """
    namespace, _, host = service.rpartition("/")
    try:
        if not host or "/" in namespace or normalise(host).startswith("*"):
            raise ValueError("it is a host, or NAMESPACE/HOST")
    except ValueError as error:
        findings.error((*path, "service"), f"{show(service)} is no service: {error}")
    if not 1 <= port <= MOST_PORT:
        findings.error((*path, "port"), f"{port} is no port: 1 to {MOST_PORT}")
