"""Tests of L{edgegate.net.ssl_request}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.ssl_request import GSSENC_REQUEST, SSL_REQUEST, asked


class AskedTests(SynchronousTestCase):
    """What a connection begins with."""

    def test_whole(self) -> None:
        """Both requests, whatever is behind them."""
        for request in (SSL_REQUEST, GSSENC_REQUEST):
            self.assertEqual(asked(request), request)
            self.assertEqual(asked(request + b"\x16\x03\x01"), request)

    def test_in_part(self) -> None:
        """The first bytes of one tell nothing yet."""
        for size in range(8):
            self.assertEqual(asked(SSL_REQUEST[:size]), 8)

    def test_others(self) -> None:
        """A CancelRequest, a start in the clear and other protocols ask for nothing."""
        cancel = b"\0\0\0\x10\x04\xd2\x16\x2e" + bytes(8)
        for data in (cancel, b"\0\0\0\x09\0\x03\0\0\0", b"\0\0\1", b"GET / HTTP/1.1", b"\x16\x03\x01"):
            self.assertIsNone(asked(data))
