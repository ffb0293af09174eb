"""Tests of L{edgegate.http.request_metrics}."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_TIMEOUT, OVERLOADED
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.request_metrics import RequestMetrics
from edgegate.model.matching import Kind as MatchKind
from edgegate.model.matching import StringMatch
from edgegate.model.policies import Abort, CORSPolicy, Delay, Faults, RetryPolicy
from edgegate.model.tracing import SpanFormat, Tracing, TracingProvider
from edgegate.observe.events import Ended
from edgegate.observe.metrics.buckets import bucket_of
from edgegate.observe.metrics.families import CLUSTERS, FAULTS, FILTERS, HTTP, MESSAGES, REQUESTS, Kind
from edgegate.observe.metrics.meters import ListenerMeter, Meters
from edgegate.observe.observers import Observers
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.tracer import Tracer
from tests.http.conversation import Conversation, plain, to_web
from tests.http.filters.filters import TestFilters
from tests.http.test_resources import PREFLIGHT

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def get(host: bytes = b"web.example") -> bytes:
    """Return a request for a host."""
    return b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"


class RequestMetricsTests(SynchronousTestCase):
    """What a conversation leaves in the numbers."""

    def talk(self, conversation: Conversation | None = None) -> Conversation:
        """Have a conversation counted."""
        found = self.conversation = Conversation() if conversation is None else conversation
        self.meters: Meters = found.clusters.environment.meters
        found.environment.observer = Observers([found, RequestMetrics(self.meters)])
        return found

    def requests(self) -> dict[tuple[str, ...], list[int]]:
        """Return the numbers of requests by service, protocol, code, status of gRPC and flags."""
        return {(each.labels[5], *each.labels[11:]): each.numbers for each in self.meters.of(REQUESTS)}

    def numbers(self, kind: Kind) -> dict[str, int]:
        """Return the numbers of the only series of a kind, by their families, but for those that are 0."""
        (series,) = self.meters.of(kind)
        found = {}
        for family in kind.families:
            names = [f"{family.name}{each}" for each in family.split] or [family.name]
            for place, name in enumerate(names, family.offset):
                if series.numbers[place]:
                    found[name.removeprefix("envoy_cluster_upstream_").removeprefix("envoy_http_")] = series.numbers[
                        place
                    ]
        return found

    def test_tags(self) -> None:
        """Where files give requests further labels each is counted with its own."""

        class Tags:
            def of(self, exchange: Ended) -> tuple[str, ...]:
                return ("request.path", exchange.head.target.decode())

        talk = self.talk()
        metrics = RequestMetrics(self.meters)
        metrics.tags = Tags()
        talk.environment.observer = Observers([talk, metrics])
        talk.ask(get())
        talk.backend().deliver(ANSWER)
        self.assertEqual(list(self.requests()), [("web", "http", "200", "", "-", "request.path", "/")])

    def test_answered(self) -> None:
        """A request that a backend answers is counted for its cluster, with its time and its sizes."""
        talk = self.talk()
        talk.ask(b"POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 30\r\n\r\n" + b"x" * 30)
        talk.backend().deliver(ANSWER)
        numbers = self.requests()[("web", "http", "200", "", "-")]
        self.assertEqual((numbers[0], numbers[22], numbers[43]), (1, 30, 2))
        self.assertEqual((sum(numbers[2:22]), numbers[23 + 5], numbers[44 + 2]), (1, 1, 1))
        found = self.numbers(CLUSTERS)
        times = found.pop("rq_time", 0)
        self.assertLess(times, 1000)
        self.assertEqual(
            found, {"rq_total": 1, "rq_xx2": 1, "cx_total": 1, "cx_rx_bytes_total": 2, "cx_tx_bytes_total": 30}
        )

    def test_like_the_one_before(self) -> None:
        """Requests that end alike are one series, whatever came between."""
        talk = self.talk()
        talk.ask(get())
        backend = talk.backend()
        backend.deliver(ANSWER)
        for answer in (b"404", b"200", b"404", b"200", b"404"):
            talk.ask(get())
            backend.deliver(ANSWER.replace(b"200", answer))
        counts = {key[2]: numbers[0] for key, numbers in self.requests().items()}
        self.assertEqual(counts, {"404": 3, "200": 3})

    def test_no_cluster(self) -> None:
        """What no cluster was asked for is unknown; no host that a client makes up becomes a label."""
        talk = self.talk()
        talk.ask(get(b"moved.example"))
        for number in range(3):
            talk.ask(get(b"made-up-%d.example" % number))
        counts = {key: numbers[0] for key, numbers in self.requests().items()}
        self.assertEqual(counts, {("unknown", "http", "301", "", "-"): 1, ("unknown", "http", "404", "", "NR"): 3})
        self.assertEqual([(each.labels, each.numbers) for each in self.meters.of(FAULTS)], [(("no route", "NR"), [3])])

    def test_unreachable(self) -> None:
        """Where no connection can be made the cluster's failures say so, and its bytes do not grow by our words."""
        talk = self.talk(Conversation(to_web(retries=None)))
        talk.ask(get())
        talk.connects[-1].failed(CONNECT_TIMEOUT)
        self.assertEqual([key[1:] for key in self.requests()], [("http", "503", "", "UF")])
        self.assertEqual(
            self.numbers(CLUSTERS), {"rq_total": 1, "rq_xx5": 1, "cx_connect_fail": 1, "cx_connect_timeout": 1}
        )

    def test_retried(self) -> None:
        """Each try is counted, and whether the last one did well."""
        retries = RetryPolicy(attempts=1, statuses=frozenset((503,)))
        talk = self.talk(Conversation(to_web(retries=retries), endpoints=2))
        talk.ask(get())
        talk.backend().deliver(ANSWER.replace(b"200", b"503"))
        talk.retry()
        talk.backend().deliver(ANSWER)
        found = self.numbers(CLUSTERS)
        self.assertEqual((found["rq_total"], found["rq_retry"], found["rq_retry_success"]), (2, 1, 1))

    def test_client_gone(self) -> None:
        """A client that leaves is counted with code 0."""
        talk = self.talk()
        client = talk.ask(get())
        talk.backend()
        client.finish()
        self.assertEqual([key[1:] for key in self.requests()], [("http", "0", "", "DC")])
        self.assertEqual(self.numbers(CLUSTERS)["rq_cancelled"], 1)

    def test_grpc(self) -> None:
        """gRPC is told by its content type, with its status; its messages are counted."""
        for status, shown in ((b"7", "7"), (b"0", "0"), (b"no", "2"), (b"999", "2")):
            talk = self.talk()
            talk.ask(
                b"POST /a.B/C HTTP/1.1\r\nHost: web.example\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
                b"Content-Length: 7\r\n\r\n\0\0\0\0\2ok"
            )
            talk.backend().deliver(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ncontent-length: 12\r\ngrpc-status: "
                + status
                + b"\r\n\r\n\0\0\0\0\1a\0\0\0\0\1b"
            )
            self.assertEqual([key[1:] for key in self.requests()], [("grpc", "200", shown, "-")])
            self.assertEqual([each.numbers for each in self.meters.of(MESSAGES)], [[1, 2]])

    def test_grpc_without_backend(self) -> None:
        """A call that the gateway answers itself is one of gRPC, with the status that its client gets."""
        talk = self.talk()
        for host in (b"nobody.example", b"moved.example"):
            talk.ask(
                b"POST /a.B/C HTTP/1.1\r\nHost: %b\r\nContent-Type: application/grpc\r\nTE: trailers\r\n"
                b"Content-Length: 0\r\n\r\n" % host
            )
        expected = [("unknown", "grpc", "200", "12", "NR"), ("unknown", "grpc", "301", "", "-")]
        self.assertEqual(list(self.requests()), expected)

    def test_grpc_web_without_backend(self) -> None:
        """One of gRPC-Web is answered, and counted, as HTTP."""
        talk = self.talk()
        talk.ask(
            b"POST /a.B/C HTTP/1.1\r\nHost: nobody.example\r\nContent-Type: application/grpc-web\r\n"
            b"Content-Length: 0\r\n\r\n"
        )
        self.assertEqual(list(self.requests()), [("unknown", "http", "404", "", "NR")])

    def test_exemplars(self) -> None:
        """The last request of each bucket that is sampled is kept with its trace; without traces nothing is."""
        provider = TracingProvider(SpanFormat.OTLP, "http://collector.example/")
        tracer = Tracer(Tracing(provider), lambda span: b"", lambda written: None, Sampler(0))
        talk = self.talk()
        talk.environment.observer = Observers([talk, tracer, RequestMetrics(self.meters)])
        traces = [b"%032x" % number for number in (1, 2, 3)]
        for trace, flags in zip(traces, (b"01", b"01", b"00"), strict=True):
            given = b"traceparent: 00-%b-%016x-%b\r\n\r\n" % (trace, 1, flags)
            talk.ask(get(b"nobody.example").replace(b"\r\n\r\n", b"\r\n" + given))
        (series,) = self.meters.of(REQUESTS)
        exemplars = series.exemplars
        self.assertEqual(sum(series.numbers[2:22]), 3)
        self.assertIn(traces[1], [trace for trace, _, _ in exemplars.values()])
        self.assertNotIn(traces[2], [trace for trace, _, _ in exemplars.values()])
        for bucket, (_, value, at) in exemplars.items():
            self.assertEqual(bucket_of(value), bucket)
            self.assertTrue(0 <= monotonic() - at < 60)
        self.talk().ask(get(b"nobody.example"))
        (series,) = self.meters.of(REQUESTS)
        self.assertEqual(series.exemplars, {})

    def verdicts(self, talk: Conversation, request: bytes = b"") -> dict[tuple[str, ...], int]:
        """Ask, and return what is counted of filters."""
        self.talk(talk).ask(request or get())
        talk.clock.advance(1)
        return {each.labels: each.numbers[0] for each in self.meters.of(FILTERS)}

    def test_faults(self) -> None:
        """What fails or waits on purpose is counted, of gRPC as well; what passes is not."""
        faults = Faults(Delay(0.5), Abort(418))
        found = self.verdicts(Conversation(to_web(faults=faults)))
        self.assertEqual(found, {("fault", "delayed"): 1, ("fault", "faulted"): 1})
        call = get().replace(b"\r\n\r\n", b"\r\nContent-Type: application/grpc\r\n\r\n")
        talk = Conversation(to_web(faults=Faults(abort=Abort(503, 14))))
        self.assertEqual(self.verdicts(talk, call), {("fault", "faulted"): 1})
        self.assertEqual(self.verdicts(Conversation(to_web(faults=Faults(abort=Abort(418, share=0))))), {})
        talk = Conversation(to_web(faults=Faults(Delay(0.5))))
        self.assertEqual(self.verdicts(talk), {})
        talk.backend().deliver(ANSWER)
        self.assertEqual([each.labels for each in self.meters.of(FILTERS)], [("fault", "delayed")])

    def test_verdicts(self) -> None:
        """Filters of others, and that of CORS, answer, deny or fail."""

        def look(does: Callable[[Exchange], object]) -> Callable[[Exchange], FilterStatus]:
            def looked(exchange: Exchange) -> FilterStatus:
                does(exchange)
                return FilterStatus.STOP

            return looked

        cases: tuple[tuple[Callable[[Exchange], object], str], ...] = (
            (lambda exchange: exchange.reply(204, [], b""), "answered"),
            (lambda exchange: exchange.reply(403, [], b"no"), "denied"),
            (lambda exchange: exchange.fail(OVERLOADED), "denied"),
            (lambda exchange: 1 / 0, "failed"),
        )
        for does, verdict in cases:
            talk = Conversation(filters=(TestFilters("guard", look(does)),))
            self.assertEqual(self.verdicts(talk), {("guard", verdict): 1})
        self.flushLoggedErrors(ZeroDivisionError)
        policy = CORSPolicy((StringMatch(MatchKind.EXACT, "https://a"),), methods=b"PUT")
        found = self.verdicts(Conversation(to_web(cors=policy)), PREFLIGHT)
        self.assertEqual(found, {("cors", "answered"): 1})
        self.assertEqual(self.verdicts(Conversation(to_web(cors=policy)), get()), {})

    def test_held(self) -> None:
        """A client that leaves while a filter holds its request has no verdict."""
        talk = self.talk(Conversation(to_web(faults=Faults(Delay(5), Abort(418)))))
        talk.ask(get()).finish()
        self.assertEqual([each.labels for each in self.meters.of(FILTERS)], [("fault", "delayed")])

    def test_port(self) -> None:
        """The port that it came by counts it too."""
        talk = self.talk()
        port = ListenerMeter(self.meters, "0.0.0.0_8080")
        client = talk.client(replace(plain(), meter=port))
        client.deliver(get(b"nobody.example"))
        found = self.numbers(HTTP)
        self.assertGreater(found.pop("downstream_cx_tx_bytes_total"), 0)
        found.pop("downstream_rq_time", None)
        self.assertEqual(found, {"downstream_rq_total": 1, "no_route": 1, "downstream_rq_xx4": 1})
