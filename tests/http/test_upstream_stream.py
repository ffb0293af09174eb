"""Tests of L{edgegate.http.upstream_stream}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.upstream.pooled_stream import PooledStream


class UpstreamStreamTests(SynchronousTestCase):
    """What carries requests to backends."""

    def test_whole(self) -> None:
        """A connection of HTTP/1 does all that is asked of a stream; what leaves something out can't be made."""
        self.assertTrue(issubclass(HTTP1UpstreamConnection, UpstreamStream))
        self.assertTrue(issubclass(UpstreamStream, PooledStream))
        self.assertEqual(HTTP1UpstreamConnection.__abstractmethods__, frozenset())
        partial = type("Partial", (UpstreamStream,), {"send": lambda self, request: None})
        self.assertRaises(TypeError, partial)
