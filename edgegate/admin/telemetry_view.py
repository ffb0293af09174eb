"""What files say of logs, traces and metrics, as rows: where they go, and what of all; no header's value is shown."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.admin.views import Row, origin_row
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.metrics import MetricOverride
from edgegate.model.origin import Origin
from edgegate.model.tracing import CustomTag, DeclaredTracing, TagSource
from edgegate.routing.snapshot import Snapshot


def telemetry(snapshot: Snapshot) -> list[Row]:
    """Return a row for each access log, one for traces, and one for each metric of which files say something."""
    rows = [_log(each) for each in snapshot.access_logs or ()]
    if snapshot.tracing is not None:
        rows.append(_traces(snapshot.tracing))
    if snapshot.metrics is not None:
        rows += [_metric(each, snapshot.metrics.origin) for each in snapshot.metrics.overrides]
    return rows


def _log(log: AccessLogFile) -> Row:
    said_of_it = [f"filter {log.filter}"] if log.filter else []
    place: Row = {} if log.origin is None else origin_row(log.origin)
    return {"type": "access log", "provider": log.name or None, "to": log.path, "settings": said_of_it, **place}


def _metric(override: MetricOverride, origin: Origin | None) -> Row:
    settings = ["disabled"] if override.disabled else []
    settings += [f"without {name}" for name in override.removed]
    settings += [f"{tag.name} is {tag.expression}" for tag in override.tags]
    place: Row = {} if origin is None else origin_row(origin)
    return {"type": "metrics", "provider": "prometheus", "to": override.metric, "settings": settings, **place}


def _traces(tracing: DeclaredTracing) -> Row:
    provider = tracing.provider
    to = "nowhere" if provider is None or tracing.disabled else provider.url.partition("?")[0]
    return {
        "type": "traces",
        "provider": None if provider is None else provider.format.value,
        "to": to,
        "settings": list(_settings(tracing)),
        **({} if tracing.origin is None else origin_row(tracing.origin)),
    }


def _settings(tracing: DeclaredTracing) -> Iterator[str]:
    if tracing.sampling is not None:
        yield f"sampling {tracing.sampling:g} %"
    if not tracing.by_request_id:
        yield "not by request id"
    if tracing.provider is not None:
        yield f"propagation {tracing.provider.propagation.value if tracing.propagates else 'none'}"
        named = (*tracing.provider.headers, *tracing.provider.environment_headers)
        if named:
            yield f"headers {' '.join(name for name, _ in named)}"
    if tracing.tag_length is not None:
        yield f"tags of {tracing.tag_length} bytes"
    yield from (f"tag {tag.name} is {_source(tag)}" for tag in tracing.tags)
    if not tracing.istio_tags:
        yield "without Istio's tags"


def _source(tag: CustomTag) -> str:
    return tag.value if tag.source is TagSource.LITERAL else f"{tag.source.value} {tag.value}"
