"""Tests of L{edgegate.admin.telemetry_view}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.tables import table
from edgegate.admin.telemetry_view import telemetry
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.metrics import DeclaredMetrics, MetricOverride, MetricTag
from edgegate.model.origin import Origin
from edgegate.model.tracing import CustomTag, DeclaredTracing, SpanFormat, TagSource, TracingProvider
from edgegate.routing.snapshot import Snapshot

ORIGIN = Origin("gw.yaml", 7, "Telemetry default/t")


class TelemetryViewTests(SynchronousTestCase):
    """Logs and traces as rows."""

    def test_nothing(self) -> None:
        """Files that say nothing have no rows."""
        self.assertEqual(telemetry(Snapshot()), [])
        self.assertEqual(table("telemetry", []), "no telemetry found\n")

    def test_rows(self) -> None:
        """Where they go, and what of all; nothing of headers but their names, nor of a query."""
        log = AccessLogFile("a.log", name="a", filter="response.code >= 400", origin=ORIGIN)
        provider = TracingProvider(
            SpanFormat.OTLP,
            "http://c:4318/v1/traces?token=secret",
            headers=(("authorization", "secret"),),
            environment_headers=(("x-key", "KEY"),),
        )
        tags = (CustomTag("a", TagSource.LITERAL, "b"), CustomTag("c", TagSource.HEADER, "x-c"))
        traces = DeclaredTracing(
            provider, sampling=12.5, by_request_id=False, tag_length=64, tags=tags, istio_tags=False, origin=ORIGIN
        )
        rows = telemetry(Snapshot(access_logs=(log,), tracing=traces))
        self.assertEqual(
            rows,
            [
                {
                    "type": "access log",
                    "provider": "a",
                    "to": "a.log",
                    "settings": ["filter response.code >= 400"],
                    "resource": "Telemetry default/t",
                    "file": "gw.yaml:7",
                },
                {
                    "type": "traces",
                    "provider": "otlp",
                    "to": "http://c:4318/v1/traces",
                    "settings": [
                        "sampling 12.5 %",
                        "not by request id",
                        "propagation w3c",
                        "headers authorization x-key",
                        "tags of 64 bytes",
                        "tag a is b",
                        "tag c is header x-c",
                        "without Istio's tags",
                    ],
                    "resource": "Telemetry default/t",
                    "file": "gw.yaml:7",
                },
            ],
        )
        self.assertIn("gw.yaml:7", table("telemetry", rows))
        self.assertNotIn("secret", str(rows))

    def test_metrics(self) -> None:
        """Each metric of which files say something is a row."""
        override = MetricOverride("istio_requests_total", True, ("response_code",), (MetricTag("a", "request.host"),))
        (row,) = telemetry(Snapshot(metrics=DeclaredMetrics((override,), ORIGIN)))
        self.assertEqual((row["type"], row["to"], row["file"]), ("metrics", "istio_requests_total", "gw.yaml:7"))
        self.assertEqual(row["settings"], ["disabled", "without response_code", "a is request.host"])

    def test_off(self) -> None:
        """Traces that are turned off, or have no collector, go nowhere."""
        for traces in (
            DeclaredTracing(),
            DeclaredTracing(TracingProvider(SpanFormat.OTLP, "http://c/"), disabled=True),
        ):
            (row,) = telemetry(Snapshot(tracing=traces))
            self.assertEqual(row["to"], "nowhere")
