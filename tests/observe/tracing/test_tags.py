"""Tests of L{edgegate.observe.tracing.tags}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.model.tracing import (
    TAG_LENGTH,
    CustomTag,
    Propagation,
    SpanFormat,
    TagSource,
    Tracing,
    TracingProvider,
)
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.span import Span
from edgegate.observe.tracing.tags import Tags
from edgegate.observe.tracing.trace import Propagator, Trace
from edgegate.observe.tracing.zipkin import ZipkinWriter
from tests.observe.test_log_lines import AnyHead, AnyRequest

PROVIDER = TracingProvider(SpanFormat.OTLP, "http://collector.example/")
ENDPOINT = TCPAddress("10.1.0.1", 8080)
NOTHING = b"\xff" * 60_000
"""No UTF-8, and as much as a head may have."""


@dataclass
class Asked(AnyRequest):
    """A request that was traced."""

    scheme: bytes = b"https"


def trace() -> Trace:
    """Return one that is sampled."""
    return Trace(Propagator(Propagation.W3C), None, False, True, b"")


def of_request(tags: Tags, request: Asked, of: Trace | None = None) -> dict[str, str]:
    """Return what the span of a request says."""
    return dict(tags.of_request(cast(Any, request), trace() if of is None else of)[0])


class LengthTests(SynchronousTestCase):
    """What clients and backends send does not make spans large."""

    def hostile(self) -> tuple[Asked, Trace]:
        """Return a request all of whose parts are as long as they may be, and none of which is text."""
        fields: list[Field] = [
            (b"content-type", b"application/grpc+" + NOTHING),
            *((name, NOTHING) for name in (b"user-agent", b"x-envoy-downstream-service-cluster", b"grpc-timeout")),
            (b"x-a", NOTHING),
        ]
        request = Asked(AnyHead(NOTHING, NOTHING, "1.1", NOTHING, fields), request_id=NOTHING, scheme=NOTHING)
        told = trace()
        told.note([(b"grpc-status", NOTHING), (b"grpc-message", NOTHING)])
        return request, told

    def test_cut(self) -> None:
        """Each value is cut to so many bytes; each that is no UTF-8 is one sign."""
        tags = Tags(Tracing(PROVIDER, tags=(CustomTag("a", TagSource.HEADER, "x-a"),)))
        found = of_request(tags, *self.hostile())
        long = {name: value for name, value in found.items() if "\N{REPLACEMENT CHARACTER}" in value}
        self.assertEqual(
            set(long),
            {
                *("guid:x-request-id", "http.url", "http.method", "user_agent", "downstream_cluster", "a"),
                *("grpc.path", "grpc.authority", "grpc.content_type", "grpc.timeout"),
                *("grpc.status_code", "grpc.message"),
            },
        )
        parts = long.pop("http.url").replace("://", "/").split("/")
        self.assertEqual([len(value) for value in [*parts, "".join(long.values())]], [TAG_LENGTH, 2 * TAG_LENGTH, 2816])

    def test_small(self) -> None:
        """So the largest span that a client can make has some kilobytes, in each form."""
        made = Tags(Tracing(PROVIDER))
        tags, error = made.of_request(*cast(Any, self.hostile()))
        span = Span(b"1" * 32, b"1" * 16, b"", b"", "a", True, 0, 0, tags, error, made.common)
        for writer in (OTLPWriter([]), ZipkinWriter("gateway")):
            self.assertLess(len(writer.span(span)), 24_000)

    def test_bytes(self) -> None:
        """It is bytes that are counted: text of others has fewer letters; what is cut apart is one sign."""
        tags = Tags(Tracing(PROVIDER, tag_length=5))
        for sent, shown in (("abcdefg", "abcde"), ("äöü", "äö\N{REPLACEMENT CHARACTER}"), ("äöa", "äöa")):
            request = Asked(AnyHead(fields=[(b"user-agent", sent.encode())]))
            self.assertEqual(of_request(tags, request)["user_agent"], shown)
        self.assertEqual(of_request(tags, Asked(AnyHead(b"GET", "/äöü".encode())))["http.url"], "https://shop./äö")
