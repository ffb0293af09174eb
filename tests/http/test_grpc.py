"""Tests for L{edgegate.http.grpc}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.grpc import grpc_fields, http_status_of, is_grpc, is_grpc_call, timeout_of


class GRPCTests(SynchronousTestCase):
    """Clients that speak gRPC, and what they are told."""

    def test_who_speaks_it(self) -> None:
        """Content types with a codec or a parameter are gRPC; gRPC-Web and others that begin alike are not."""
        for kind in (b"application/grpc", b"application/grpc+proto", b"application/grpc;x=y"):
            self.assertTrue(is_grpc([(b"accept", b"*/*"), (b"content-type", kind)]), kind)
        for kind in (b"application/grpc-web", b"application/grpc-web+proto", b"application/grpcs", b"text/plain"):
            self.assertFalse(is_grpc([(b"content-type", kind)]), kind)
            self.assertEqual(is_grpc_call([(b"content-type", kind)]), b"-web" in kind, kind)
        self.assertFalse(is_grpc([]))

    def test_timeout(self) -> None:
        """A number of at most 8 digits and a unit; what is something else is none."""
        for value, seconds in (
            (b"2H", 7200.0),
            (b"3M", 180.0),
            (b"4S", 4.0),
            (b"500m", 0.5),
            (b"7u", 7e-6),
            (b"99999999n", 0.099999999),
            (b"0S", None),
            (b"100000000S", None),
            (b"1", None),
            (b"-1S", None),
            (b"", None),
        ):
            found = timeout_of([(b"te", b"trailers"), (b"grpc-timeout", value)])
            self.assertEqual(None if found is None else round(found, 9), seconds, value)
        self.assertIsNone(timeout_of([]))

    def test_http_status(self) -> None:
        """Each status stands for one of HTTP; what is none is an error."""
        found = [
            http_status_of(value) for value in (b"0", b"1", b"4", b"8", b"13", b"14", b"16", b"17", b"x", b"-1", b"")
        ]
        self.assertEqual(found, [200, 499, 504, 429, 500, 503, 401, 500, 500, 500, 500])
        self.assertEqual([http_status_of(b"1" * length) for length in (3, 10_000)], [500, 500])

    def test_fields(self) -> None:
        """A message is escaped where it is not visible ASCII; an empty one is left out."""
        kind = (b"content-type", b"application/grpc")
        self.assertEqual(grpc_fields(5, b""), [kind, (b"grpc-status", b"5")])
        self.assertEqual(
            grpc_fields(14, b"50% \xc3\xa4\r\n(UF)"),
            [kind, (b"grpc-status", b"14"), (b"grpc-message", b"50%25 %C3%A4%0D%0A(UF)")],
        )
