"""Tests of L{edgegate.upstream.pooled_stream}."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.h2.upstream_stream import HTTP2UpstreamStream
from edgegate.upstream.pooled_stream import PooledStream
from tests.upstream.test_new_stream import FakeStream


class PooledStreamTests(SynchronousTestCase):
    """What a pool may take for a stream."""

    def test_whole(self) -> None:
        """One that can't be closed, or does not say whether it is worn, is none."""

        class Unclosed(PooledStream):
            __slots__ = ()

            @property
            def worn(self) -> bool:
                return False

        class Unworn(PooledStream):
            __slots__ = ()

            def close(self) -> None:
                """End it."""

        for kind in (PooledStream, Unclosed, Unworn):
            self.assertRaises(TypeError, kind)

    def test_alone(self) -> None:
        """Unless it says so it carries nothing else, and pools tell it by its identity."""
        endpoint = cast(Any, None)
        one, other = FakeStream(endpoint, key="a"), FakeStream(endpoint, key="a")
        self.assertFalse(one.shared)
        self.assertEqual((one.key, other.key), ("a", "a"))
        self.assertNotEqual(one, other)
        self.assertEqual(len({one, other}), 2)

    def test_versions(self) -> None:
        """Streams of both versions of HTTP are such; that of HTTP/2 shares its connection."""
        self.assertTrue(issubclass(HTTP1UpstreamConnection, PooledStream))
        self.assertTrue(issubclass(HTTP2UpstreamStream, PooledStream))
        self.assertIs(HTTP1UpstreamConnection.shared, PooledStream.shared)
        self.assertIsNot(HTTP2UpstreamStream.shared, PooledStream.shared)
