"""Tests of L{edgegate.http.h2.fields}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import REQUEST_ROLES, RESPONSE_ROLES
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.fields import trailers_of


class TrailersTests(SynchronousTestCase):
    """Trailers both ways."""

    def test_pass(self) -> None:
        """What is end to end goes on in its order, gRPC's status in a response too."""
        fields = [(b"grpc-status", b"0"), (b"server", b"x"), (b"b", b"1"), (b"b", b"2"), (b"content-length", b"1")]
        self.assertEqual(trailers_of(fields, RESPONSE_ROLES), [(b"grpc-status", b"0"), (b"b", b"1"), (b"b", b"2")])

    def test_malformed(self) -> None:
        """Pseudo fields and those of a connection are malformed, in either."""
        for name in (b":status", b":path", b":x", b"connection", b"transfer-encoding", b"upgrade", b"keep-alive"):
            for roles in (REQUEST_ROLES, RESPONSE_ROLES):
                self.assertRaises(Malformed, trailers_of, [(name, b"x")], roles)
        self.assertRaises(Malformed, trailers_of, [(b"te", b"gzip")], REQUEST_ROLES)
        self.assertEqual(trailers_of([(b"te", b"trailers")], REQUEST_ROLES), [])
