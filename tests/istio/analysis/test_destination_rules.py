"""Tests of L{edgegate.istio.analysis.destination_rules}; L{tests.istio.analysis.test_cases} has Istio's own."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines


class VerificationTests(SynchronousTestCase):
    """What is said of backends that nobody verifies, or that are verified here alone."""

    def test_levels(self) -> None:
        """It is a note where this gateway verifies all the same, a warning where nobody does."""
        for more, words in (
            ("", "info: spec.trafficPolicy.tls: caCertificates is missing: Istio's gateway takes any certificate"),
            (
                ", credentialName: c",
                'info: spec.trafficPolicy.tls: caCertificates is missing: this gateway takes those of "c"',
            ),
            (", insecureSkipVerify: true", "warning: spec.trafficPolicy.tls: insecureSkipVerify: any certificate"),
        ):
            policy = f"{{host: 127.0.0.1, trafficPolicy: {{tls: {{mode: SIMPLE{more}}}}}}}"
            (told,) = lines(documents("DestinationRule", "r", policy), "IST0128")
            self.assertIn(words, told)
