"""Tests of L{edgegate.observe.tracing.tags}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, CONNECT_REFUSED
from edgegate.http.fields import Field
from edgegate.http.grpc import is_grpc
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
from edgegate.observe.tracing.trace import Propagator, Trace, Try
from edgegate.observe.tracing.zipkin import ZipkinWriter
from tests.observe.test_log_lines import AnyConnection, AnyHead, AnyRequest

PROVIDER = TracingProvider(SpanFormat.OTLP, "http://collector.example/")
ENDPOINT = TCPAddress("10.1.0.1", 8080)
NOTHING = b"\xff" * 60_000
"""No UTF-8, and as much as a head may have."""


@dataclass
class Asked(AnyRequest):
    """A request that was traced."""

    scheme: bytes = b"https"

    @property
    def asks_grpc(self) -> bool:
        """Whether it is a call of gRPC."""
        return is_grpc(self.head.fields)


def trace() -> Trace:
    """Return one that is sampled."""
    return Trace(Propagator(Propagation.W3C), None, False, True, b"")


def of_request(tags: Tags, request: Asked, of: Trace | None = None) -> dict[str, str]:
    """Return what the span of a request says."""
    return dict(tags.of_request(cast(Any, request), trace() if of is None else of)[0])


def of_try(tried: Try, request: Asked | None = None, last: bool = True, of: Trace | None = None) -> dict[str, str]:
    """Return what the span of a try says, and check that it is an error where it says so."""
    asked = Asked() if request is None else request
    tags, error = Tags(Tracing(PROVIDER)).of_try(cast(Any, asked), trace() if of is None else of, tried, last)
    assert error is (dict(tags).get("error") == "true")
    return dict(tags)


class RequestTests(SynchronousTestCase):
    """The span of a request."""

    def test_errors(self) -> None:
        """Where there was no response, or one that says so, the gateway or its backend failed; others did well."""
        for status, expected in ((0, "true"), (199, None), (499, None), (500, "true"), (599, "true")):
            found, error = Tags(Tracing(PROVIDER)).of_request(cast(Any, Asked(status=status)), trace())
            self.assertEqual((dict(found).get("error"), error), (expected, expected is not None), status)

    def test_nothing(self) -> None:
        """What is not there is a dash, and a cluster that was not taken is not named."""
        found = of_request(
            Tags(Tracing(PROVIDER)), Asked(AnyHead(version="", fields=[]), cluster="", fault=CLIENT_GONE)
        )
        for name in ("user_agent", "downstream_cluster", "http.protocol"):
            self.assertEqual(found[name], "-", name)
        self.assertEqual(found["response_flags"], "DC")
        self.assertNotIn("upstream_cluster", found)
        self.assertFalse([name for name in found if name.startswith("grpc")])

    def test_peer(self) -> None:
        """A client is its address without its port; one of a UNIX socket is its path."""
        self.assertEqual(of_request(Tags(Tracing(PROVIDER)), Asked())["peer.address"], "10.0.0.9")
        request = Asked(connection=AnyConnection(peer="unix:/run/edge.sock"))
        self.assertEqual(of_request(Tags(Tracing(PROVIDER)), request)["peer.address"], "unix:/run/edge.sock")

    def test_grpc(self) -> None:
        """A call of gRPC is shown with its status, of which some are errors; untranslated gRPC-Web is none."""
        for kind, status, error in (
            (b"application/grpc", b"0", None),
            (b"application/grpc+proto", b"5", None),
            (b"application/grpc;a=b", b"14", "true"),
        ):
            told = trace()
            told.note([(b"grpc-status", status), (b"grpc-message", b"a b")])
            fields = [(b"content-type", kind), (b"grpc-timeout", b"1S")]
            found = of_request(Tags(Tracing(PROVIDER)), Asked(AnyHead(target=b"/a.B/C", fields=fields)), told)
            shown = {name: value for name, value in found.items() if name.startswith("grpc.")}
            self.assertEqual(
                shown,
                {
                    "grpc.path": "/a.B/C",
                    "grpc.authority": "shop.example",
                    "grpc.content_type": kind.decode(),
                    "grpc.timeout": "1S",
                    "grpc.status_code": status.decode(),
                    "grpc.message": "a b",
                },
            )
            self.assertEqual(found.get("error"), error, status)
        for kind in (b"application/grpc-web", b"application/grpcs", b"text/plain"):
            found = of_request(Tags(Tracing(PROVIDER)), Asked(AnyHead(fields=[(b"content-type", kind)])))
            self.assertNotIn("grpc.path", found)

    def test_custom(self) -> None:
        """Tags of the files are literal, of the environment or of a header; one without a value is not there."""
        tags = Tags(
            Tracing(
                PROVIDER,
                node="here",
                zone="z1",
                istio_tags=(),
                tags=(
                    CustomTag("a", TagSource.LITERAL, "1"),
                    CustomTag("b", TagSource.ENVIRONMENT, "B"),
                    CustomTag("c", TagSource.ENVIRONMENT, "C", "default"),
                    CustomTag("d", TagSource.ENVIRONMENT, "C"),
                    CustomTag("e", TagSource.HEADER, "x-e"),
                    CustomTag("f", TagSource.HEADER, "x-f", "default"),
                    CustomTag("g", TagSource.HEADER, "x-f"),
                ),
            ),
            {"B": "2"},
        )
        found = of_request(tags, Asked(AnyHead(fields=[(b"x-e", b"3")])))
        found.update(tags.common)
        own = {name: value for name, value in found.items() if len(name) == 1}
        self.assertEqual(own, {"a": "1", "b": "2", "c": "default", "e": "3", "f": "default"})
        self.assertEqual([found[name] for name in ("component", "node_id", "zone")], ["proxy", "here", "z1"])
        self.assertFalse([name for name in found if name.startswith("istio.")])


class TryTests(SynchronousTestCase):
    """The span of a try, and that of a copy for a mirror."""

    def test_answered(self) -> None:
        """One that was answered names its endpoint; one that is not the first says so."""
        found = of_try(Try(b"1" * 16, 3, ENDPOINT, "HTTP/2", 1.0, 2.0, 200, None))
        self.assertEqual(found["upstream_address"], "10.1.0.1:8080")
        self.assertEqual(
            (found["http.protocol"], found["http.status_code"], found["retry.count"]), ("HTTP/2", "200", "2")
        )
        self.assertEqual(found["response_flags"], "-")
        self.assertNotIn("retry.count", of_try(Try(b"1" * 16, 1, ENDPOINT, "HTTP/1.1", 1.0, 2.0, 200, None)))

    def test_errors(self) -> None:
        """One whose backend failed, or that nobody waited for, is an error."""
        for status, fault, expected in (
            (200, None, (None, None, "-")),
            (404, None, (None, None, "-")),
            (503, None, ("true", None, "-")),
            (0, CONNECT_REFUSED, ("true", None, "UF")),
            (0, None, ("true", "true", "-")),
        ):
            found = of_try(Try(b"1" * 16, 1, ENDPOINT, "HTTP/1.1", 1.0, 2.0, status, fault))
            self.assertEqual((found.get("error"), found.get("canceled"), found["response_flags"]), expected, status)

    def test_last(self) -> None:
        """What happens to the request behind the head of its response is told of the try whose response that is."""
        tried = Try(b"1" * 16, 1, ENDPOINT, "HTTP/1.1", 1.0, 2.0, 200, None)
        told = trace()
        told.note([(b"grpc-status", b"13")])
        self.assertEqual(of_try(tried, Asked(fault=CLIENT_GONE))["response_flags"], "DC")
        self.assertEqual(of_try(tried, Asked(fault=CLIENT_GONE), last=False)["response_flags"], "-")
        self.assertEqual(of_try(tried, of=told).get("error"), "true")
        self.assertEqual(of_try(tried, of=told, last=False).get("grpc.status_code"), None)

    def test_shadow(self) -> None:
        """A copy names its cluster, and its endpoint if one was asked."""
        tags = Tags(Tracing(PROVIDER))
        for endpoint, status, error in ((ENDPOINT, 200, False), (ENDPOINT, 500, True), (None, 0, True)):
            listed, failed = tags.of_shadow("copy", endpoint, status)
            found = dict(listed)
            self.assertEqual(
                (found["upstream_cluster"], found["http.status_code"], failed), ("copy", str(status), error)
            )
            self.assertEqual(found.get("upstream_address"), None if endpoint is None else "10.1.0.1:8080")


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
