"""Tests for L{edgegate.http.formatter_connections}."""

from __future__ import annotations

import platform
from types import SimpleNamespace
from typing import Any, cast

from edgegate.http.forwarded import Client
from edgegate.http.response import ResponseHead
from edgegate.model.addresses import UNIXAddress
from edgegate.net.addresses import ConnectionInfo
from tests.http.conversation import plain
from tests.http.formatting import FormatterCase


class ConnectionOperatorsTests(FormatterCase):
    """Addresses of both sides, and what is known of their connections."""

    def test_connection(self) -> None:
        """Addresses of both sides of the connection."""
        for text, value in (
            ("%DOWNSTREAM_REMOTE_ADDRESS%", b"192.0.2.7:4711"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%", b"192.0.2.0/24"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)%", b""),
            ("%DOWNSTREAM_REMOTE_PORT%", b"4711"),
            ("%DOWNSTREAM_DIRECT_REMOTE_PORT%", b"4711"),
            ("%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%", b"127.0.0.1:8080"),
            ("%DOWNSTREAM_DETECTED_CLOSE_TYPE%", b""),
            ("%FILTER_CHAIN_NAME%", b""),
            ("%REQUESTED_SERVER_NAME(SNI_ONLY)%", b""),
            ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_LOCAL_ADDRESS%", b"127.0.0.1:8080"),
            ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", b"127.0.0.1"),
            ("%DOWNSTREAM_LOCAL_PORT%", b"80"),
            ("%PROTOCOL%", b"HTTP/1.1"),
            ("%REQUESTED_SERVER_NAME%", b""),
            ("%HOSTNAME%", platform.node().encode()),
        ):
            self.assertEqual(self.value(text), value, text)

    def test_client_behind_proxies(self) -> None:
        """The client is who trusted proxies say it is."""
        self.exchange.head.forwarded_for = [b"198.51.100.1, 203.0.113.9"]
        self.exchange.identity = None
        self.stream.client = Client(self.stream.downstream, 2)
        self.assertEqual(self.value("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"), b"198.51.100.1")
        self.assertEqual(self.value("%DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_PORT%"), b"198.51.100.1:0|0")
        self.assertEqual(self.value("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"), b"192.0.2.7")

    def test_upstream(self) -> None:
        """The cluster is known from the first, the backend when it has answered, or has failed to (Envoy)."""
        answer = ResponseHead(200, b"", [])
        self.exchange.attempts = 2
        for text, before, answered, failed in (
            ("%ROUTE_NAME%", b"r", b"r", b"r"),
            ("%ROUTE_ORIGIN%", b"coolstore.yaml:1", b"coolstore.yaml:1", b"coolstore.yaml:1"),
            ("%UPSTREAM_CLUSTER%", b"outbound|80||web", b"outbound|80||web", b"outbound|80||web"),
            ("%UPSTREAM_CLUSTER_RAW%", b"outbound|80||web", b"outbound|80||web", b"outbound|80||web"),
            ("%UPSTREAM_HOST%", b"", b"10.0.0.1:80", b"10.0.0.1:80"),
            ("%UPSTREAM_HOST_NAME%", b"", b"10.0.0.1:80", b"10.0.0.1:80"),
            ("%UPSTREAM_HOST_NAME_WITHOUT_PORT%", b"", b"10.0.0.1", b"10.0.0.1"),
            ("%UPSTREAM_DETECTED_CLOSE_TYPE%", b"", b"", b""),
            ("%UPSTREAM_REMOTE_ADDRESS%", b"", b"10.0.0.1:80", b""),
            ("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(8)%", b"", b"10.0.0.0/8", b""),
            ("%UPSTREAM_REMOTE_PORT%", b"", b"80", b""),
            ("%UPSTREAM_LOCAL_ADDRESS%", b"", b"10.0.0.254:40000", b""),
            ("%UPSTREAM_LOCAL_PORT%", b"", b"40000", b""),
            ("%UPSTREAM_PROTOCOL%", b"", b"HTTP/1.1", b""),
            ("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", b"2", b"2", b"2"),
            ("%UPSTREAM_TLS_VERSION%", b"", b"", b""),
        ):
            backend = cast(Any, SimpleNamespace(secured=None, shared=False))
            self.assertEqual(self.value(text), before, text)
            self.assertEqual(self.value(text, answer, backend), answered, text)
            self.assertEqual(self.value(text, answer, None), failed, text)
        shared = cast(Any, SimpleNamespace(secured=None, shared=True))
        self.assertEqual(self.value("%UPSTREAM_PROTOCOL%", answer, shared), b"HTTP/2")
        self.exchange.upstream = self.exchange.upstream_local = self.exchange.route = None
        self.assertEqual(self.value("%UPSTREAM_HOST%%ROUTE_NAME%%ROUTE_ORIGIN%", answer, None), b"")
        self.exchange.attempts = 0
        self.assertEqual(self.value("%UPSTREAM_REQUEST_ATTEMPT_COUNT%"), b"1")
        self.assertEqual(self.value("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", answer, None), b"0")

    def test_unix_socket(self) -> None:
        """A client on a UNIX socket has a path for an address."""
        told = plain()
        self.exchange.connection = ConnectionInfo(told.listener, told.chain, UNIXAddress("/run/a"), told.local)
        self.assertIn(b"/run/a", self.value("%DOWNSTREAM_REMOTE_ADDRESS%"))
