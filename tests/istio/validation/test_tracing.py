"""Tests of L{edgegate.istio.validation.tracing}."""

from __future__ import annotations

from tests.config.reading import told_of
from tests.istio.validation.cases import CasesTestCase


class TelemetryTracingTests(CasesTestCase):
    """C{Telemetry.tracing} by itself."""

    def test_shares(self) -> None:
        """A share is 0 to 100 percent."""
        share = "tracing: [{randomSamplingPercentage: %s}]"
        wrong = "spec.tracing[0].randomSamplingPercentage: percent are 0 to 100, not"
        self.check("Telemetry", [(share % "0", ""), (share % "100", ""), (share % "12.5", "")])
        self.check("Telemetry", [(share % "100.5", wrong), (share % "-1", wrong), (share % "x", "expected number")])

    def test_tags(self) -> None:
        """A tag says where its value comes from."""
        tag = "tracing: [{customTags: {a: %s}}]"
        self.check(
            "Telemetry",
            [
                (tag % "{literal: {value: b}}", ""),
                (tag % "{environment: {name: HOME, defaultValue: x}}", ""),
                (tag % "{header: {name: x-a}}", ""),
                (tag % "{}", "it says by literal, environment or header"),
                (tag % "{literal: {}}", "customTags.a.literal: it has no value"),
                (tag % "{environment: {}}", "it names no variable"),
                (tag % "{header: {name: 'a b'}}", '"a b" is no name of a header'),
                (tag % "{header: {name: ':path'}}", ":path is no header"),
                (tag % "{literal: {value: b}, header: {name: a}}", "only one of"),
                ("tracing: [{customTags: {'': {literal: {value: b}}}}]", "a tag has a name"),
                ("tracing: [{providers: [{name: ''}]}]", "a provider has a name"),
            ],
        )
        (told,) = told_of("Telemetry", tag % "{formatter: {value: x}}")
        self.assertIn("not honoured yet", told)


class CollectorTests(CasesTestCase):
    """Collectors and C{defaultConfig.tracing} by themselves."""

    def test_collectors(self) -> None:
        """They are somewhere, at a path, and get headers that there can be."""
        otlp = "extensionProviders: [{name: a, opentelemetry: {service: %s, port: %s, http: %s}}]"
        header = "{headers: [%s]}"
        self.check(
            "MeshConfig",
            [
                (otlp % ("ns/a.example", "4318", "{}"), ""),
                (otlp % ("a_b", "0", "{}"), "opentelemetry.port: 0 is no port"),
                (otlp % ("a..b", "1", "{}"), "opentelemetry.service: "),
                (otlp % ("'*.a'", "1", "{}"), '"*.a" is no service'),
                (otlp % ("a", "1", "{path: v1}"), '"v1" is no path'),
                (otlp % ("a", "1", "{path: '/a b'}"), "is no path"),
                (otlp % ("a", "1", header % "{name: a, value: b}"), ""),
                (otlp % ("a", "1", header % "{name: a}"), "by value or envName"),
                (otlp % ("a", "1", header % "{name: a, value: b, envName: C}"), "only one of"),
                (otlp % ("a", "1", header % '{name: a, value: "b\\n"}'), "characters that no header can have"),
                (otlp % ("a", "1", "{}, grpc: {}"), "only one of http and grpc"),
                ("extensionProviders: [{name: a, zipkin: {service: z, port: 70000}}]", "zipkin.port: 70000 is no port"),
                ("extensionProviders: [{name: a, zipkin: {service: z}}]", "port"),
            ],
        )
        grpc = "extensionProviders: [{name: a, opentelemetry: {service: a, port: 4317, grpc: {timeout: 1s}}}]"
        (told,) = told_of("MeshConfig", grpc)
        self.assertIn("spoken over HTTP only", told)
        datadog = "extensionProviders: [{name: a, datadog: {service: a, port: 8126}}]"
        (told,) = told_of("MeshConfig", datadog)
        self.assertIn("traces go out by OpenTelemetry over HTTP, or to Zipkin", told)

    def test_default_config(self) -> None:
        """An address has a port, and a share above 100 counts as 1."""
        said = "defaultConfig: {tracing: %s}"
        wrong = "tracing.zipkin.address: expected HOST:PORT"
        self.check(
            "MeshConfig",
            [
                (said % "{zipkin: {address: 'zipkin.istio-system:9411'}, sampling: 10}", ""),
                (said % "{zipkin: {address: '[::1]:9411'}}", ""),
                (said % "{zipkin: {address: zipkin}}", wrong),
                (said % "{zipkin: {address: 'zipkin:0'}}", wrong),
                (said % "{zipkin: {address: '*.a:1'}}", wrong),
                (said % "{zipkin: {address: 'a b:1'}}", wrong),
                (said % "{customTags: {a: {}}}", "customTags.a: it says by literal"),
                (said % "{smapling: 10}", "sampling"),
            ],
        )
        self.check("MeshConfig", [(said % "{sampling: 101}", "it counts as 1, as in Istio")], "warning")
        for text, words in (
            (said % "{datadog: {address: 'a:1'}}", "not honoured"),
            ("defaultConfig: {concurrency: 2}", "--workers says it"),
        ):
            (told,) = told_of("MeshConfig", text)
            self.assertIn(words, told)
