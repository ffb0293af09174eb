"""Tests of L{edgegate.http.overdue}."""

from __future__ import annotations

from math import inf
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import DURATION_EXCEEDED, REQUEST_DURATION_EXCEEDED, Fault, grpc_status_of, status_of
from edgegate.http.overdue import Overdue
from tests.http.conversation import Conversation
from tests.http.h2.clients import HTTP2Client


def late(seconds: float = 60.0, grpc_seconds: float = inf) -> Overdue:
    """Return what a look finds a minute and a second from now."""
    return Overdue(monotonic() + 61.0, seconds, grpc_seconds)


class OverdueTests(SynchronousTestCase):
    """Requests that take a while."""

    def fault(self, overdue: Overdue, kind: bytes = b"text/plain", ends: bool = True) -> Fault | None:
        """Return what a request with a content type that has just begun ends with."""
        talk = Conversation()
        client = HTTP2Client(talk)
        client.head(b"/", b"POST", ends, (b"content-type", kind))
        (connection,) = talk.environment.connections
        connection.end_overdue(overdue)
        return talk.ended[0].fault if talk.ended else None

    def test_time(self) -> None:
        """One that has time left goes on; one that has taken longer ends, by its client's fault while that sends."""
        self.assertIsNone(self.fault(late(62.0)))
        self.assertIsNone(self.fault(late(inf)))
        self.assertIs(self.fault(late()), DURATION_EXCEEDED)
        self.assertIs(self.fault(late(), ends=False), REQUEST_DURATION_EXCEEDED)

    def test_grpc(self) -> None:
        """Calls of gRPC have a time of their own, those of gRPC-Web too."""
        for kind in (b"application/grpc", b"application/grpc+proto", b"application/grpc-web-text"):
            self.assertIsNone(self.fault(late(), kind), kind)
            self.assertIs(self.fault(late(inf, 60.0), kind), DURATION_EXCEEDED, kind)
        self.assertIsNone(self.fault(late(inf, 60.0)))
        self.assertIs(self.fault(late(), b"application/grpcs"), DURATION_EXCEEDED)

    def test_statuses(self) -> None:
        """A client that has sent all is told that the backend was too slow; one of gRPC that the deadline is over."""
        found = [(status_of(fault), grpc_status_of(fault)) for fault in (DURATION_EXCEEDED, REQUEST_DURATION_EXCEEDED)]
        self.assertEqual(found, [(504, 4), (408, 4)])
