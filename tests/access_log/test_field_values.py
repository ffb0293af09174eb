"""Tests of L{edgegate.access_log.field_values}."""

from __future__ import annotations

from edgegate.errors import CLIENT_GONE
from edgegate.http.request import refused_head
from tests.access_log.records import RecordCase


class FieldValuesTests(RecordCase):
    """What operators of requests and responses stand for."""

    def test_request(self) -> None:
        """The request is shown as its backend got it: rewritten, with what the route adds."""
        self.assertEqual(self.text("%REQ(:METHOD)% %REQ(:PATH)% %REQ(:AUTHORITY)%"), "GET /new?b=c web.example")
        self.assertEqual(self.text("%REQ(x-added)% %REQ(x-a)% %REQ(x-none?x-added)%"), "yes - yes")
        self.assertEqual(self.text("%REQ(X-FORWARDED-FOR)%"), self.exchange.forwarded_for.decode())
        self.assertEqual(self.text("%STREAM_ID%"), self.exchange.request_id.decode())

    def test_request_that_was_not_asked(self) -> None:
        """Where no backend was asked it is the client's, with what a backend would have been told."""
        self.exchange.asked = None
        self.assertEqual(self.text("%REQ(:PATH)% %REQ(x-a)% %REQ(host)%"), "/a?b=c 1 web.example:80")
        self.assertEqual(self.text("%REQ(x-long):4%"), "0123")
        self.assertEqual(self.text("%REQ(x-forwarded-proto)%"), "http")

    def test_request_that_could_not_be_read(self) -> None:
        """Of one that could not be read there is nothing."""
        self.exchange.asked, self.exchange.head = None, refused_head()
        self.assertEqual(self.text("%REQ(:METHOD)% %REQ(:PATH)% %PATH% %REQ(:SCHEME)%"), "- - - -")

    def test_response(self) -> None:
        """The response is shown as its client got it."""
        self.assertEqual(self.text("%RESP(X-B)% %RESP(content-length)% %RESP(:status)%"), "b 5 200")
        self.assertEqual(self.text("%RESP(x-envoy-upstream-service-time)% %RESP(server)%"), "10 edgegate")
        self.assertEqual(self.text("%RESP(x-none?x-b)% %RESP(x-none)%"), "b -")
        self.exchange.response = None
        self.exchange.status, self.exchange.fault = 0, CLIENT_GONE
        self.assertEqual(
            self.text("%RESP(x-b)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS_LONG%"),
            "- 0 DC downstream_remote_disconnect DownstreamConnectionTermination",
        )

    def test_trailers(self) -> None:
        """Trailers are shown, and gRPC's status in them."""
        self.assertEqual(self.text("%TRAILER(x-t)% %GRPC_STATUS% %RESPONSE_TRAILERS_BYTES%"), "- - 0")
        self.exchange.head.fields = [(b"content-type", b"application/grpc")]
        self.exchange.trailers = [(b"x-t", b"t"), (b"grpc-status", b"5")]
        self.assertEqual(self.text("%TRAILER(x-none?X-T)% %RESPONSE_TRAILERS_BYTES%"), "t 16")
        self.assertEqual(
            self.text("%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS_NUMBER%"), "NotFound NOT_FOUND 5"
        )
        self.exchange.trailers = [(b"grpc-status", b"5" * 5000)]
        self.assertEqual(self.text("%GRPC_STATUS_NUMBER%"), "-")
        self.text("%GRPC_STATUS%")
