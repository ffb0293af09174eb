"""Tests of L{edgegate.explain.effects} and L{edgegate.explain.recorded}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.effects import NEW_REQUEST_ID, Effects
from tests.explain.explaining import Explained
from tests.istio.translate.compiling import gateway, virtual_service

TO = "route: [{destination: {host: 127.0.0.1, port: {number: 81}}}]"
ENTRY = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.example]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1, labels: {version: v1}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec:
  host: web.example
  trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true}}
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]
---
"""


def explained(*items: str, server: str = "80 HTTP *") -> Explained:
    """Compile routes of one host."""
    service = virtual_service("a", "a.example", f"http: [{', '.join(items)}]")
    return Explained.of(gateway("gw", server) + service + ENTRY)


class AnswersTests(SynchronousTestCase):
    """What the gateway answers itself."""

    def answered(
        self, item: str, *headers: tuple[bytes, bytes], method: str = "GET"
    ) -> tuple[int, dict[str, str], str]:
        """Return status, header fields and body of what the only route answers."""
        answer = explained(item).effects(method, "http://a.example/x/y?q=1", *headers).answer
        assert answer is not None
        fields = {name.decode(): value.decode() for name, value in answer.fields}
        return answer.status, fields, answer.body.decode()

    def test_redirects(self) -> None:
        """The location that a client is sent to, with the changes of the route."""
        item = "{redirect: {uri: /new, redirectCode: 308}, headers: {response: {set: {x-a: b}}}}"
        self.assertEqual(self.answered(item), (308, {"location": "http://a.example/new?q=1", "x-a": "b"}, ""))

    def test_trusted_hops(self) -> None:
        """What the files trust counts for what is answered as it does for the route that is taken."""
        found = explained("{redirect: {uri: /new}}")
        found.snapshot = replace(found.snapshot, proxy=replace(found.snapshot.proxy, trusted_hops=1))
        answer = found.effects("GET", "http://a.example/x", (b"x-forwarded-proto", b"https")).answer
        assert answer is not None
        self.assertEqual(dict(answer.fields)[b"location"], b"https://a.example/new")

    def test_https(self) -> None:
        """A server that sends all its requests to https."""
        found = explained("{directResponse: {status: 200}}", server="80 HTTP * {httpsRedirect: true}")
        answer = found.effects("GET", "http://a.example/x").answer
        assert answer is not None
        self.assertEqual((answer.status, answer.fields), (301, ((b"location", b"https://a.example/x"),)))

    def test_direct(self) -> None:
        """The files' own answer; to HEAD without its body."""
        item = "{directResponse: {status: 418, body: {string: tea}}}"
        self.assertEqual(self.answered(item), (418, {"content-type": "text/plain"}, "tea"))
        self.assertEqual(self.answered(item, method="HEAD")[2], "")

    def test_faults(self) -> None:
        """An error that is made on purpose, for all or for some."""
        item = f"{{fault: {{abort: {{httpStatus: 429, percentage: {{value: 100}}}}}}, {TO}}}"
        status, _, body = self.answered(item)
        self.assertEqual((status, body), (429, "fault filter abort (FI)\n"))
        delay = "delay: {fixedDelay: 2s, percentage: {value: 5}}"
        item = f"{{fault: {{{delay}, abort: {{httpStatus: 429, percentage: {{value: 10}}}}}}, {TO}}}"
        found = explained(item).effects("GET", "http://a.example/")
        assert found.abort is not None
        self.assertEqual((found.answer, found.delay, found.abort[1]), (None, (2.0, 0.05), 0.1))
        self.assertEqual(found.abort[0].status, 429)

    def test_cors(self) -> None:
        """A preflight request is answered, and other responses may be read."""
        item = f"{{corsPolicy: {{allowOrigins: [{{exact: 'https://b.example'}}], allowMethods: [PUT]}}, {TO}}}"
        origin = (b"Origin", b"https://b.example")
        asked = (b"Access-Control-Request-Method", b"PUT")
        status, fields, _ = self.answered(item, origin, asked, method="OPTIONS")
        self.assertEqual((status, fields["access-control-allow-methods"]), (200, "PUT"))
        found = explained(item).effects("GET", "http://a.example/", origin)
        self.assertEqual(found.cors, ((b"access-control-allow-origin", b"https://b.example"),))

    def test_errors(self) -> None:
        """What a client is told that has no route, or whose request can't be read."""
        found = explained(f"{{match: [{{uri: {{exact: /}}}}], {TO}}}")
        for url, headers, expected in (
            ("http://a.example/other", (), (404, "NR", b"no route (NR)\n")),
            ("http://b.example/", (), (404, "NR", b"no route (NR)\n")),
            ("http://a.example/%00", (), (400, "DPE", b"bad path (DPE)\n")),
        ):
            answer = found.effects("GET", url, *headers).answer
            assert answer is not None
            self.assertEqual((answer.status, answer.flags, answer.body), expected)

    def test_grpc(self) -> None:
        """A gRPC client is told in its own words."""
        found = explained(f"{{match: [{{uri: {{exact: /}}}}], {TO}}}")
        answer = found.effects("POST", "http://a.example/other", (b"Content-Type", b"application/grpc")).answer
        assert answer is not None
        self.assertEqual(answer.status, 200)
        self.assertIn((b"grpc-status", b"12"), answer.fields)


