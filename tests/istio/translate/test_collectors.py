"""Tests of L{edgegate.istio.translate.collectors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import LOG_NAME, AccessLogFile
from edgegate.model.log_formats import DefaultFormat, json_format, text_format
from edgegate.model.tracing import Propagation, SpanFormat, TracingProvider
from tests.istio.translate import test_access_logs
from tests.istio.translate.compiling import compiled
from tests.istio.translate.test_access_logs import GATEWAY, telemetry

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh, namespace: istio-system}
spec:
  extensionProviders:
  - %s
  defaultProviders: {tracing: [c]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: otel, namespace: observability}
spec:
  hosts: [otel.example]
  resolution: STATIC
  ports: [{number: 4318, name: http}, {number: 80, name: web}]
  endpoints: %s
"""

ONE = "[{address: 10.1.0.1, ports: {http: 14318}}]"


LOGS = test_access_logs.MESH

CHOSEN = telemetry("[{providers: [{name: otel}]}]")

SERVICE = """\
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


class SpanCollectorTests(SynchronousTestCase):
    """Where spans go."""

    def provider(self, said: str, endpoints: str = ONE) -> TracingProvider | None:
        """Return a provider's collector."""
        snapshot, problems = compiled(GATEWAY + MESH % (said, endpoints))
        self.problems = [each for each in problems if "no http route" not in each]
        return None if snapshot.tracing is None else snapshot.tracing.provider

    def test_name(self) -> None:
        """A service that no file declares is looked up by its name; a namespace before it is left out."""
        for service, host in (("a.example", "a.example"), ("ns/b.ns.svc.cluster.local", "b.ns.svc.cluster.local")):
            found = self.provider(f"{{name: c, opentelemetry: {{service: {service}, port: 4318, http: {{}}}}}}")
            self.assertEqual(found, TracingProvider(SpanFormat.OTLP, f"http://{host}:4318/v1/traces"))

    def test_service(self) -> None:
        """One of the files is asked at its endpoint, by its own name."""
        said = "{name: c, opentelemetry: {service: otel.example, port: 4318, http: {path: /otlp, timeout: 3s}}}"
        expected = TracingProvider(
            SpanFormat.OTLP, "http://10.1.0.1:14318/otlp", timeout=3.0, headers=(("host", "otel.example:4318"),)
        )
        self.assertEqual(self.provider(said), expected)
        self.assertEqual(self.problems, [])
        self.assertEqual(self.provider(said, "[{address: 10.1.0.1}, {address: 10.1.0.2}]"), replaced(expected))
        (told,) = self.problems
        self.assertIn('opentelemetry.service: spans go to the first endpoint of "otel.example" alone', told)

    def test_nowhere(self) -> None:
        """A service without such a port, or without an endpoint, takes nothing."""
        said = "{name: c, opentelemetry: {service: otel.example, port: 4317, http: {}}}"
        self.assertIsNone(self.provider(said))
        self.assertIn('is at port 4317, which "otel.example" does not have: it has 80, 4318', self.problems[0])
        said = said.replace("4317", "4318")
        for endpoints in ("[]", "[{address: 'unix:///run/otel'}]"):
            self.assertIsNone(self.provider(said, endpoints))
            self.assertIn("which has no endpoint with an IP address or a name", "\n".join(self.problems))

    def test_headers(self) -> None:
        """Headers have a value, or the name of a variable, whose value is in no file."""
        headers = "[{name: x-a, value: b}, {name: authorization, envName: TOKEN}]"
        said = f"{{name: c, opentelemetry: {{service: a.example, port: 1, http: {{headers: {headers}}}}}}}"
        found = self.provider(said)
        assert found is not None
        self.assertEqual((found.headers, found.environment_headers), ((("x-a", "b"),), (("authorization", "TOKEN"),)))

    def test_zipkin(self) -> None:
        """Zipkin's path, its headers, and by which headers traces go on."""
        for more, expected in (
            ("", TracingProvider(SpanFormat.ZIPKIN, "http://a.example:9411/api/v2/spans", Propagation.B3, 5.0)),
            (
                ", path: /x, timeout: 1s, traceContextOption: USE_B3_WITH_W3C_PROPAGATION",
                TracingProvider(SpanFormat.ZIPKIN, "http://a.example:9411/x", Propagation.B3_W3C, 1.0),
            ),
        ):
            self.assertEqual(self.provider(f"{{name: c, zipkin: {{service: a.example, port: 9411{more}}}}}"), expected)


def replaced(provider: TracingProvider) -> TracingProvider:
    """Return the same at the port of the service, which the endpoint does not map."""
    return TracingProvider(
        provider.format, "http://10.1.0.1:4318/otlp", timeout=provider.timeout, headers=provider.headers
    )


class LineCollectorTests(SynchronousTestCase):
    """Where lines of access logs go."""

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
        found = self.log(LOGS + CHOSEN)
        self.assertEqual(
            found,
            AccessLogFile(
                "otlp:http://otel.example:4318",
                text_format("%PROTOCOL%"),
                "otel",
                attributes=json_format({"a": "%DURATION%"}).value,
            ),
        )
        bare = LOGS.replace(', logFormat: {text: "%PROTOCOL%", labels: {a: "%DURATION%"}}', ", logName: edge")
        found = self.log(bare + CHOSEN)
        assert found is not None
        self.assertEqual((found.format, found.attributes, found.log_name), (DefaultFormat.TEXT, None, "edge"))
        self.assertEqual(LOG_NAME, "otel_envoy_accesslog")

    def test_default_provider(self) -> None:
        """It may be a default provider as well."""
        found = self.log(LOGS + "  defaultProviders: {accessLogging: [otel]}\n")
        assert found is not None
        self.assertEqual((found.name, str(found.origin)), ("otel", "in.yaml:19"))

    def test_services(self) -> None:
        """A service of the files is where its documents say, its name in the same or a named namespace."""
        for service, entry, where in (
            ("otel.example", SERVICE, "10.0.0.1:5318"),
            ("istio-system/otel.example", SERVICE, "10.0.0.1:5318"),
            ("otel.example", SERVICE.replace("10.0.0.1", '"::1"'), "[::1]:5318"),
            (
                "otel.example",
                SERVICE.replace("STATIC", "DNS").replace("10.0.0.1", "a.example"),
                "a.example:5318",
            ),
            ("infra/other.example", SERVICE, "other.example:4318"),
        ):
            found = self.log(LOGS.replace("service: otel.example", f"service: {service}") + CHOSEN + entry)
            assert found is not None, (service, self.problems)
            self.assertEqual(found.path, f"otlp:http://{where}")

    def test_nowhere(self) -> None:
        """A port that the service has not, one that does not tell where it is, and one without endpoints are told."""
        other = SERVICE.replace("4318", "4319")
        nowhere = SERVICE.replace("STATIC", "NONE").partition("  endpoints")[0]
        empty = SERVICE.partition("  endpoints")[0]
        for entry, why in (
            (other, 'envoyOtelAls.service: "otel" is at port 4318, which "otel.example" does not have: it has 4319'),
            (nowhere, 'envoyOtelAls.service: "otel" is at "otel.example", and with resolution NONE'),
            (empty, 'envoyOtelAls.service: "otel" is at "otel.example", which has no endpoint with'),
        ):
            _, problems = compiled(GATEWAY + LOGS + CHOSEN + entry)
            self.assertIn(why, "\n".join(problems))
        self.assertIn('not honoured: "otel" has no collector to go to', "\n".join(problems))
