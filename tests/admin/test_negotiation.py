"""Tests of L{edgegate.admin.negotiation}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.negotiation import qualities, wants_gzip, wants_open_metrics

PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.1"
)


class NegotiationTests(SynchronousTestCase):
    """What clients say that they want."""

    def test_open_metrics(self) -> None:
        """Prometheus gets OpenMetrics, a browser and curl do not."""
        self.assertTrue(wants_open_metrics(PROMETHEUS))
        self.assertTrue(wants_open_metrics("application/openmetrics-text"))
        for other in ("", "*/*", "text/html,*/*;q=0.8", "text/plain,application/openmetrics-text;q=0.5"):
            self.assertFalse(wants_open_metrics(other), other)
        self.assertFalse(wants_open_metrics("application/openmetrics-text;q=0"))

    def test_gzip(self) -> None:
        """What is compressed has to be asked for."""
        self.assertTrue(wants_gzip("gzip"))
        self.assertTrue(wants_gzip("deflate, GZIP;q=0.5"))
        for other in ("", "*", "gzip;q=0", "br"):
            self.assertFalse(wants_gzip(other), other)

    def test_qualities(self) -> None:
        """What is no number counts as not wanted."""
        self.assertEqual(
            qualities("a;q=1,b;q=0.25;x=y,c;q=2,d;q=0.1234,e;q=,f;q=-1,,g;q=1.5,a;q=0.1"),
            {"a": 1.0, "b": 0.25, "c": 0.0, "d": 0.0, "e": 0.0, "f": 0.0, "g": 1.0},
        )
        self.assertEqual(qualities("a;q=0.²,b;q=0.٣,c;q=1.,d;q=0.5\n"), {"a": 0.0, "b": 0.0, "c": 1.0, "d": 0.5})
