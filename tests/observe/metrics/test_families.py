"""Tests of L{edgegate.observe.metrics.families}."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream import listener
from edgegate.http import request_metrics as requests
from edgegate.observe.metrics import connection_metrics as connections
from edgegate.observe.metrics.families import (
    CLUSTERS,
    COUNTED,
    HTTP,
    LISTENERS,
    OWN,
    READ,
    RELAYS,
    REQUESTS,
    Kind,
    Type,
)
from edgegate.server import readings
from edgegate.upstream import endpoint


def place(kind: Kind, name: str) -> int:
    """Return where the numbers of a family begin."""
    return next(family.offset for family in kind.families if family.name == name)


class FamiliesTests(SynchronousTestCase):
    """The tables, and those who count by them."""

    def test_names(self) -> None:
        """No name is there twice, each is one of Prometheus, and each has a sentence."""
        families = [family for kind in (*COUNTED, *READ) for family in kind.families]
        names = [family.name for family in families]
        self.assertEqual(len(set(names)), len(names))
        for family in families:
            self.assertRegex(family.name, r"^(istio|envoy|edgegate|process)_[a-z0-9_]+$")
            self.assertTrue(re.fullmatch(r"[A-Z01].*\.", family.help), family)
            if family.name.startswith("edgegate") and family.type is Type.COUNTER:
                self.assertTrue(family.name.endswith("_total"), family)

    def test_places(self) -> None:
        """Numbers of one kind lie one behind the other, and none is left over."""
        for kind in (*COUNTED, *READ):
            offset = 0
            for family in kind.families:
                self.assertEqual(family.offset, offset, family)
                offset += family.width
            self.assertEqual(kind.width, offset)

    def test_requests(self) -> None:
        """What counts requests has its places from the tables."""
        for name, number in (
            ("istio_request_duration_milliseconds", requests.DURATION),
            ("istio_request_bytes", requests.REQUEST_BYTES),
            ("istio_response_bytes", requests.RESPONSE_BYTES),
        ):
            self.assertEqual(place(REQUESTS, name), number)
        cluster = {
            "rq_retry": requests.RETRIES,
            "rq_retry_success": requests.RETRY_SUCCESS,
            "rq_retry_limit_exceeded": requests.BY_FLAG["URX"],
            "rq_timeout": requests.BY_FLAG["UT"],
            "rq_rx_reset": requests.BY_FLAG["UR"],
            "rq_cancelled": requests.BY_FLAG["DC"],
            "rq_pending_overflow": requests.BY_FLAG["UO"],
            "cx_none_healthy": requests.BY_FLAG["UH"],
            "cx_destroy_remote_with_active_rq": requests.BY_FLAG["UC"],
            "cx_rx_bytes_total": requests.RECEIVED,
            "cx_tx_bytes_total": requests.SENT,
            "rq_xx": requests.STATUSES,
            "rq_time": requests.UPSTREAM_TIME,
            "cx_total": endpoint.CONNECTED,
            "cx_connect_fail": endpoint.NOT_CONNECTED,
            "cx_connect_timeout": endpoint.TOO_SLOW,
        }
        for name, number in cluster.items():
            self.assertEqual(place(CLUSTERS, f"envoy_cluster_upstream_{name}"), number, name)
        http = {
            "downstream_rq_total": requests.HTTP_TOTAL,
            "downstream_rq_rx_reset": requests.HTTP_RESET,
            "downstream_rq_too_large": requests.HTTP_TOO_LARGE,
            "no_route": requests.HTTP_NO_ROUTE,
            "downstream_cx_rx_bytes_total": requests.HTTP_RECEIVED,
            "downstream_cx_tx_bytes_total": requests.HTTP_SENT,
            "downstream_rq_xx": requests.HTTP_STATUSES,
            "downstream_rq_time": requests.HTTP_TIME,
            "downstream_cx_total": 0,
        }
        for name, number in http.items():
            self.assertEqual(place(HTTP, f"envoy_http_{name}"), number, name)

    def test_others(self) -> None:
        """So has what counts connections."""
        self.assertEqual(place(RELAYS, "istio_tcp_connections_closed_total"), connections.CLOSED)
        self.assertEqual(place(RELAYS, "istio_tcp_sent_bytes_total"), connections.SENT)
        self.assertEqual(place(RELAYS, "istio_tcp_received_bytes_total"), connections.RECEIVED)
        self.assertEqual(connections.CLUSTER_RECEIVED, requests.RECEIVED)
        self.assertEqual(connections.CLUSTER_SENT, requests.SENT)
        self.assertEqual(place(OWN, "edgegate_access_log_dropped_total"), readings.LINES_LOST)
        self.assertEqual(place(LISTENERS, "envoy_listener_downstream_cx_total"), listener.TAKEN)
        self.assertEqual(place(LISTENERS, "envoy_listener_downstream_cx_overflow"), listener.OVERFLOWS)
        self.assertEqual(place(LISTENERS, "envoy_listener_ssl_handshake"), listener.HANDSHAKES_DONE)
