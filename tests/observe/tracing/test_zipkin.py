"""Tests of L{edgegate.observe.tracing.zipkin}."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.tracing.zipkin import ZipkinWriter
from tests.observe.tracing.test_otlp import ONE, TRACE, TWO, span


class ZipkinTests(SynchronousTestCase):
    """What Zipkin reads."""

    def test_batch(self) -> None:
        """Spans are a list, with times in microseconds."""
        writer = ZipkinWriter("gateway")
        spans = [span(parent_id=TWO, tags=[("a", 'b"\u00e4')], server=False, error=True), span()]
        found = json.loads(writer.batch([writer.span(each) for each in spans]))
        self.assertEqual(
            found[0],
            {
                "traceId": TRACE.decode(),
                "id": ONE.decode(),
                "parentId": TWO.decode(),
                "name": "web:80/*",
                "kind": "CLIENT",
                "timestamp": 10**15,
                "duration": 10**6,
                "localEndpoint": {"serviceName": "gateway"},
                "tags": {"a": 'b"\u00e4'},
            },
        )
        self.assertEqual((found[1]["kind"], "parentId" in found[1]), ("SERVER", False))
