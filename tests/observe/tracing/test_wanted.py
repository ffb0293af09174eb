"""Tests of L{edgegate.observe.tracing.wanted}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import (
    ISTIO_TAGS,
    SERVICE,
    TAG_LENGTH,
    CustomTag,
    DeclaredTracing,
    Propagation,
    SpanFormat,
    TagSource,
    Tracing,
    TracingProvider,
)
from edgegate.observe.tracing.wanted import TracingOptions, wanted_tracing

OTHER = TracingProvider(SpanFormat.OTLP, "http://option.example/")
DECLARED = TracingProvider(SpanFormat.ZIPKIN, "http://file.example/", Propagation.B3)
TAGS = (CustomTag("a", TagSource.LITERAL, "b"),)


class WantedTests(SynchronousTestCase):
    """Options, files and defaults together."""

    def test_nothing(self) -> None:
        """Without a collector nothing is traced, whatever else is said."""
        self.assertIsNone(wanted_tracing(TracingOptions(), None))
        self.assertIsNone(wanted_tracing(TracingOptions(sampling=5, propagates=True), DeclaredTracing(sampling=100)))

    def test_files(self) -> None:
        """What files say counts; the rest is as it is by default."""
        self.assertEqual(
            wanted_tracing(TracingOptions(node="here", zone="z"), DeclaredTracing(DECLARED)),
            Tracing(DECLARED, 1.0, True, True, SERVICE, TAG_LENGTH, "here", "z", (), ISTIO_TAGS),
        )
        said = DeclaredTracing(DECLARED, False, 0, False, False, 9, TAGS, False)
        self.assertEqual(
            wanted_tracing(TracingOptions(), said),
            Tracing(DECLARED, 0, False, False, SERVICE, 9, "", "", TAGS, ()),
        )

    def test_options_win(self) -> None:
        """Each option wins over what files say of the same, and over nothing else."""
        said = DeclaredTracing(DECLARED, sampling=5, propagates=False, tags=TAGS)
        found = wanted_tracing(TracingOptions(OTHER, 50, "edge"), said)
        self.assertEqual(found, Tracing(OTHER, 50, service="edge", tags=TAGS))
        found = wanted_tracing(TracingOptions(propagation=Propagation.W3C, propagates=True), said)
        assert found is not None
        self.assertEqual((found.provider.url, found.provider.propagation), (DECLARED.url, Propagation.W3C))
        self.assertEqual((found.propagates, found.sampling), (True, 5))

    def test_disabled(self) -> None:
        """Files turn off what they say; an option that names a collector is none of it."""
        off = DeclaredTracing(DECLARED, disabled=True)
        self.assertIsNone(wanted_tracing(TracingOptions(), off))
        self.assertIsNotNone(wanted_tracing(TracingOptions(OTHER), off))
