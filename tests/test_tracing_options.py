"""Tests of L{edgegate.tracing_options}."""

from __future__ import annotations

from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tracing import SERVICE, Propagation, SpanFormat, Tracing, TracingProvider
from edgegate.observe.tracing.wanted import TracingOptions, wanted_tracing
from edgegate.twistd_options import Options


def tracing(*arguments: str) -> Tracing | None:
    """Read options."""
    options = Options()
    options.parseOptions(["--config", "etc", *arguments])
    found: TracingOptions = options["tracing"]
    return wanted_tracing(found, None)


def traced(*arguments: str) -> Tracing:
    """Read options by which something is traced."""
    found = tracing(*arguments)
    assert found is not None
    return found


class TracingOptionsTests(SynchronousTestCase):
    """Whether requests are traced, and how."""

    def test_off(self) -> None:
        """Without a collector nothing is traced, whatever else is said."""
        self.assertIsNone(tracing())
        self.assertIsNone(tracing("--trace-sampling=100", "--trace-service=edge"))

    def test_otlp(self) -> None:
        """A collector of OTLP gets spans at its usual path, of one request in a hundred."""
        found = traced("--trace-otlp=http://collector:4318")
        self.assertEqual(found.provider, TracingProvider(SpanFormat.OTLP, "http://collector:4318/v1/traces"))
        self.assertEqual((found.sampling, found.service, found.propagates, found.zone), (1.0, SERVICE, True, ""))
        self.assertTrue(found.node)

    def test_zipkin(self) -> None:
        """Zipkin gets its own, and B3 is what backends are told."""
        provider = traced("--trace-zipkin=https://zipkin.example/").provider
        url = "https://zipkin.example/api/v2/spans"
        self.assertEqual(provider, TracingProvider(SpanFormat.ZIPKIN, url, Propagation.B3, 5.0))

    def test_paths(self) -> None:
        """A path that is given is kept."""
        self.assertEqual(traced("--trace-otlp=http://c/otlp?a=b").provider.url, "http://c/otlp?a=b")

    def test_more(self) -> None:
        """The share, the name and the zone."""
        more = [
            "--trace-sampling=0.25",
            "--trace-service=edge",
            "--locality=eu/west/a",
            "--trace-otlp=http://[::1]:4318",
        ]
        found = traced(*more)
        self.assertEqual((found.sampling, found.service, found.zone), (0.25, "edge", "west"))
        self.assertEqual(found.provider.url, "http://[::1]:4318/v1/traces")

    def test_propagation(self) -> None:
        """Which headers there are, or none."""
        otlp = "--trace-otlp=http://c"
        self.assertIs(traced(otlp, "--trace-propagation=b3-w3c").provider.propagation, Propagation.B3_W3C)
        none = traced(otlp, "--trace-propagation=none")
        self.assertEqual((none.propagates, none.provider.propagation), (False, Propagation.W3C))

    def test_wrong(self) -> None:
        """What can't be is said by its option."""
        otlp = "--trace-otlp=http://c"
        for arguments, words in (
            (["--trace-otlp=collector:4318"], "--trace-otlp: expected http://HOST:PORT"),
            (["--trace-otlp=grpc://collector"], "--trace-otlp: expected"),
            (["--trace-otlp=http://"], "--trace-otlp: expected"),
            (["--trace-otlp=http://c:99999"], "--trace-otlp: expected"),
            (["--trace-otlp=http://c/a b"], "--trace-otlp: expected"),
            (["--trace-otlp=http://c/a\nb"], "--trace-otlp: expected"),
            (["--trace-otlp=http://user:word@c"], "--trace-otlp: expected"),
            (["--trace-zipkin=http://c#x"], "--trace-zipkin: expected"),
            (["--trace-zipkin=http://c\u00e4"], "--trace-zipkin: expected"),
            ([otlp, "--trace-zipkin=http://c"], "traces go to one collector"),
            (["--trace-sampling=101"], "--trace-sampling: expected percent"),
            (["--trace-sampling=-1"], "--trace-sampling: expected percent"),
            (["--trace-sampling=0.004"], "--trace-sampling: expected percent"),
            (["--trace-sampling=nan"], "--trace-sampling: expected percent"),
            (["--trace-service="], "--trace-service is a name"),
            ([otlp, "--trace-propagation=jaeger"], "--trace-propagation is one of w3c, b3, b3-w3c, none"),
        ):
            self.assertIn(words, str(self.assertRaises(UsageError, tracing, *arguments)), arguments)
