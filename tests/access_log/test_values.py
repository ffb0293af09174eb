"""Tests of L{edgegate.access_log.values}."""

from __future__ import annotations

import os

from edgegate.access_log.lines import record_line
from edgegate.access_log.record import LogRecord
from edgegate.access_log.values import NUMBERS
from edgegate.errors import NO_ROUTE
from edgegate.model.log_formats import TextFormat
from edgegate.model.operators import EMPTY_AT_THE_END, OPERATORS, REQUIRED, operator
from edgegate.model.tracing import Propagation
from edgegate.observe.tracing.trace import Propagator, Trace
from tests.access_log.records import AHEAD, ENDED, RecordCase

_ARGUMENTS = {
    "COALESCE": '{"operators": ["PROTOCOL"]}',
    "COMMON_DURATION": "DS_RX_BEG:DS_TX_END",
    "XFCC_VALUE": "uri",
}


class ValuesTests(RecordCase):
    """What operators stand for at the end."""

    def test_trace(self) -> None:
        """The ids of a request's trace; nothing where none is asked for, and of relays."""
        self.assertEqual(self.text("%TRACE_ID% %SPAN_ID%"), "- -")
        self.assertEqual(self.text("%TRACE_ID% %SPAN_ID%", self.relay), "- -")
        trace = self.exchange.trace = Trace(Propagator(Propagation.W3C), None, False, True, b"")
        ids = f"{trace.trace_id.decode()} {trace.span_id.decode()}"
        self.assertEqual(self.text("%TRACE_ID% %SPAN_ID%"), ids)

    def test_addresses(self) -> None:
        """Addresses of both sides, whole and in parts."""
        self.assertEqual(
            self.text("%UPSTREAM_HOST% %UPSTREAM_REMOTE_PORT% %UPSTREAM_LOCAL_ADDRESS% %UPSTREAM_CLUSTER%"),
            "10.0.1.1:8080 8080 10.0.1.254:40000 outbound|80||web",
        )
        connection = self.exchange.connection
        self.assertEqual(
            self.text("%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS%"),
            f"{connection.local} {connection.peer}",
        )

    def test_machine(self) -> None:
        """What is the same in all lines."""
        self.assertEqual(self.text("%HOSTNAME% %ENVIRONMENT(PATH)%"), f"{os.uname().nodename} {os.environ['PATH']}")
        self.assertEqual(self.text("%ENVIRONMENT(NO_SUCH_NAME)%"), "-")

    def test_first_that_is_there(self) -> None:
        """COALESCE takes the first that stands for something."""
        form = '%COALESCE({"operators": [{"command": "REQ", "param": "x-none"}, "PROTOCOL"]})%'
        self.assertEqual(self.text(form), "HTTP/1.1")

    def test_relay(self) -> None:
        """A relay has no request, and says why it ended."""
        form = "%PROTOCOL% %REQ(:METHOD)% %RESPONSE_CODE% %RESPONSE_FLAGS% %CONNECTION_TERMINATION_DETAILS%"
        self.assertEqual(
            self.text(form, self.relay), f"- - 0 UF {self.relay.fault.details if self.relay.fault else ''}"
        )
        form = "%BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_HOST% %UPSTREAM_REMOTE_ADDRESS% %ROUTE_NAME% %ROUTE_ORIGIN%"
        self.assertEqual(self.text(form, self.relay), "4 3 10.0.2.1:9000 - gw.yaml:6 gw.yaml:6")
        form = "%DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_PORT% %REQUEST_DURATION% %ACCESS_LOG_TYPE%"
        self.assertEqual(self.text(form, self.relay), "10.0.0.9:4000 80 - TcpConnectionEnd")
        self.assertEqual(self.text("%UPSTREAM_TRANSPORT_FAILURE_REASON%", self.relay), "connect_refused")

    def test_rejected(self) -> None:
        """So does a connection that came to nothing."""
        form = "%RESPONSE_FLAGS% %CONNECTION_TERMINATION_DETAILS% %REQUESTED_SERVER_NAME% %UPSTREAM_HOST%"
        self.assertEqual(self.text(form, self.rejected), "NR filter_chain_not_found a.example -")

    def test_no_route(self) -> None:
        """What no route knows is told by its flag."""
        self.exchange.fault, self.exchange.route, self.exchange.status = NO_ROUTE, None, 404
        self.assertEqual(
            self.text("%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %ROUTE_NAME% %ROUTE_ORIGIN%"),
            "404 NR route_not_found - -",
        )

    def test_every_operator(self) -> None:
        """Each operator makes a value of whatever ended, and those that stand for nothing make none."""
        for name in sorted(OPERATORS):
            argument = _ARGUMENTS.get(name, "x-a" if name in REQUIRED else "")
            line = record_line(TextFormat((operator(name, argument),)))
            for ended in (self.exchange, self.relay, self.rejected):
                value = line(LogRecord(ended, ENDED, AHEAD))
                self.assertTrue(value)
                if name in EMPTY_AT_THE_END:
                    self.assertEqual(value, "-")
                elif name in NUMBERS and value != "-":
                    self.assertTrue(value.lstrip("-").isdigit(), f"{name}: {value}")
