"""Tests of L{edgegate.explain.recorded}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.recorded import RecordedStream
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.model.guards.guard import Guard
from edgegate.model.origin import Origin
from tests.explain.explaining import Explained
from tests.explain.test_advice import service
from tests.istio.translate.compiling import gateway


class RecordedStreamTests(SynchronousTestCase):
    """Answers to nobody."""

    def test_kept(self) -> None:
        """What the functions that serve answer is kept, and an answer has nobody who could pause it or take it over."""
        explained = Explained.of(gateway("gw", "80 HTTP *") + service("a", "a.example", "{redirect: {uri: /x}}"))
        exchange = explained.decide("GET", "http://a.example/").asked
        assert exchange is not None
        stream = exchange.stream
        assert isinstance(stream, RecordedStream)
        self.assertIsNone(stream.answered)
        refuse(exchange, Guard("n/p", Origin("a", 1, "K n/p")), Refusal(403, b"no", "denied"))
        assert stream.answered is not None
        self.assertEqual((stream.answered.status, stream.body), (403, b"no"))
        self.assertIsNone(stream.run_sink())
