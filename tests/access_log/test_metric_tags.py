"""Tests of L{edgegate.access_log.metric_tags}."""

from __future__ import annotations

from edgegate.access_log.metric_tags import LONGEST, MOST_VALUES, MetricTags, metric_tags
from edgegate.model.cel import BadExpression
from edgegate.model.metrics import DeclaredMetrics, MetricOverride, MetricTag
from tests.access_log.records import RecordCase


def declared(*expressions: str) -> DeclaredMetrics:
    """Return what gives requests labels by some expressions."""
    tags = tuple(MetricTag(f"t{place}", each) for place, each in enumerate(expressions))
    return DeclaredMetrics((MetricOverride("istio_requests_total", tags=tags),))


class MetricTagsTests(RecordCase):
    """The labels of requests."""

    def test_values(self) -> None:
        """Values of all scalar types become text; an error, and what is no scalar, is not known."""
        for expression, expected in (
            ("request.method", "GET"),
            ("response.code", "200"),
            ("connection.mtls", "false"),
            ("response.code >= 200", "true"),
            ("request.headers['x-none']", "unknown"),
            ("request.duration", "unknown"),
            ("['a']", "unknown"),
            ("response.code >= 400 ? 'bad' : 'good'", "good"),
        ):
            self.assertEqual(MetricTags((expression,)).of(self.exchange), (expression, expected))
        self.assertRaises(BadExpression, MetricTags, ("request.hots",))

    def test_bounds(self) -> None:
        """So many values are told apart, of so many characters; all others are one, and what is known stays so."""
        tags = MetricTags(("response.code", "request.method"))
        found = []
        for number in range(MOST_VALUES + 5):
            self.exchange.status = 400 + number
            found.append(tags.of(self.exchange)[1])
        self.assertEqual(found[MOST_VALUES:], ["other"] * 5)
        self.assertEqual(len(set(found)), MOST_VALUES + 1)
        self.exchange.status = 400
        self.assertEqual(tags.of(self.exchange), ("response.code", "400", "request.method", "GET"))
        long = MetricTags((f"'{'a' * 500}'",)).of(self.exchange)[1]
        self.assertEqual(len(long), LONGEST)

    def test_reload(self) -> None:
        """Files that ask the same go on with what is told apart; those that ask nothing cost nothing."""
        first = metric_tags(declared("request.host"), None)
        assert first is not None
        self.assertIs(metric_tags(declared("request.host"), first), first)
        self.assertIsNot(metric_tags(declared("request.method"), first), first)
        self.assertIsNone(metric_tags(None, first))
        self.assertIsNone(metric_tags(DeclaredMetrics((MetricOverride("istio_requests_total", True),)), first))
