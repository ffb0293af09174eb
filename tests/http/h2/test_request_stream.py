"""Tests of L{edgegate.http.h2.request_stream}: what is raised in a stream's events is the stream's own."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_REQUEST
from edgegate.http.h2.request_stream import RequestStream
from edgegate.http.h2.stream import Sender
from edgegate.http.request import refused_head


class Carrier:
    """Writes down what it is told, and may break at that."""

    def __init__(self, breaks: bool = False) -> None:
        self.told: list[str] = []
        self.breaks = breaks

    def broke(self) -> None:
        self.told.append("broke")

    def __getattr__(self, name: str) -> Any:
        def hear(*what: object) -> None:
            self.told.append(name)
            if self.breaks:
                raise ZeroDivisionError

        return hear


class Connection(Sender):
    """A connection on which nothing is sent."""

    data_came = headers_came = reset_came = settings_came = settings_ack_came = ping_came = cast(Any, None)
    goaway_came = window_update_came = rare_came = sent_whole = cast(Any, None)


class RequestStreamTests(SynchronousTestCase):
    """One stream."""

    def stream(self, carrier: Carrier) -> RequestStream:
        """Begin one."""
        stream = RequestStream(cast(Any, Connection()), 1)
        stream.carrier = cast(Any, carrier)
        return stream

    def tell(self, stream: RequestStream) -> None:
        """Tell everything, the end last."""
        stream.request_received(refused_head())
        stream.request_refused(BAD_REQUEST)
        stream.body_received(b"x")
        stream.message_ended([])
        stream.send_room()
        stream.stream_reset(0, True)

    TOLD = ("request_head", "request_refused", "request_body", "request_end", "response_flows", "abandon")

    def test_told(self) -> None:
        """Everything is passed on, and nothing after the end."""
        carrier = Carrier()
        stream = self.stream(carrier)
        self.tell(stream)
        self.tell(stream)
        self.assertEqual(carrier.told, [*self.TOLD])
        self.assertIsNone(stream.carrier)

    def test_breaks(self) -> None:
        """What is raised is logged and told, and does not reach the connection, whose other streams go on."""
        carrier = Carrier(True)
        self.tell(self.stream(carrier))
        self.assertEqual(carrier.told, [word for each in self.TOLD for word in (each, "broke")])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), len(self.TOLD))

    def test_closed(self) -> None:
        """A stream that ends in good order lets go of its carrier, and tells it nothing."""
        carrier = Carrier()
        stream = self.stream(carrier)
        stream.stream_closed()
        self.tell(stream)
        self.assertEqual((carrier.told, stream.carrier), ([], None))
