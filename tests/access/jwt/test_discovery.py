"""OpenID configurations."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.discovery import keys_url, same_origin


class DiscoveryTests(SynchronousTestCase):
    """L{keys_url}."""

    def test_good(self) -> None:
        """A configuration says where the keys are."""
        data = json.dumps({"issuer": "https://a", "jwks_uri": "https://b/keys"}).encode()
        self.assertEqual(keys_url(data, "https://a/x"), "https://b/keys")
        self.assertEqual(keys_url(b'{"jwks_uri": "http://b/keys"}', "http://a/x"), "http://b/keys")

    def test_bad(self) -> None:
        """What says nothing, or leads out of TLS, is refused."""
        for data, why in (
            (b"<html>", "no object of JSON"),
            (b"{}", "no jwks_uri"),
            (b'{"jwks_uri": ["https://a"]}', "no jwks_uri"),
            (b'{"jwks_uri": "file:///etc/passwd"}', "no jwks_uri"),
            ('{"jwks_uri": "https://é"}'.encode(), "no jwks_uri"),
            (b'{"jwks_uri": "http://a"}', "without https"),
        ):
            with self.assertRaises(ValueError) as raised:
                keys_url(data, "https://a/x")
            self.assertIn(why, str(raised.exception))

    def test_origin(self) -> None:
        """Scheme, host and port make an origin."""
        for one, other, same in (
            ("https://a/x", "https://A:443/y", True),
            ("http://a", "http://a:80/y", True),
            ("https://a", "http://a", False),
            ("https://a", "https://a:444", False),
            ("https://a", "https://a.evil", False),
            ("https://a", "https://a@evil", False),
        ):
            self.assertEqual(same_origin(one, other), same, other)
