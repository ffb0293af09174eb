"""Tests of L{edgegate.http.health.grpc_health}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.health.grpc_health import BadMessage, question, response_of


class MessageTests(SynchronousTestCase):
    """Messages by hand."""

    def test_question(self) -> None:
        """The name of a service, framed."""
        self.assertEqual(question(""), b"\0\0\0\0\0")
        self.assertEqual(question("shop"), b"\0\0\0\0\6\n\4shop")
        self.assertEqual(question("s" * 200)[:8], b"\0\0\0\0\xcb\n\xc8\1")

    def test_answer(self) -> None:
        """The status, which is 0 where nothing is said."""
        answers = b"\0\0\0\0\2\x08\1", b"\0\0\0\0\0", b"\0\0\0\0\2\x08\2"
        self.assertEqual(list(map(response_of, answers)), [1, 0, 2])

    @given(st.binary(max_size=12))
    def test_anything(self, body: bytes) -> None:
        """Whatever comes is a status or refused."""
        try:
            self.assertTrue(0 <= response_of(body) < 256)
        except BadMessage:
            pass
