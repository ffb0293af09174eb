"""Tests of L{edgegate.http.h2.response_heads}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.http.h2.errors import Malformed
from edgegate.http.h2.response_heads import response_head, response_trailers


def response(*fields: Field, status: bytes = b"200") -> list[Field]:
    """Return the fields of a response."""
    return [(b":status", status), *fields]


class ResponseHeadTests(SynchronousTestCase):
    """Fields of responses."""

    def test_fields(self) -> None:
        """What is end to end passes in its order; what the gateway says itself does not."""
        head = response_head(
            response(
                (b"server", b"x"),
                (b"date", b"now"),
                (b"set-cookie", b"a=1"),
                (b"set-cookie", b"b=2"),
                (b"content-length", b"7"),
                (b"grpc-status", b"5"),
                (b"x-envoy-upstream-service-time", b"3"),
            )
        )
        self.assertEqual((head.status, head.reason, head.length, head.grpc_status), (200, b"OK", 7, b"5"))
        self.assertEqual(
            head.fields, [(b"date", b"now"), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"grpc-status", b"5")]
        )
        self.assertEqual((head.dated, head.keep, head.chunked), (True, True, False))
        self.assertFalse(response_head(response()).dated)

    def test_statuses(self) -> None:
        """Every status of three digits is taken, with a reason for HTTP/1 where there is one."""
        for status, reason in ((b"103", b"Early Hints"), (b"404", b"Not Found"), (b"599", b"")):
            head = response_head(response(status=status))
            self.assertEqual((head.status, head.reason, head.length), (int(status), reason, None))

    def test_malformed(self) -> None:
        """No status, a strange one, one too many, other pseudo fields, and lengths that are none (row 58)."""
        for fields in (
            [],
            [(b"a", b"b")],
            [(b"a", b"b"), *response()],
            response((b":status", b"200")),
            response((b":path", b"/")),
            response((b"a", b"b"), (b":x", b"")),
            response(status=b"20"),
            response(status=b"0200"),
            response(status=b"600"),
            response(status=b"+20"),
            response(status=b"101"),
            response((b"content-length", b"x")),
            response((b"content-length", b"1"), (b"content-length", b"1")),
            response((b"content-length", b"1"), status=b"204"),
            response((b"content-length", b"1"), status=b"103"),
        ):
            self.assertRaises(Malformed, response_head, fields)

    def test_connection_specific(self) -> None:
        """Fields of an HTTP/1 connection are malformed (row 59)."""
        for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"):
            self.assertRaises(Malformed, response_head, response((name, b"close")))
            self.assertRaises(Malformed, response_trailers, [(name, b"close")])

    def test_no_body(self) -> None:
        """204 has no body, whoever says that it has one of 0 bytes."""
        self.assertIsNone(response_head(response((b"content-length", b"0"), status=b"204")).length)
        self.assertEqual(response_head(response((b"content-length", b"9"), status=b"304")).length, 9)

    def test_trailers(self) -> None:
        """gRPC's statuses go on."""
        fields = [(b"grpc-status", b"0"), (b"grpc-message", b"x"), (b"server", b"x")]
        self.assertEqual(response_trailers(fields), fields[:2])
