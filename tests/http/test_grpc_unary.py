"""Tests of L{edgegate.http.grpc_unary}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.async_request import AsyncResponse
from edgegate.http.fields import Field
from edgegate.http.grpc_unary import CallFailed, call_head, framed, message_in

GRPC = (b"content-type", b"application/grpc+proto")


def answer(body: bytes, *trailers: Field, fields: tuple[Field, ...] = (GRPC,), status: int = 200) -> AsyncResponse:
    """Make a response."""
    return AsyncResponse(status, list(fields), body, list(trailers) or [(b"grpc-status", b"0")])


class UnaryTests(SynchronousTestCase):
    """One message each way."""

    def test_head(self) -> None:
        """The head says what gRPC wants to be said, and how long is waited."""
        head = call_head(b"/a.B/C", b"auth", 7, 0.25, [(b"x", b"y")])
        self.assertEqual((head.method, head.target, head.authority, head.length), (b"POST", b"/a.B/C", b"auth", 7))
        self.assertEqual(
            head.fields,
            [
                (b"te", b"trailers"),
                (b"content-type", b"application/grpc"),
                (b"grpc-timeout", b"250m"),
                (b"x", b"y"),
            ],
        )
        for seconds, said in ((0.0, b"1m"), (1e9, b"99999999m")):
            self.assertIn((b"grpc-timeout", said), call_head(b"/", b"a", 0, seconds, []).fields)

    @given(st.binary(max_size=300))
    def test_message(self, message: bytes) -> None:
        """A message comes back as it was."""
        self.assertEqual(message_in(answer(framed(message))), message)

    def test_no_message(self) -> None:
        """What else comes is said in words."""
        message = framed(b"x")
        for response, status, words in (
            (answer(message, status=503), 2, "it answers 503"),
            (answer(b"", (b"grpc-status", b"14"), (b"grpc-message", b"go%20away")), 14, "gRPC status 14: go away"),
            (answer(b"", (b"x", b"y"), fields=(GRPC, (b"grpc-status", b"7"))), 7, "it answers gRPC status 7"),
            (answer(message, (b"x", b"y")), 2, "it answers no gRPC status"),
            (answer(message, (b"grpc-status", b"nine")), 2, "it answers gRPC status 2"),
            (answer(message, fields=()), 2, "it does not answer in gRPC"),
            (answer(b""), 13, "its answer is not one message"),
            (answer(message * 2), 13, "its answer is not one message"),
            (answer(message[:-1]), 13, "its answer is not one message"),
            (answer(b"\1" + message[1:]), 13, "its answer is compressed"),
        ):
            error = self.assertRaises(CallFailed, message_in, response)
            self.assertEqual(error.status, status)
            self.assertIn(words, str(error))
