"""Tests of L{edgegate.access.oidc.authorities}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.authorities import authorities_fault


class AuthorityTests(SynchronousTestCase):
    """Files of certificates."""

    def test_faults(self) -> None:
        """What is no certificate is told."""
        self.assertEqual(authorities_fault(b""), "no certificate found")
        self.assertEqual(authorities_fault(b"x"), "no certificate found")
        broken = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
        self.assertEqual(authorities_fault(broken), "a certificate can't be read")
