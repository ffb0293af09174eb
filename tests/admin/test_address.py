"""Tests of L{edgegate.admin.address}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.address import DEFAULT, parse_admin_address
from edgegate.model.addresses import TCPAddress, UNIXAddress


class AddressTests(SynchronousTestCase):
    """What C{--admin} can be."""

    def test_read(self) -> None:
        """Addresses with a port, paths, and none."""
        for text, expected in (
            (DEFAULT, TCPAddress("127.0.0.1", 15000)),
            ("localhost:0", TCPAddress("127.0.0.1", 0)),
            ("[::1]:1", TCPAddress("::1", 1)),
            ("/run/edgegate.sock", UNIXAddress("/run/edgegate.sock")),
            ("unix:/run/a", UNIXAddress("/run/a")),
            ("unix:///run/a", UNIXAddress("/run/a")),
            ("none", None),
        ):
            self.assertEqual(parse_admin_address(text), expected, text)

    def test_refused(self) -> None:
        """Names, missing and odd ports, relative paths."""
        for text in ("", "15000", ":15000", "127.0.0.1", "example.com:80", "127.0.0.1:x", "127.0.0.1:65536", "unix:a"):
            with self.assertRaises(ValueError, msg=text) as caught:
                parse_admin_address(text)
            self.assertIn(repr(text), str(caught.exception))
