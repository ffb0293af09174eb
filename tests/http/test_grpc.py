"""Tests for L{edgegate.http.grpc}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.grpc import grpc_fields, is_grpc


class GRPCTests(SynchronousTestCase):
    """Clients that speak gRPC, and what they are told."""

    def test_who_speaks_it(self) -> None:
        """Content types with a codec or a parameter are gRPC; gRPC-Web and others that begin alike are not."""
        for kind in (b"application/grpc", b"application/grpc+proto", b"application/grpc;x=y"):
            self.assertTrue(is_grpc([(b"accept", b"*/*"), (b"content-type", kind)]), kind)
        for kind in (b"application/grpc-web", b"application/grpc-web+proto", b"application/grpcs", b"text/plain"):
            self.assertFalse(is_grpc([(b"content-type", kind)]), kind)
        self.assertFalse(is_grpc([]))

    def test_fields(self) -> None:
        """A message is escaped where it is not visible ASCII; an empty one is left out."""
        kind = (b"content-type", b"application/grpc")
        self.assertEqual(grpc_fields(5, b""), [kind, (b"grpc-status", b"5")])
        self.assertEqual(
            grpc_fields(14, b"50% \xc3\xa4\r\n(UF)"),
            [kind, (b"grpc-status", b"14"), (b"grpc-message", b"50%25 %C3%A4%0D%0A(UF)")],
        )
