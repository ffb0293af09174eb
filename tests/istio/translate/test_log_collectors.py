"""Tests of L{edgegate.istio.translate.log_collectors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import LOG_NAME, AccessLogFile
from edgegate.model.log_formats import DefaultFormat, json_format, text_format
from tests.istio.translate.compiling import compiled
from tests.istio.translate.test_access_logs import GATEWAY, MESH, telemetry

CHOSEN = telemetry("[{providers: [{name: otel}]}]")

ENTRY = """\
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: otel, namespace: istio-system}
spec:
  hosts: [otel.example]
  resolution: STATIC
  ports: [{number: 4318, name: http, protocol: HTTP, targetPort: 5318}]
  endpoints: [{address: 10.0.0.1}, {address: 10.0.0.2}]
"""


class LogCollectorsTests(SynchronousTestCase):
    """Where records are sent."""

    def log(self, text: str) -> AccessLogFile | None:
        """Return the log that files ask for, if there is one."""
        snapshot, self.problems = compiled(GATEWAY + text)
        logs = snapshot.access_logs or ()
        return logs[0] if logs else None

    def said(self) -> str:
        """Return what was said."""
        return "\n".join(self.problems)

    def test_formats(self) -> None:
        """A provider may say the text and what there is besides; the default text is Istio's line."""
        found = self.log(MESH + CHOSEN)
        self.assertEqual(
            found,
            AccessLogFile(
                "otlp:http://otel.example:4318",
                text_format("%PROTOCOL%"),
                "otel",
                attributes=json_format({"a": "%DURATION%"}).value,
            ),
        )
        bare = MESH.replace(', logFormat: {text: "%PROTOCOL%", labels: {a: "%DURATION%"}}', ", logName: edge")
        found = self.log(bare + CHOSEN)
        assert found is not None
        self.assertEqual((found.format, found.attributes, found.log_name), (DefaultFormat.TEXT, None, "edge"))
        self.assertEqual(LOG_NAME, "otel_envoy_accesslog")

    def test_default_provider(self) -> None:
        """It may be a default provider as well."""
        found = self.log(MESH + "  defaultProviders: {accessLogging: [otel]}\n")
        assert found is not None
        self.assertEqual((found.name, str(found.origin)), ("otel", "in.yaml:19"))

    def test_services(self) -> None:
        """A service of the files is where its documents say, its name in the same or a named namespace."""
        for service, entry, where in (
            ("otel.example", ENTRY, "10.0.0.1:5318"),
            ("istio-system/otel.example", ENTRY, "10.0.0.1:5318"),
            ("otel.example", ENTRY.replace("10.0.0.1", '"::1"'), "[::1]:5318"),
            (
                "otel.example",
                ENTRY.replace("STATIC", "DNS").replace("10.0.0.1", "a.example"),
                "a.example:5318",
            ),
            ("infra/other.example", ENTRY, "other.example:4318"),
        ):
            found = self.log(MESH.replace("service: otel.example", f"service: {service}") + CHOSEN + entry)
            assert found is not None, (service, self.problems)
            self.assertEqual(found.path, f"otlp:http://{where}")

    def test_nowhere(self) -> None:
        """A port that the service has not, one that does not tell where it is, and one without endpoints are told."""
        other = ENTRY.replace("4318", "4319")
        nowhere = ENTRY.replace("STATIC", "NONE").partition("  endpoints")[0]
        empty = ENTRY.partition("  endpoints")[0]
        for entry, why in (
            (other, 'envoyOtelAls.port: "otel.example" has no port 4318; its ports: 4319'),
            (nowhere, 'envoyOtelAls.service: "otel.example": with resolution NONE'),
            (empty, 'envoyOtelAls.service: "otel.example" has no endpoint with an address and a port'),
        ):
            _, problems = compiled(GATEWAY + MESH + CHOSEN + entry)
            self.assertIn(why, "\n".join(problems))
        self.assertIn('not honoured: "otel" has no collector to go to', "\n".join(problems))
