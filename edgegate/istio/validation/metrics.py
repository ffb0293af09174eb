"""What is said of metrics, by itself: labels, and the expressions of their values."""

from __future__ import annotations

import re

from edgegate.config.document import Path
from edgegate.config.values import show, suggestion
from edgegate.istio.kinds.telemetry import Metrics, Operation, TagOverride
from edgegate.istio.validation.findings import Findings
from edgegate.model.cel import parse
from edgegate.model.cel_tokens import BadExpression

_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_RESERVED = frozenset(("le", "quantile"))


def check_metrics(findings: Findings, path: Path, metrics: Metrics) -> None:
    """An item of C{Telemetry.metrics}: providers have names, labels too, and values are expressions of CEL."""
    for index, provider in enumerate(metrics.providers):
        if not provider.name:
            findings.error((*path, "providers", index, "name"), "a provider has a name")
    for index, override in enumerate(metrics.overrides):
        for name, tag in override.tag_overrides.items():
            _check_tag(findings, (*path, "overrides", index, "tagOverrides", name), name, tag)


def _check_tag(findings: Findings, path: Path, name: str, tag: TagOverride) -> None:
    if not _LABEL.fullmatch(name) or name.startswith("__") or name in _RESERVED:
        findings.error(path, f"{show(name)} is no label that can be given: letters, digits and _")
    if tag.operation is Operation.REMOVE:
        if tag.value:
            findings.error((*path, "value"), "what is removed has no value")
        return
    if not tag.value:
        findings.error(path, "it has no value: say one, or operation: REMOVE")
        return
    try:
        parse(tag.value)
    except BadExpression as error:
        hint = suggestion(error.word, error.known) if error.word else ""
        findings.error((*path, "value"), f"{error}{hint}")
