"""Tests of L{edgegate.istio.validation.concurrency_policy}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase


class ConcurrencyPolicyTests(CasesTestCase):
    """What is wrong with a policy is told."""

    def test_limits(self) -> None:
        """Each says how many requests may be under way, and no time."""
        self.check(
            "ConcurrencyPolicy",
            (
                ("limits: [{requests: 1}]", ""),
                ("limits: [{}]", "missing"),
                ("limits: [{requests: 1, period: 1s}]", "unknown"),
                ("limits: [{requests: 1, by: [{path: /a}]}]", "it has neither {*} nor {**}"),
            ),
        )

    def test_response(self) -> None:
        """Nobody is told to come again in years."""
        self.check(
            "ConcurrencyPolicy",
            (
                ("limits: [{requests: 1}]\nresponse: {retryAfter: 0s}", ""),
                ("limits: [{requests: 1}]\nresponse: {status: 200}", "200 is no error"),
                ("limits: [{requests: 1}]\nresponse: {retryAfter: 9000h}", "366 days at most"),
            ),
        )
