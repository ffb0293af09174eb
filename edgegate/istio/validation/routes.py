"""Rules that all routes of a VirtualService share: matches, destinations, weights."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.config.document import Path
from edgegate.config.values import show, with_port
from edgegate.istio.kinds.virtual_service import Destination, HTTPRouteDestination, RouteDestination, StringMatch
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.names import check_port, host_fault, is_address, is_label
from edgegate.model import codes
from edgegate.model.expressions import check_regex


def check_gateways(findings: Findings, path: Path, names: Sequence[str]) -> None:
    """A gateway is a name in the own namespace, C{NAMESPACE/NAME}, or C{mesh}."""
    for index, name in enumerate(names):
        parts = name.split("/")
        if len(parts) > 2 or not all(is_label(part) for part in parts[:-1]) or host_fault(parts[-1], wildcard=False):
            findings.error((*path, index), f"{show(name)} is no gateway: say NAME or NAMESPACE/NAME")
        elif len(parts) == 1 and "." in name:
            own, namespace = name.split(".")[:2]
            findings.warning(
                (*path, index), f"is an old way to name a gateway: say {namespace}/{own}", codes.SCHEMA_WARNING
            )


def check_match_port(findings: Findings, path: Path, port: int | None) -> None:
    """A port to match is that of a server; 0 is none."""
    if port:
        check_port(findings, (*path, "port"), port)


def check_string_match(findings: Findings, path: Path, match: StringMatch | None) -> None:
    """A prefix and a regular expression are not empty, and the latter is RE2's."""
    if match is None:
        return
    if match.prefix == "":
        findings.error((*path, "prefix"), "empty")
    if match.regex is not None:
        check_expression(findings, (*path, "regex"), match.regex)


def check_expression(findings: Findings, path: Path, expression: str) -> None:
    """A regular expression is RE2's."""
    if not expression:
        findings.error(path, "empty")
        return
    try:
        check_regex(expression)
    except ValueError as error:
        findings.error(path, f"not a regular expression of RE2: {error}")


def check_destination(findings: Findings, path: Path, destination: Destination) -> None:
    """A destination is one service; which, the compiler finds out."""
    fault = None if is_address(destination.host.strip("[]")) else host_fault(destination.host)
    if destination.host == "*":
        fault = "* is no service: name one"
    parts = with_port(destination.host)
    if parts is not None:
        fault = f"{show(destination.host)} has a port: write host: {parts[0]}, port: {{number: {parts[1]}}}"
    if fault is not None:
        findings.error((*path, "host"), fault)
    if destination.subset and not is_label(destination.subset):
        findings.error((*path, "subset"), f"{show(destination.subset)} is no name of a subset")
    if destination.port is not None:
        if destination.port.number is None:
            findings.error((*path, "port", "number"), "missing")
        else:
            check_port(findings, (*path, "port", "number"), destination.port.number)


def check_destinations(
    findings: Findings, path: Path, destinations: Sequence[HTTPRouteDestination | RouteDestination]
) -> None:
    """Each destination of a route, and the sum of their weights."""
    for index, each in enumerate(destinations):
        place = (*path, index)
        check_destination(findings, (*place, "destination"), each.destination)
        if each.weight is not None and each.weight < 0:
            findings.error((*place, "weight"), f"{each.weight} is below 0")
    if len(destinations) > 1 and not any(each.weight for each in destinations):
        findings.error(path, "all weights are 0: nothing would go anywhere")
