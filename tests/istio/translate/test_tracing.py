"""Tests of L{edgegate.istio.translate.tracing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import (
    CustomTag,
    DeclaredTracing,
    Propagation,
    SpanFormat,
    TagSource,
    TracingProvider,
)
from tests.istio.translate.compiling import compiled
from tests.istio.translate.test_access_logs import GATEWAY

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders:
  - name: otel
    opentelemetry: {service: otel.example, port: 4318, maxTagLength: 64, http: {path: /v1/traces}}
  - name: zip
    zipkin: {service: zipkin.example, port: 9411, disableContextPropagation: true}
  - {name: grpc, opentelemetry: {service: otel.example, port: 4317}}
  - {name: logs, envoyFileAccessLog: {path: a.log}}
"""

DEFAULT = MESH + "  defaultProviders: {tracing: [otel]}\n"

LEGACY = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  enableTracing: true
  defaultConfig:
    tracing:
      sampling: 20
      maxPathTagLength: 99
      zipkin: {address: "zipkin.example:9411"}
      customTags: {a: {literal: {value: b}}}
"""

OTEL = TracingProvider(SpanFormat.OTLP, "http://otel.example:4318/v1/traces")
ZIPKIN = TracingProvider(SpanFormat.ZIPKIN, "http://zipkin.example:9411/api/v2/spans", Propagation.B3, 5.0)
TAG = CustomTag("a", TagSource.LITERAL, "b")


def telemetry(entries: str, namespace: str = "istio-system", name: str = "t", more: str = "") -> str:
    """Return a document."""
    return f"""\
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  {more}
  tracing: {entries}
