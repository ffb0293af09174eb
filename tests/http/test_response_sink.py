"""Tests of L{edgegate.http.response_sink}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.response_reader import Nobody
from edgegate.http.response import ResponseHead
from edgegate.http.response_sink import ResponseSink
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks


class ResponseSinkTests(SynchronousTestCase):
    """Who hears of a response."""

    def test_whole(self) -> None:
        """Whoever asks a backend hears of it, and nobody does without harm; who leaves something out can't be made."""
        self.assertTrue(issubclass(UpstreamCallbacks, ResponseSink))
        nobody: ResponseSink = Nobody()
        head = ResponseHead(200, b"OK", [])
        nobody.response_interim(head)
        nobody.response_head(head)
        nobody.response_body(b"a")
        partial = type("Partial", (ResponseSink,), {"response_head": lambda self, head: None})
        self.assertRaises(TypeError, partial)
