"""What a Telemetry must be by itself."""

from __future__ import annotations

from typing import Any

from edgegate.config.problems import Problems
from edgegate.config.values import suggestion
from edgegate.istio.kinds.telemetry import Telemetry
from edgegate.istio.resources import Resource
from edgegate.istio.validation.findings import Findings
from edgegate.istio.validation.metrics import check_metrics
from edgegate.istio.validation.tracing import check_tracing
from edgegate.model.cel import parse
from edgegate.model.cel_tokens import BadExpression


def validate_telemetry(resource: Resource[Any], problems: Problems) -> None:
    """It has one way to choose workloads, its filters are expressions of CEL, and what it says of traces can be."""
    findings = Findings(resource, problems)
    telemetry: Telemetry = resource.spec
    targets = telemetry.target_refs or telemetry.target_ref
    if telemetry.selector is not None and targets:
        findings.error(("spec", "selector"), "only one of selector and targetRefs can be given")
    for index, metrics in enumerate(telemetry.metrics):
        check_metrics(findings, ("spec", "metrics", index), metrics)
    for index, tracing in enumerate(telemetry.tracing):
        check_tracing(findings, ("spec", "tracing", index), tracing)
    for index, each in enumerate(telemetry.access_logging):
        text = None if each.filter is None else each.filter.expression
        if not text:
            continue
        path = ("spec", "accessLogging", index, "filter", "expression")
        try:
            parse(text)
        except BadExpression as error:
            hint = suggestion(error.word, error.known) if error.word else ""
            findings.error(path, f"{error}{hint}")