class DestinationsTests(SynchronousTestCase):
    """What backends get."""

    def only(self, found: Effects) -> dict[str, str]:
        """Return the fields that the only destination gets."""
        (destination,) = found.destinations
        assert destination.sent is not None
        return {name.decode(): value.decode() for name, value in destination.sent.fields}

    def test_rewrite(self) -> None:
        """Path, authority and headers after all changes, and what the gateway says itself."""
        item = (
            "{match: [{uri: {prefix: /x}}], rewrite: {uri: /new, authority: b.example}, timeout: 5s, "
            f"headers: {{request: {{set: {{x-a: new}}, remove: [x-b]}}}}, {TO}}}"
        )
        found = explained(item).effects("GET", "http://a.example/x/y?q=1", (b"X-A", b"old"), (b"X-B", b"gone"))
        (destination,) = found.destinations
        sent = destination.sent
        assert sent is not None
        self.assertEqual((sent.target, sent.authority, destination.share), (b"/new/y?q=1", b"b.example", 1.0))
        fields = self.only(found)
        self.assertEqual((fields["x-a"], fields["x-envoy-original-path"]), ("new", "/x/y?q=1"))
        self.assertNotIn("x-b", fields)
        self.assertEqual(fields["x-request-id"], NEW_REQUEST_ID.decode())
        self.assertEqual(fields["x-envoy-expected-rq-timeout-ms"], "5000")
        self.assertEqual(fields["x-envoy-attempt-count"], "1")

    def test_shares(self) -> None:
        """Weights are shares; a subset without an endpoint can't be reached."""
        to = "{destination: {host: web.example, subset: %s}, weight: %d}"
        found = explained(f"{{route: [{to % ('v1', 90)}, {to % ('v2', 10)}]}}").effects("GET", "http://a.example/")
        one, two = found.destinations
        self.assertEqual((one.share, two.share), (0.9, 0.1))
        self.assertEqual([str(each.address) for each in one.endpoints], ["10.0.0.1:80"])
        self.assertIsNone(found.answer)
        assert two.answer is not None
        self.assertEqual((two.answer.status, two.answer.flags), (503, "UH"))

    def test_unreachable(self) -> None:
        """Where nothing else is left, that is what every client gets."""
        to = "{destination: {host: web.example, subset: v2}}"
        answer = explained(f"{{route: [{to}]}}").effects("GET", "http://a.example/").answer
        assert answer is not None
        self.assertEqual((answer.status, answer.flags, answer.reason), (503, "UH", "no healthy upstream"))

    def test_upstream_tls(self) -> None:
        """The name that a backend's certificate is asked for: the request's, as it is sent."""
        to = "route: [{destination: {host: web.example}}]"
        for item, expected in (
            (f"{{{to}}}", "a.example"),
            (f"{{rewrite: {{authority: b.example}}, {to}}}", "b.example"),
        ):
            (destination,) = explained(item).effects("GET", "http://a.example/").destinations
            self.assertEqual(destination.server_name, expected)

    def test_mirrors(self) -> None:
        """Copies, with the share of requests that are copied."""
        mirrors = "mirrors: [{destination: {host: web.example, subset: v1}, percentage: {value: 50}}]"
        found = explained(f"{{{mirrors}, {TO}}}").effects("GET", "http://a.example/")
        (copy,) = found.copies
        self.assertEqual((copy.cluster, copy.share), ("outbound|80|v1|web.example", 0.5))
        self.assertIn((b"x-envoy-internal", b"true"), copy.sent.fields)

    def test_connections(self) -> None:
        """A connection goes to where its route leads."""
        text = gateway("gw", "90 TCP *") + virtual_service("a", "*", f"tcp: [{{{TO}}}]")
        (destination,) = Explained.of(text).effects("", "tcp://127.0.0.1:90").destinations
        self.assertEqual((destination.share, destination.sent), (1.0, None))
