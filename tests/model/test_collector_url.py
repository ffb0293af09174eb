"""Tests of L{edgegate.model.collector_url}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.collector_url import collector_url


class CollectorURLTests(SynchronousTestCase):
    """How a collector is named."""

    def test_path(self) -> None:
        """One without a path gets the usual one; another stays as it is, with its query."""
        for text, expected in (
            ("http://c:4318", "http://c:4318/v1/logs"),
            ("https://c/", "https://c/v1/logs"),
            ("http://[::1]:4318", "http://[::1]:4318/v1/logs"),
            ("http://c/other?a=b", "http://c/other?a=b"),
        ):
            self.assertEqual(collector_url(text, "/v1/logs"), expected)

    def test_wrong(self) -> None:
        """What is no URL of HTTP, or has more than one of a collector, is told as it was written."""
        for text in (
            "c:4318",
            "grpc://c",
            "http://",
            "http://c:0",
            "http://c:x",
            "http://u@c",
            "http://c#a",
            "http://c d",
        ):
            error = self.assertRaises(ValueError, collector_url, text, "/v1/logs")
            self.assertEqual(str(error), f"expected http://HOST:PORT or https://HOST:PORT, got {text!r}")
