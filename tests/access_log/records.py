"""What ended, of which tests have lines made."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.lines import log_line
from edgegate.errors import CONNECT_REFUSED
from edgegate.http.exchange import Exchange
from edgegate.http.forwarded import Client
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.router.response_headers import SERVICE_TIMES
from edgegate.http.upstream_head import UpstreamHead
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.addresses import TCPAddress
from edgegate.model.log_formats import LogFormat, text_format
from edgegate.model.origin import Origin
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.routing.snapshot import FilterChain, Listener
from tests.http.conversation import to_web
from tests.http.test_exchange import FakeDownstream

AHEAD = 1772366399.0825
"""The time since the epoch at the start of the monotonic clock."""

STARTED = 1.0
ENDED = 1.015625
CLIENT, LOCAL = TCPAddress("10.0.0.9", 4000), TCPAddress("10.0.0.1", 80)
NOWHERE = Origin("gw.yaml", 6, "Gateway default/gw")


class RecordCase(SynchronousTestCase):
    """Tests of a line of a request that a backend has answered, of a relay, and of a rejected connection."""

    def setUp(self) -> None:
        """Have something that ended."""
        stream = FakeDownstream()
        stream.client = Client(stream.downstream, 0)
        head = refused_head()
        head.method, head.target, head.path, head.authority = b"GET", b"/a?b=c", b"/a", b"web.example:80"
        head.fields = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-long", b'0123"56789'), (b"user-agent", b"curl/8")]
        exchange = self.exchange = Exchange(cast(Any, stream), head, {})
        exchange.started = STARTED
        exchange.route = to_web()
        exchange.cluster = "outbound|80||web"
        exchange.upstream, exchange.upstream_local = TCPAddress("10.0.1.1", 8080), TCPAddress("10.0.1.254", 40000)
        exchange.identity_fields()
        exchange.asked = UpstreamHead(b"GET", b"/new?b=c", b"web.example", "web.example", [(b"x-added", b"yes")])
        exchange.asked_at, exchange.responded_at, exchange.upstream_time = 1.001953125, 1.01171875, 10
        exchange.request_whole = True
        exchange.status, exchange.sent = 200, 5
        exchange.response = ResponseHead(200, b"OK", [(b"x-b", b"b")], 5)
        exchange.response_fields = SERVICE_TIMES[10]
        exchange.attempts = 1
        connection = ConnectionInfo(Listener("", LOCAL, 80, NOWHERE), FilterChain("", NOWHERE), CLIENT, LOCAL)
        self.relay = RelayEnd(
            connection, CONNECT_REFUSED, NOWHERE, "outbound|9000||tcp", TCPAddress("10.0.2.1", 9000), None, 3, 4
        )
        self.rejected = RejectedConnection(CLIENT, LOCAL, "no server of that name", "a.example", True)

    def line(self, form: LogFormat, ended: Any = None) -> str:
        """Return the line of a request, or of what else ended."""
        ended = self.exchange if ended is None else ended
        return log_line(AccessLogFile("-", form))(ended, ENDED, AHEAD)

    def text(self, text: str, ended: Any = None) -> str:
        """Return the line of a text, without its newline."""
        return self.line(text_format(text), ended).removesuffix("\n")
