"""A collector of traces and logs for tests: it keeps what it was sent, in the words of OTLP or of Zipkin."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as ProtoSpan

PATIENCE = 30.0


@dataclass
class Seen:
    """
    A span as the collector has read it; ids are hexadecimal.

    @ivar process: Which process of the gateway has sent it.
    """

    trace_id: str
    span_id: str
    parent_id: str
    state: str
    name: str
    kind: str
    started: int
    ended: int
    tags: dict[str, str]
    error: bool
    service: str
    process: str = ""


@dataclass
class Record:
    """
    A line of a log as the collector has read it; ids are hexadecimal.

    @ivar said: What there is besides its text.
    @ivar resource: What its sender says of itself.
    """

    text: str
    said: dict[str, str]
    trace_id: str
    span_id: str
    sampled: bool
    began: int
    resource: dict[str, str]


class Collector:
    """
    Takes spans at C{/v1/traces} and C{/api/v2/spans} and logs at C{/v1/logs}, in threads of its own.

    @ivar port: Where it listens, on 127.0.0.1.
    @ivar spans: Spans that it has taken; C{records}: lines of logs.
    @ivar status: What it answers; anything but 200 takes nothing.
    @ivar answers: How often it has answered what.
    """

    def __init__(self, tls: SSLContext | None = None) -> None:
        self.spans: list[Seen] = []
        self.records: list[Record] = []
        self.status = 200
        self.answers: Counter[int] = Counter()
        self._news = threading.Condition()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = collector._take(self.path, self.headers["content-type"], body)
                self.send_response(status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: object) -> None:
                """Be silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, trace_id: str = "") -> list[Seen]:
        """
        Wait until there are so many spans, and return them in the order of their beginnings.

        @param trace_id: Only those of this trace.
        """
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while True:
                found = [span for span in self.spans if trace_id in ("", span.trace_id)]
                if len(found) >= count:
                    return sorted(found, key=lambda span: (span.started, span.kind != "SERVER"))
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"{len(found)} spans instead of {count}: {found}")

    def wait_for_records(self, count: int) -> list[Record]:
        """Wait until there are so many lines of logs, and return them in the order of their beginnings."""
        with self._news:
            assert self._news.wait_for(lambda: len(self.records) >= count, PATIENCE), self.records
            return sorted(self.records, key=lambda record: record.began)

    def wait_for_answers(self, status: int) -> None:
        """Wait until it has answered so."""
        with self._news:
            assert self._news.wait_for(lambda: self.answers[status] > 0, PATIENCE), self.answers

    def _take(self, path: str, content_type: str, body: bytes) -> int:
        with self._news:
            status = self.status
            if status == 200:
                if (path, content_type) == ("/v1/traces", "application/x-protobuf"):
                    self.spans += _otlp(body)
                elif (path, content_type) == ("/v1/logs", "application/x-protobuf"):
                    self.records += _logs(body)
                elif (path, content_type) == ("/api/v2/spans", "application/json"):
                    self.spans += _zipkin(body)
                else:
                    status = 404
            self.answers[status] += 1
            self._news.notify_all()
            return status


def _otlp(body: bytes) -> list[Seen]:
    request = ExportTraceServiceRequest()
    request.ParseFromString(body)
    found = []
    for resource in request.resource_spans:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for span in [span for scope in resource.scope_spans for span in scope.spans]:
            found.append(
                Seen(
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    span.trace_state,
                    span.name,
                    ProtoSpan.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    {each.key: each.value.string_value for each in span.attributes},
                    span.status.code == 2,
                    about["service.name"],
                    about["service.instance.id"],
                )
            )
    return found


def _logs(body: bytes) -> list[Record]:
    request = ExportLogsServiceRequest()
    request.ParseFromString(body)
    found = []
    for resource in request.resource_logs:
        about = {each.key: each.value.string_value for each in resource.resource.attributes}
        for record in [record for scope in resource.scope_logs for record in scope.log_records]:
            found.append(
                Record(
                    record.body.string_value,
                    {each.key: each.value.string_value for each in record.attributes},
                    record.trace_id.hex(),
                    record.span_id.hex(),
                    record.flags == 1,
                    record.time_unix_nano,
                    about,
                )
            )
    return found


def _zipkin(body: bytes) -> list[Seen]:
    return [
        Seen(
            span["traceId"],
            span["id"],
            span.get("parentId", ""),
            "",
            span["name"],
            span["kind"],
            span["timestamp"] * 1000,
            (span["timestamp"] + span["duration"]) * 1000,
            span["tags"],
            span["tags"].get("error") == "true",
            span["localEndpoint"]["serviceName"],
        )
        for span in json.loads(body)
    ]
