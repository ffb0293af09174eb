"""What counting for Prometheus adds to each request, told in calls and objects."""

from __future__ import annotations

import re
from dataclasses import replace
from types import CodeType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.request_metrics import RequestMetrics
from edgegate.model.tracing import SpanFormat, Tracing, TracingProvider
from edgegate.observe.metrics import families
from edgegate.observe.metrics.meters import ListenerMeter
from edgegate.observe.observers import Observers
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.tracer import Tracer
from edgegate.version import compiled
from tests.http.conversation import plain
from tests.perf.test_objects import REQUESTS, Kept

_FILES = re.compile(r"/(request_metrics\.py|observe/metrics/\w+\.py)$")

CALLS = 7
"""Functions that are called for a request that ends like the one before: four times C{bucket_of} among them."""


class Counted(Kept):
    """A client and a backend whose requests are counted."""

    def __init__(self, *observers: Any) -> None:
        """
        @param observers: Are told of them besides.
        """
        super().__init__()
        conversation = self.conversation
        meters = conversation.clusters.environment.meters
        conversation.environment.observer = Observers([conversation, *observers, RequestMetrics(meters)])
        self.client = conversation.client(replace(plain(), meter=ListenerMeter(meters, "0.0.0.0_8080")))
        for _ in range(10):
            self.ask(0)


class MetricsTests(SynchronousTestCase):
    """Requests on kept connections."""

    if compiled():
        skip = "compiled functions cannot be counted, nor take fakes"

    def test_calls(self) -> None:
        """A request is counted in few calls."""
        seen = [(code, count) for code, count in Counted().calls(0).items() if _FILES.search(code.co_filename)]
        self.assertLessEqual(sum(count for _, count in seen), CALLS, seen)
        self.assertIn("request_ended", {code.co_name for code, _ in seen})
        self.assertNotIn("__init__", {code.co_name for code, _ in seen})

    def test_exemplars(self) -> None:
        """That a request is sampled, so that its trace is kept with its bucket, costs no call more."""
        tracing = Tracing(TracingProvider(SpanFormat.OTLP, "http://collector.example/"), 100)
        traced = Counted(Tracer(tracing, lambda span: b"", lambda written: None, Sampler(100)))

        def called(kept: Counted) -> dict[CodeType, int]:
            return {code: count for code, count in kept.calls(0).items() if _FILES.search(code.co_filename)}

        self.assertEqual(called(traced), called(Counted()))
        meters = traced.conversation.clusters.environment.meters
        self.assertTrue([series for series in meters.of(families.REQUESTS) if series.exemplars])

    def test_left(self) -> None:
        """A thousand requests that end alike leave nothing behind but larger numbers."""
        self.assertLess(Counted().left(), REQUESTS // 2)
