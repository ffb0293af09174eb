"""Tests of L{edgegate.http.guards.external_checks}: who may pass is for a service to say, over gRPC."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.grpc_unary import framed
from edgegate.model.authorizers import BodyInCheck, Protocol
from edgegate.model.guards.guard import Guard
from tests.http.guards.checking import GET, Checking, asking
from tests.http.h2.backend import Backend
from tests.protobuf.envoy import AUTH, message_class

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def by_grpc(**what: Any) -> Guard:
    """Make a guard that asks over gRPC."""
    return asking(protocol=Protocol.GRPC, timeout=2.0, **what)


class GRPCCheckTests(SynchronousTestCase):
    """A service whose HTTP/2 is that of the package h2, and whose messages are Envoy's."""

    def ask(self, *fields: bytes, guard: Guard | None = None, request: bytes = GET, body: bytes = b"") -> Any:
        """Send a request; return what the service is asked."""
        self.talk = Checking(by_grpc() if guard is None else guard)
        self.talk.ask(request, *fields, body=body)
        self.service = Backend(self.talk.service)
        self.head = self.service.request(1)
        message = self.service.body(1)
        self.assertEqual(message[:5], b"\0" + (len(message) - 5).to_bytes(4, "big"))
        return message_class(f"{AUTH}.CheckRequest").FromString(message[5:]).attributes

    def answer(self, code: int, status: bytes = b"0", **what: Any) -> None:
        """Have the service answer."""
        message = message_class(f"{AUTH}.CheckResponse")(status={"code": code}, **what).SerializeToString()
        grpc = [(b"content-type", b"application/grpc")]
        self.service.respond(1, framed(message), grpc, trailers=[(b"grpc-status", status)])

    def test_asked(self) -> None:
        """The service is told who asks for what."""
        found = self.ask(b"Cookie: a=b", b"X-A: 1", b"X-A: 2")
        self.assertEqual(self.head[b":path"], b"/envoy.service.auth.v3.Authorization/Check")
        self.assertEqual((self.head[b":authority"], self.head[b"grpc-timeout"]), (b"auth:1", b"2000m"))
        self.assertEqual(found.source.address.socket_address.address, "192.0.2.7")
        self.assertEqual(found.source.address.socket_address.port_value, 4711)
        self.assertEqual(found.destination.address.socket_address.port_value, 8080)
        http = found.request.http
        self.assertEqual((http.method, http.path, http.host), ("GET", "/a?b", "web.example"))
        self.assertEqual((http.scheme, http.protocol, http.size), ("http", "HTTP/1.1", 0))
        headers = dict(http.headers)
        self.assertEqual((headers["cookie"], headers["x-a"], headers[":path"]), ("a=b", "1,2", "/a?b"))
        self.assertEqual((headers["x-forwarded-for"], headers["x-request-id"]), ("192.0.2.7", http.id))
        self.assertGreater(found.request.time.seconds, 1_700_000_000)

    def test_allowed(self) -> None:
        """Where it says so the request goes on, with what it is to be."""
        self.ask(b"X-User: admin", b"X-Old: 1")
        self.answer(
            0,
            ok_response={
                "headers": [{"header": {"key": "x-user", "value": "jane"}}],
                "headers_to_remove": ["x-old"],
                "response_headers_to_add": [{"header": {"key": "x-b", "value": "1"}}],
                "query_parameters_to_set": [{"key": "tenant", "value": "a"}],
            },
        )
        first, fields, _ = self.talk.sent()
        self.assertEqual((first, fields[b"x-user"]), (b"GET /a?b&tenant=a HTTP/1.1", b"jane"))
        self.assertNotIn(b"x-old", fields)
        self.talk.backend.deliver(OK)
        self.assertEqual(self.talk.got()[1][b"x-b"], b"1")

    def test_denied(self) -> None:
        """Where it says not the client gets what it says."""
        self.ask()
        header = {"header": {"key": "x-why", "value": "quota"}}
        self.answer(7, denied_response={"status": {"code": 429}, "headers": [header], "body": "wait"})
        first, fields, body = self.talk.got()
        self.assertEqual((first, fields[b"x-why"], body), (b"HTTP/1.1 429 Too Many Requests", b"quota", b"wait"))
        self.assertEqual(self.talk.talk.ended[-1].details, "ext_authz_denied")

    def test_metadata(self) -> None:
        """What it has found out is there for others."""
        self.ask()
        message = message_class(f"{AUTH}.CheckResponse")()
        message.dynamic_metadata.update({"tenant": "a"})
        grpc = [(b"content-type", b"application/grpc")]
        self.service.respond(1, framed(message.SerializeToString()), grpc, trailers=[(b"grpc-status", b"0")])
        self.talk.backend.deliver(OK)
        self.assertEqual(self.talk.talk.ended[-1].metadata, {"envoy.filters.http.ext_authz": {"tenant": "a"}})

    def test_failures(self) -> None:
        """A call that fails, a stream that is reset, what is no message: nobody passes."""
        for way in ("status", "reset", "no message", "not gRPC", "gone"):
            self.ask()
            if way == "status":
                self.answer(0, b"14")
            elif way == "reset":
                self.service.reset(1, 8)
            elif way == "no message":
                grpc = [(b"content-type", b"application/grpc")]
                self.service.respond(1, b"\0\0\0\0\x01\xff", grpc, trailers=[(b"grpc-status", b"0")])
            elif way == "not gRPC":
                self.service.respond(1, b"hello")
            else:
                self.talk.service.reset()
            self.assertTrue(self.talk.got()[0].startswith(b"HTTP/1.1 403"), way)
            self.assertEqual(self.talk.talk.ended[-1].details, "ext_authz_error")

    def test_unreachable(self) -> None:
        """One that can't be reached says nothing."""
        talk = Checking(by_grpc(status_on_error=503))
        talk.ask()
        talk.talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertTrue(talk.got()[0].startswith(b"HTTP/1.1 503"))

    def test_body(self) -> None:
        """The body may be told, as bytes."""
        guard = by_grpc(body=BodyInCheck(3, partial=True, packed=True))
        found = self.ask(
            b"Content-Length: 5",
            guard=guard,
            request=b"POST / HTTP/1.1\r\nHost: web.example\r\n",
            body=b"\xff1234",
        )
        http = found.request.http
        self.assertEqual((http.raw_body, http.body, http.size), (b"\xff12", "", 5))
        self.assertEqual((http.headers["x-envoy-auth-partial-body"], http.headers["content-length"]), ("true", "5"))
        self.answer(0)
        self.assertEqual(self.talk.sent()[2], b"\xff1234")
