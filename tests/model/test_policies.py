"""Tests for L{edgegate.model.policies}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import DEFAULT_RETRIES, GRPC_STATUSES, CORSPolicy, RetryPolicy


def on(*words: str) -> RetryPolicy:
    """Make a policy of some of Envoy's words."""
    return RetryPolicy(conditions=frozenset(words))


class RetryPolicyTests(SynchronousTestCase):
    """When a request is tried again."""

    def test_default(self) -> None:
        """Istio's: two more, where there was no connection or gRPC says that it may be repeated."""
        self.assertEqual(DEFAULT_RETRIES.attempts, 2)
        self.assertTrue(DEFAULT_RETRIES.after_failure(unconnected=True))
        self.assertFalse(DEFAULT_RETRIES.after_failure(unconnected=False))
        self.assertFalse(DEFAULT_RETRIES.after_response(503))
        self.assertTrue(DEFAULT_RETRIES.after_response(200, b"14"))

    def test_failures(self) -> None:
        """5xx, gateway-error and reset hold for any failure; others for connects only, or for none."""
        for word, unconnected, connected in (
            ("5xx", True, True),
            ("gateway-error", True, True),
            ("reset", True, True),
            ("reset-before-request", True, False),
            ("connect-failure", True, False),
            ("refused-stream", False, False),
            ("retriable-4xx", False, False),
            ("unavailable", False, False),
        ):
            found = on(word).after_failure(True), on(word).after_failure(False)
            self.assertEqual(found, (unconnected, connected), word)

    def test_statuses(self) -> None:
        """Ranges of the words, to their ends, and the numbers that are named."""
        for policy, again, not_again in (
            (on("5xx"), (500, 504, 599), (499, 409, 200)),
            (on("gateway-error"), (502, 503, 504), (500, 501, 505)),
            (on("retriable-4xx"), (409,), (400, 404, 429)),
            (RetryPolicy(conditions=frozenset(), statuses=frozenset((429, 503))), (429, 503), (500, 200)),
            (on("reset", "connect-failure"), (), (500, 503, 409)),
        ):
            for status in again:
                self.assertTrue(policy.after_response(status), (policy, status))
            for status in not_again:
                self.assertFalse(policy.after_response(status), (policy, status))

    def test_grpc(self) -> None:
        """Each word stands for one status."""
        for word, number in GRPC_STATUSES.items():
            for other in range(17):
                self.assertEqual(on(word).after_response(200, b"%d" % other), other == number, (word, other))
            self.assertFalse(on(word).after_response(200, b""))

    def test_rate_limited(self) -> None:
        """An answer that is a limit on rates is repeated only where the policy names just that."""
        self.assertFalse(on("5xx").after_response(503, rate_limited=True))
        self.assertTrue(on("envoy-ratelimited").after_response(429, rate_limited=True))
        self.assertFalse(on("envoy-ratelimited").after_response(429))


class CORSPolicyTests(SynchronousTestCase):
    """Origins."""

    def test_anybody(self) -> None:
        """What holds for a star means everybody (Envoy): an exact one, and any expression or prefix that takes it."""
        for kind, value, anybody in (
            (Kind.EXACT, "*", True),
            (Kind.REGEX, ".*", True),
            (Kind.REGEX, ".+", True),
            (Kind.PREFIX, "*", True),
            (Kind.REGEX, "http://.*", False),
            (Kind.EXACT, "https://a", False),
        ):
            policy = CORSPolicy((StringMatch(kind, value),))
            self.assertEqual(policy.allowed.include(b"https://other"), anybody, (kind, value))

    def test_equality(self) -> None:
        """Policies of the same words are equal: a reload that changes nothing changes nothing."""
        origins = (StringMatch(Kind.EXACT, "https://a"),)
        self.assertEqual(CORSPolicy(origins), CORSPolicy(origins))
