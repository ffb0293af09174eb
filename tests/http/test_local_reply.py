"""Tests of L{edgegate.http.local_reply}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate import errors
from edgegate.errors import DURATION_EXCEEDED, NO_ROUTE
from edgegate.http.local_reply import REASONS, grpc_reply, plain_reply


class LocalReplyTests(SynchronousTestCase):
    """What the gateway says itself."""

    def test_plain(self) -> None:
        """The reason with its flag, in plain text."""
        self.assertEqual(plain_reply(NO_ROUTE, False), ([(b"content-type", b"text/plain")], b"no route (NR)\n"))

    def test_retry_after(self) -> None:
        """A fault that may be gone soon says when to ask again."""
        fields, _ = plain_reply(replace(NO_ROUTE, retry_after=7), False)
        self.assertIn((b"retry-after", b"7"), fields)

    def test_translated(self) -> None:
        """What becomes a message of gRPC-Web is the reason alone."""
        self.assertEqual(plain_reply(NO_ROUTE, True)[1], b"no route")

    def test_grpc(self) -> None:
        """A client of gRPC gets a status of gRPC with the reason: the fault's own, or that of its status of HTTP."""
        self.assertLessEqual({(b"grpc-status", b"12"), (b"grpc-message", b"no route")}, set(grpc_reply(NO_ROUTE)))
        self.assertIn((b"grpc-status", b"4"), grpc_reply(DURATION_EXCEEDED))

    def test_every_fault_has_a_reason(self) -> None:
        """Every status that a fault can become has its phrase."""
        faults = [value for value in vars(errors).values() if isinstance(value, errors.Fault)]
        self.assertGreater(len(faults), 20)
        for fault in faults:
            if fault.status:
                self.assertIn(fault.status, REASONS)
