"""Tests of L{edgegate.http.guards.refusal}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.refusal import Refusal, grpc_status_of_limit, refuse
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation
from tests.http.guards.guards import TestGuard, guard, guarded

PLAIN = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"
GRPC = PLAIN[:-2] + b"Content-Type: application/grpc\r\nTE: trailers\r\n\r\n"
JSON = (b"content-type", b"application/json")


class RefusalTests(SynchronousTestCase):
    """What clients get that a guard refuses."""

    def ask(self, request: bytes, refusal: Refusal) -> tuple[bytes, Conversation]:
        """Have a request refused; return what the client gets."""
        talk = Conversation()
        refused = TestGuard("n/a", ORIGIN)
        client = talk.client(guarded(guard("n/a", lambda exchange: refuse(exchange, refused, refusal))))
        client.deliver(request)
        self.assertEqual(talk.left, NOTHING_LEFT)
        return client.sent, talk

    def test_plain(self) -> None:
        """A body is plain text unless it says what else; the log has the words, the flag and the guard."""
        sent, talk = self.ask(PLAIN, Refusal(403, b"no", "denied[n/a]", "UAEX"))
        self.assertTrue(sent.startswith(b"HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\n"), sent)
        self.assertTrue(sent.endswith(b"\r\n\r\nno"), sent)
        (ended,) = talk.ended
        self.assertEqual((ended.details, ended.flags), ("denied[n/a]", "UAEX"))
        assert ended.guard is not None
        self.assertEqual(ended.guard.name, "n/a")
        sent, _ = self.ask(PLAIN, Refusal(429, b"{}", "x", fields=(JSON,)))
        self.assertEqual((sent.count(b"content-type"), sent.count(b"application/json")), (1, 1))
        sent, _ = self.ask(PLAIN, Refusal(503, b"", "x"))
        self.assertNotIn(b"content-type", sent)

    def test_grpc(self) -> None:
        """A client of gRPC gets a status of gRPC and the words as its message, and no body."""
        for status, given, found in ((403, None, b"7"), (429, grpc_status_of_limit(True), b"8"), (401, None, b"16")):
            sent, _ = self.ask(
                GRPC, Refusal(status, b"no", "x", fields=(JSON, (b"retry-after", b"1")), grpc_status=given)
            )
            self.assertTrue(sent.startswith(b"HTTP/1.1 200 OK\r\n"), sent)
            for words in (b"grpc-status: %b\r\n" % found, b"grpc-message: no\r\n", b"retry-after: 1\r\n"):
                self.assertIn(words, sent)
            self.assertNotIn(b"json", sent)
            self.assertTrue(sent.endswith(b"\r\n\r\n"), sent)
