"""Tests of L{edgegate.model.tls}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.tls import KeyPair, ServerTLS, TLSRules, TLSVersion, UpstreamTLS


class ValueTests(SynchronousTestCase):
    """Terms are values."""

    def test_secrets_are_not_shown(self) -> None:
        """Neither chain nor key is in what is logged of a pair, or of what names it."""
        pair = KeyPair("shop.crt", b"a chain", b"a key")
        terms = ServerTLS((pair.credential,)), UpstreamTLS(credential=pair.credential)
        for shown in map(repr, (pair, *terms)):
            self.assertIn("shop.crt", shown)
            self.assertNotIn("a chain", shown)
            self.assertNotIn("a key", shown)

    def test_equal(self) -> None:
        """Terms that say the same are the same, so that what belongs to them is kept over a reload."""
        self.assertEqual(hash(UpstreamTLS("a", names=("b",))), hash(UpstreamTLS("a", names=("b",))))
        self.assertNotEqual(UpstreamTLS("a"), UpstreamTLS("a", verified=False))

    def test_safe_defaults(self) -> None:
        """Where nothing is said, TLS is 1.2 or newer, and a backend's certificate is verified."""
        self.assertEqual((TLSRules().minimum, TLSRules().maximum), (TLSVersion.TLSV1_2, TLSVersion.TLSV1_3))
        self.assertTrue(UpstreamTLS().verified)
