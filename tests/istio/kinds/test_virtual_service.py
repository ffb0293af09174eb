"""Tests of L{edgegate.istio.kinds.virtual_service}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.virtual_service import UnmatchedPreflights
from tests.config.reading import document, resources


class VirtualServiceTests(SynchronousTestCase):
    """The spec of a VirtualService."""

    def test_units(self) -> None:
        """Durations are seconds, percentages are shares of a hundred, bodies are bytes."""
        found, _ = resources(
            document(
                "VirtualService",
                """\
                hosts: [a.example]
                gateways: [gw]
                http:
                - route: [{destination: {host: b}}]
                  timeout: 1m30s
                  retries: {attempts: 2, perTryTimeout: 250ms}
                  fault: {delay: {fixedDelay: 1.5s, percentage: {value: 0.5}}}
                  corsPolicy: {maxAge: 24h, unmatchedPreflights: IGNORE}
                - directResponse: {status: 200, body: {bytes: aGVsbG8=}}
                """,
            )
        )
        shaped, answer = found.virtual_services[0].spec.http
        assert shaped.retries is not None and shaped.fault is not None and shaped.cors_policy is not None
        assert shaped.fault.delay is not None and shaped.fault.delay.percentage is not None
        self.assertEqual((shaped.timeout, shaped.retries.per_try_timeout), (90.0, 0.25))
        self.assertEqual((shaped.fault.delay.fixed_delay, shaped.fault.delay.percentage.value), (1.5, 0.5))
        self.assertEqual(shaped.cors_policy.max_age, 86400.0)
        self.assertIs(shaped.cors_policy.unmatched_preflights, UnmatchedPreflights.IGNORE)
        assert answer.direct_response is not None and answer.direct_response.body is not None
        self.assertEqual(answer.direct_response.body.bytes, b"hello")

    def test_one_of(self) -> None:
        """Of some fields one may be given."""
        text = (
            "hosts: [a.example]\nhttp: [{match: [{uri: {exact: /, prefix: /}}], route: [{destination: {host: b}}]}]\n"
        )
        _, told = resources(document("VirtualService", text))
        self.assertIn("only one of exact and prefix may be given", "\n".join(told))
