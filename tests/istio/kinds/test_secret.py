"""Tests for L{edgegate.istio.kinds.secret}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.kinds.base import Base64
from edgegate.istio.kinds.secret import Secret


class SecretTests(SynchronousTestCase):
    """What a Secret holds."""

    def setUp(self) -> None:
        self.secret = Secret(data={"cert": Base64(b"one"), "key": Base64(b"two")}, string_data={"key": "drei"})

    def test_contents(self) -> None:
        """Texts win over data, as in Kubernetes."""
        self.assertEqual(self.secret.contents, {"cert": b"one", "key": b"drei"})

    def test_first(self) -> None:
        """An entry is found by any of its names, in their order."""
        self.assertEqual(self.secret.first("tls.crt", "cert"), b"one")
        self.assertIsNone(self.secret.first("ca.crt", "cacert"))

    def test_not_shown(self) -> None:
        """Only the names of its entries are shown."""
        self.assertEqual(repr(self.secret), "Secret(type=None, keys=['cert', 'key'])")
