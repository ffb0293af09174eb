"""What counts for the gateway as a whole: access logs, traces, metrics, what it takes of clients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from edgegate.diff.fields import FieldChange, change, changes
from edgegate.diff.findings import Difference, Findings, Section
from edgegate.diff.wording import words
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.metrics import DeclaredMetrics, MetricOverride
from edgegate.model.tracing import DeclaredTracing, TracingProvider
from edgegate.routing.snapshot import Snapshot


def compare_settings(old: Snapshot, new: Snapshot, findings: Findings) -> None:
    """Compare what belongs to no port."""
    told = (
        ("access log", tuple(_logs(old.access_logs, new.access_logs))),
        ("tracing", tuple(_tracing(old.tracing, new.tracing))),
        ("metrics", tuple(_metrics(old.metrics, new.metrics))),
        ("from its start on", tuple(changes(old.proxy, new.proxy))),
    )
    for place, found in told:
        if found:
            findings.differences.append(Difference(Section.GATEWAY, place, "", "", found))


def _logs(old: tuple[AccessLogFile, ...] | None, new: tuple[AccessLogFile, ...] | None) -> Iterator[FieldChange]:
    if old is None or new is None or old == new:
        if old != new:
            yield FieldChange("logs", _log_names(old), _log_names(new))
        return
    before, after = {_log_key(each): each for each in old}, {_log_key(each): each for each in new}
    if before.keys() == after.keys() and len(before) == len(old) == len(new):
        for key, log in before.items():
            yield from changes(log, after[key], log.path)
        return
    yield change("logs", old, new)


def _log_key(log: AccessLogFile) -> tuple[str, str]:
    return log.path, log.name


def _log_names(logs: tuple[AccessLogFile, ...] | None) -> str:
    return "as the gateway is started" if logs is None else "; ".join(words(each) for each in logs) or "none"


def _tracing(old: DeclaredTracing | None, new: DeclaredTracing | None) -> Iterator[FieldChange]:
    before, after = (None if each is None else _hidden(each) for each in (old, new))
    if before == after and old != new:
        yield FieldChange("provider headers", "their values", "others")
        return
    yield from changes(before or DeclaredTracing(), after or DeclaredTracing())
    if (old is None) != (new is None) and (before or DeclaredTracing()) == (after or DeclaredTracing()):
        yield FieldChange("declared", "no" if old is None else "yes", "no" if new is None else "yes")


def _hidden(tracing: DeclaredTracing) -> DeclaredTracing:
    """Hide what a collector's headers say: it may be a key."""
    provider = tracing.provider
    if provider is None:
        return tracing
    hidden = tuple((name, "hidden") for name, _ in provider.headers)
    return replace(tracing, provider=_with_headers(provider, hidden))


def _with_headers(provider: TracingProvider, headers: tuple[tuple[str, str], ...]) -> TracingProvider:
    return replace(provider, headers=headers)


def _metrics(old: DeclaredMetrics | None, new: DeclaredMetrics | None) -> Iterator[FieldChange]:
    before = {each.metric: each for each in (() if old is None else old.overrides)}
    after = {each.metric: each for each in (() if new is None else new.overrides)}
    for metric in dict.fromkeys([*before, *after]):
        usual = MetricOverride(metric)
        yield from changes(before.get(metric, usual), after.get(metric, usual), metric)
