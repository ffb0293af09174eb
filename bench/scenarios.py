"""What is measured."""

from __future__ import annotations

from dataclasses import dataclass

from loads import MANY, Load, h2load, own, upload, wrk
from mixed import http1_script
from stage import GRPC, MESSAGE

BULK = 1 << 20
"""Bytes of the large answer."""

GRPC_FIELDS = ("content-type: application/grpc", "te: trailers")

HOSTS = 10_000

MIXED = http1_script()


@dataclass(frozen=True)
class Setting:
    """
    How all proxies are set up for some scenarios.

    @ivar log: Whether each writes an access log to a file.
    @ivar admin: Whether each has an admin listener, and counts for its metrics.
    @ivar hosts: How many virtual hosts there are besides the one.
    """

    log: bool = False
    hosts: int = 0
    admin: bool = False


PLAIN, LOGGED, CROWDED = Setting(), Setting(log=True), Setting(hosts=HOSTS)
OBSERVED = Setting(log=True, admin=True)


@dataclass(frozen=True)
class Scenario:
    """
    One kind of work.

    @ivar what: It, as a title.
    @ivar unit: What the CPU time is divided by.
    @ivar port: Which of a proxy's ports is asked.
    """

    what: str
    unit: str
    port: str
    load: Load
    setting: Setting = PLAIN


SCENARIOS = {
    "http1-mixed": Scenario("HTTP/1.1, requests as browsers send them", "request", "http", wrk(script=MIXED)),
    "https1-mixed": Scenario(
        "HTTP/1.1 over TLS, requests as browsers send them", "request", "https", wrk(tls=True, script=MIXED)
    ),
    "h2-mixed": Scenario(
        "HTTP/2 over TLS, requests as browsers send them, 8 streams on each of 16 connections",
        "request",
        "https",
        own("mixed", 16),
    ),
    "http1": Scenario("HTTP/1.1, keep-alive, small answers", "request", "http", wrk()),
    "http1-bulk": Scenario("HTTP/1.1, answers of 1 MiB", "MiB", "http", wrk("/bulk", connections=16)),
    "https1": Scenario("HTTP/1.1 over TLS, keep-alive, small answers", "request", "https", wrk(tls=True)),
    "https1-bulk": Scenario(
        "HTTP/1.1 over TLS, answers of 1 MiB", "MiB", "https", wrk("/bulk", tls=True, connections=16)
    ),
    "h2": Scenario(
        "HTTP/2 over TLS, 8 streams on each of 16 connections", "request", "https", h2load(connections=16, streams=8)
    ),
    "h2-single": Scenario(
        "HTTP/2 over TLS, 1 stream on each of 64 connections", "request", "https", h2load(connections=64, streams=1)
    ),
    "h2-many": Scenario(
        "HTTP/2 over TLS, 100 streams on each of 4 connections", "request", "https", h2load(connections=4, streams=100)
    ),
    "h2-bulk": Scenario(
        "HTTP/2 over TLS, answers of 1 MiB", "MiB", "https", h2load("/bulk", connections=4, streams=4, answer=BULK)
    ),
    "h2-upload": Scenario(
        "HTTP/2 over TLS, uploads of 1 MiB",
        "MiB",
        "https",
        h2load("/upload", connections=4, streams=4, body=bytes(BULK)),
    ),
    "grpc": Scenario(
        "gRPC in the clear, 8 unary calls on each of 16 connections",
        "call",
        "grpc",
        h2load(GRPC, connections=16, streams=8, tls=False, body=MESSAGE, fields=GRPC_FIELDS, answer=len(MESSAGE)),
    ),
    "h2-h2": Scenario(
        "HTTP/2 over TLS and to the backend, 8 streams on each of 16 connections",
        "request",
        "h2",
        h2load(connections=16, streams=8),
    ),
    "h2-h2-bulk": Scenario(
        "HTTP/2 over TLS and to the backend, answers of 1 MiB",
        "MiB",
        "h2",
        h2load("/bulk", connections=4, streams=4, answer=BULK),
    ),
    "handshake": Scenario(
        "A new TLS connection for each request (wrk resumes where it gets a ticket)",
        "connection",
        "https",
        wrk(tls=True, connections=32, close=True),
    ),
    "resumed": Scenario("A resumed TLS 1.3 session for each request", "connection", "https", own("resume", 1)),
    "mutual": Scenario(
        "HTTP/1.1 over TLS with a client's certificate, small answers", "request", "mtls", own("mutual", 16)
    ),
    "tcp": Scenario("TCP, small messages", "message and its answer", "tcp", wrk()),
    "tcp-bulk": Scenario("TCP, 1 MiB at a time", "MiB", "tcp", wrk("/bulk", connections=16)),
    "upload-10k": Scenario("Uploads of 10 KB", "upload", "http", wrk("/upload", script=upload(10_000))),
    "upload-10m": Scenario(
        "Uploads of 10 MB", "upload", "http", wrk("/upload", connections=4, script=upload(10_000_000))
    ),
    "websocket": Scenario("WebSocket, 100 bytes and their echo", "message and its echo", "http", own("websocket", 16)),
    "log": Scenario("HTTP/1.1, small answers, with an access log in a file", "request", "http", wrk(), LOGGED),
    "observed": Scenario(
        "HTTP/1.1, small answers, with metrics, an admin listener and an access log in a file",
        "request",
        "http",
        wrk(),
        OBSERVED,
    ),
    "observed-h2": Scenario(
        "HTTP/2 over TLS, 8 streams on each of 16 connections, with metrics, an admin listener and an access log",
        "request",
        "https",
        h2load(connections=16, streams=8),
        OBSERVED,
    ),
    "hosts": Scenario("HTTP/1.1, small answers of 10,000 virtual hosts", "request", "http", wrk(script=MANY), CROWDED),
}

IDLE = {
    "idle": ("Idle TLS connections", "http/1.1"),
    "idle-h2": ("Idle connections of HTTP/2 over TLS", "h2"),
}
"""What is measured in memory for each connection: it, as a title, and the protocol that is agreed on by ALPN."""