"""


class TracingTests(SynchronousTestCase):
    """How requests are traced by files."""

    def tracing(self, text: str) -> DeclaredTracing | None:
        """Return what files say."""
        snapshot, problems = compiled(GATEWAY + text)
        self.problems = [each for each in problems if "no http route" not in each]
        return snapshot.tracing

    def test_nothing(self) -> None:
        """Files that say nothing of traces leave it to options; providers alone say nothing."""
        self.assertIsNone(self.tracing(""))
        self.assertIsNone(self.tracing(MESH))
        self.assertIsNone(self.tracing(LEGACY.partition("  defaultConfig")[0]))

    def test_default_provider(self) -> None:
        """A default provider traces without Telemetry."""
        found = self.tracing(DEFAULT)
        self.assertEqual(found, DeclaredTracing(OTEL, tag_length=64))
        assert found is not None
        self.assertEqual(str(found.origin), "in.yaml:19")
        self.assertEqual(self.problems, [])

    def test_by_mesh(self) -> None:
        """defaultConfig counts where nothing else does, unless tracing is turned off."""
        expected = DeclaredTracing(ZIPKIN, sampling=20, tag_length=99, tags=(TAG,))
        self.assertEqual(self.tracing(LEGACY), expected)
        self.assertEqual(self.tracing(LEGACY.replace("  enableTracing: true\n", "")), expected)
        off = self.tracing(LEGACY.replace("enableTracing: true", "enableTracing: false"))
        self.assertTrue(off is not None and off.disabled)
        self.assertEqual(self.problems, [])

    def test_mesh_is_parent(self) -> None:
        """What Telemetry leaves open defaultConfig says: the share, the tags and their length."""
        providers = MESH.partition("spec:\n")[2].replace("maxTagLength: 64, ", "")
        found = self.tracing(LEGACY + providers + telemetry("[{providers: [{name: otel}]}]"))
        self.assertEqual(found, DeclaredTracing(OTEL, sampling=20, tag_length=99, tags=(TAG,)))
        own = "[{providers: [{name: otel}], randomSamplingPercentage: 0, customTags: {c: {header: {name: X-C}}}}]"
        found = self.tracing(LEGACY + providers + telemetry(own))
        tags = (CustomTag("c", TagSource.HEADER, "x-c"),)
        self.assertEqual(found, DeclaredTracing(OTEL, sampling=0, tag_length=99, tags=tags))

    def test_sampling_of_mesh(self) -> None:
        """A share of 0 says nothing, and one that is none means 1, with a warning."""
        for share, expected in (("0", None), ("101", 1.0), ("12.5", 12.5)):
            found = self.tracing(LEGACY.replace("sampling: 20", f"sampling: {share}"))
            self.assertEqual(found and found.sampling, expected)
            self.assertEqual(len(self.problems), share == "101")

    def test_levels(self) -> None:
        """Each thing that a later level says wins; tags are replaced as a whole, the rest is inherited."""
        root = telemetry(
            "[{providers: [{name: otel}], randomSamplingPercentage: 5, customTags: {x: {literal: {value: z}}}}]"
        )
        own = telemetry("[{randomSamplingPercentage: 7.25}, {enableIstioTags: false}]", "infra")
        selecting = telemetry(
            "[{customTags: {a: {literal: {value: b}}}, useRequestIdForTraceSampling: false, providers: [{name: ZIP}]}]",
            "infra",
            "s",
            "selector: {matchLabels: {istio: ingressgateway}}",
        )
        found = self.tracing(MESH + selecting + own + root)
        expected = DeclaredTracing(
            ZIPKIN, sampling=7.25, by_request_id=False, propagates=False, tags=(TAG,), istio_tags=False
        )
        self.assertEqual(found, expected)
        found = self.tracing(MESH + own + root)
        self.assertEqual(found and (found.provider, found.tag_length), (OTEL, 64))
        self.assertEqual(self.problems, [])

    def test_disabled(self) -> None:
        """Spans that are not to be reported are not made, until a later level has them reported."""
        off = telemetry("[{disableSpanReporting: true}]")
        found = self.tracing(DEFAULT + off)
        self.assertTrue(found is not None and found.disabled)
        found = self.tracing(DEFAULT + off + telemetry("[{disableSpanReporting: false}]", "infra", "again"))
        self.assertTrue(found is not None and not found.disabled)

    def test_server(self) -> None:
        """What is for servers is told, and changes nothing."""
        found = self.tracing(DEFAULT + telemetry("[{match: {mode: SERVER}, randomSamplingPercentage: 50}]"))
        self.assertEqual(found, DeclaredTracing(OTEL, tag_length=64))
        self.assertIn("SERVER is for what workloads receive", "\n".join(self.problems))
        found = self.tracing(DEFAULT + telemetry("[{match: {mode: CLIENT}, randomSamplingPercentage: 50}]"))
        self.assertEqual(found and found.sampling, 50)

    def test_tags(self) -> None:
        """Tags have values of several kinds; one with operators is left out with a warning."""
        tags = (
            "{a: {literal: {value: b}}, c: {environment: {name: D, defaultValue: e}},"
            " f: {header: {name: X-G, defaultValue: h}}, i: {formatter: {value: '%PROTOCOL%'}}}"
        )
        found = self.tracing(DEFAULT + telemetry(f"[{{customTags: {tags}}}]"))
        expected = (
            TAG,
            CustomTag("c", TagSource.ENVIRONMENT, "D", "e"),
            CustomTag("f", TagSource.HEADER, "x-g", "h"),
        )
        self.assertEqual(found and found.tags, expected)
        (told,) = self.problems
        self.assertIn("customTags.i.formatter: not honoured yet", told)

    def test_providers_that_are_none(self) -> None:
        """Without a provider that takes spans nothing is traced, which is told where it is named."""
        for name, words in (
            ("otle", 'warning: spec.tracing[0].providers[0].name: "otle" is no provider of MeshConfig: nothing is'),
            ("grpc", '"grpc" (in.yaml:17) takes spans by gRPC, which is not spoken: say `http`'),
            ("logs", '"logs" (in.yaml:18) is no collector that spans can go to'),
        ):
            found = self.tracing(DEFAULT + telemetry(f"[{{providers: [{{name: {name}}}]}}]"))
            self.assertIsNone(found and found.provider)
            (told,) = self.problems
            self.assertIn(words, told)
        found = self.tracing(MESH + "  defaultProviders: {tracing: [grpc]}\n")
        self.assertIsNone(found and found.provider)
        self.assertIn("in.yaml:19:32: warning: spec.defaultProviders.tracing[0]: not honoured", self.problems[0])

    def test_no_provider(self) -> None:
        """Telemetry that names nobody says how much is traced; who takes it an option has to say."""
        found = self.tracing(telemetry("[{randomSamplingPercentage: 5}]"))
        self.assertEqual(found, DeclaredTracing(sampling=5))
        (told,) = self.problems
        self.assertIn("no provider is named, and MeshConfig has no defaultProviders.tracing", told)

    def test_several(self) -> None:
        """Of several providers the first counts."""
        found = self.tracing(MESH + telemetry("[{providers: [{name: zip}, {name: otel}]}]"))
        self.assertEqual(found and found.provider, ZIPKIN)
        (told,) = self.problems
        self.assertIn("spec.tracing[0].providers[1]: traces go to one collector: only the first counts", told)
