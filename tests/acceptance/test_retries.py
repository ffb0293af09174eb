"""Retries and timeouts against backends that fail in their several ways, through the real gateway."""

from __future__ import annotations

import os
import time
from collections import Counter

from tests.acceptance.manifests import GATEWAY, static_service
from tests.acceptance.served import ServedTestCase

SERVICES = (
    static_service("with-dead", "with-dead.example, with-reset.example, with-slow.example", "one", "two", "dead")
    + static_service("with-reset", "some-reset.example", "one", "reset", "slow")
    + static_service("all-dead", "all-dead.example", "dead", "gone")
    + static_service("all-reset", "all-reset.example", "reset")
)

RETRIES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: retries}
spec:
  hosts: [retries.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /default}}]
    route: [{destination: {host: with-dead.example}}]
  - match: [{uri: {prefix: /off}}]
    retries: {attempts: 0}
    route: [{destination: {host: all-dead.example}}]
  - match: [{uri: {prefix: /all-dead}}]
    route: [{destination: {host: all-dead.example}}]
  - match: [{uri: {prefix: /all-reset}}]
    retries: {attempts: 3, retryOn: reset, backoff: 1ms}
    route: [{destination: {host: all-reset.example}}]
  - match: [{uri: {prefix: /bad-company}}]
    retries: {attempts: 2, retryOn: "5xx", perTryTimeout: 0.3s}
    route: [{destination: {host: some-reset.example}}]
  - match: [{uri: {prefix: /5xx}}]
    retries: {attempts: 3, retryOn: "gateway-error,409", backoff: 1ms}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /no-503}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /unavailable}}]
    retries: {attempts: 2, retryOn: unavailable, backoff: 1ms}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

TIMEOUTS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: timeouts}
spec:
  hosts: [timeouts.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /request}}]
    timeout: 0.3s
    retries: {attempts: 0}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /per-try}}]
    timeout: 5s
    retries: {attempts: 1, perTryTimeout: 0.2s, retryOn: "5xx", backoff: 1ms}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /over-all}}]
    timeout: 0.5s
    retries: {attempts: 100, perTryTimeout: 0.1s, retryOn: "5xx", backoff: 1ms}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /none}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

KIB = 1024


class RetryTests(ServedTestCase):
    """Requests that are tried again."""

    files = {"gateway.yaml": GATEWAY, "services.yaml": SERVICES, "retries.yaml": RETRIES}
    opened = {"one": "", "two": "", "reset": "reset", "slow": "delay=3"}
    dead = ("dead", "gone")

    def test_one_of_three_is_dead(self) -> None:
        """By Istio's default nobody notices a backend of three that is not there; the others are told of the tries."""
        client = self.client()
        answers = [client.ask("POST", "/default", "retries.example", body=b"abc") for _ in range(60)]
        self.assertEqual({answer.status for answer in answers}, {200})
        self.assertEqual({answer.echo["body"] for answer in answers}, {"abc"})
        tries = Counter(answer.told("x-envoy-attempt-count")[0] for answer in answers)
        self.assertEqual(set(tries), {"1", "2"})
        self.assertTrue(10 <= tries["2"] <= 30, tries)

    def test_dead_reset_and_slow(self) -> None:
        """One of three is well: with two tries again on other backends each request finds it."""
        client = self.client()
        for number in range(12):
            answer = client.ask("GET", f"/bad-company?{number}", "retries.example")
            self.assertEqual(answer.where, "one")
        self.assertGreater(self.backends.connections["reset"] + self.backends.connections["slow"], 0)

    def test_all_are_dead(self) -> None:
        """The last failure is the answer, and the log tells that it was tried again."""
        answer = self.ask("/all-dead?log", "retries.example")
        self.assertEqual((answer.status, answer.body), (503, b"connect refused (UF)\n"))
        self.assertEqual(self.logged("/all-dead?log")["response_flags"], "URX,UF")
        self.assertEqual(self.ask("/off?log", "retries.example").status, 503)
        self.assertEqual(self.logged("/off?log")["response_flags"], "UF")

    def test_reset(self) -> None:
        """A backend that resets each connection sees as many tries as the files say, and one more."""
        answer = self.ask("/all-reset?log", "retries.example", "POST", body=b"abc")
        self.assertEqual(answer.status, 503)
        seen = self.backends.saw("reset", 4)
        self.assertEqual([each.values("x-envoy-attempt-count") for each in seen], [["1"], ["2"], ["3"], ["4"]])
        self.assertEqual({each.body for each in seen}, {b"abc"})
        self.assertEqual(len({each.values("x-request-id")[0] for each in seen}), 1)
        self.assertEqual(self.logged("/all-reset?log")["response_flags"], "URX,UC")

    def test_statuses(self) -> None:
        """An answer that the files name is not the client's to see, until the tries are used up."""
        for status, tries in (("503", 4), ("502", 4), ("409", 4), ("500", 1), ("404", 1)):
            self.backends.forget()
            answer = self.ask(f"/5xx?{status}", "retries.example", headers={"x-do": f"status={status}"})
            self.assertEqual((answer.status, len(self.backends.seen["one"])), (int(status), tries))
        self.assertEqual(self.logged("/5xx?503")["response_flags"], "URX")
        self.backends.forget()
        answer = self.ask("/5xx", "retries.example", headers={"x-do": "fail=2", "x-key": "a"})
        self.assertEqual((answer.status, answer.told("x-envoy-attempt-count")), (200, ["3"]))
        self.backends.forget()
        self.assertEqual(self.ask("/no-503", "retries.example", headers={"x-do": "status=503"}).status, 503)
        self.assertEqual(len(self.backends.seen["one"]), 1)

    def test_grpc_statuses(self) -> None:
        """C{grpc-status} in the head of an answer is looked at too."""
        for status, tries in (("14", 3), ("5", 1)):
            self.backends.forget()
            told = {"x-do": f"header=grpc-status:{status};empty", "content-type": "application/grpc"}
            self.assertEqual(self.ask("/unavailable", "retries.example", "POST", told, b"x").one("grpc-status"), status)
            self.assertEqual(len(self.backends.seen["one"]), tries)

    def test_bodies(self) -> None:
        """A body of up to 64 KiB is sent again to the byte; of a larger one the first answer is the last."""
        for size, tries in ((1, 3), (64 * KIB - 1, 3), (64 * KIB, 3), (64 * KIB + 1, 1), (200 * KIB, 1)):
            self.backends.forget()
            body = os.urandom(size)
            headers = {"x-do": "fail=2", "x-key": str(size)}
            answer = self.ask("/5xx", "retries.example", "POST", headers, body)
            seen = self.backends.seen["one"]
            self.assertEqual((size, len(seen), answer.status), (size, tries, 200 if tries == 3 else 503))
            self.assertEqual({each.body for each in seen}, {body})

    def test_chunked_bodies(self) -> None:
        """So is one in chunks, with its trailer fields."""
        client = self.client()
        client.send(b"POST /5xx HTTP/1.1\r\nHost: retries.example\r\nX-Do: fail=1\r\nX-Key: c\r\n")
        client.send(b"Transfer-Encoding: chunked\r\n\r\n")
        client.dribble((b"3\r\nabc\r\n", b"0\r\nx-sum", b": 1\r\n\r\n"))
        self.assertEqual(client.answer().echo["body"], "abc")
        for seen in self.backends.saw("one", 2):
            self.assertEqual((seen.body, seen.trailers), (b"abc", [("x-sum", "1")]))

    def test_expect(self) -> None:
        """A client that waits for 100 Continue gets it once, however many tries there are."""
        client = self.client()
        expect = b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        client.send(b"POST /5xx HTTP/1.1\r\nHost: retries.example\r\nX-Do: fail=2\r\nX-Key: e\r\n" + expect)
        self.assertEqual(client.answer().status, 100)
        client.send(b"abc")
        answer = client.answer()
        self.assertEqual((answer.status, answer.echo["body"], len(self.backends.seen["one"])), (200, "abc", 3))

    def test_nothing_is_tried_again_within_an_answer(self) -> None:
        """An answer that breaks off is broken off for the client, and not asked for again."""
        client = self.client()
        client.send(b"GET /5xx HTTP/1.1\r\nHost: retries.example\r\nX-Do: cut\r\n\r\n")
        self.assertRaises((AssertionError, ConnectionError), client.answer)
        self.assertEqual(len(self.backends.seen["one"]), 1)


class BudgetTests(ServedTestCase):
    """Backends that are all down."""

    files = RetryTests.files
    opened = RetryTests.opened
    dead = RetryTests.dead

    def test_storm(self) -> None:
        """500 requests for a backend that resets all are 500 tries and 100 more: it is not stormed."""
        client = self.client()
        for _ in range(500):
            self.assertEqual(client.ask("GET", "/all-reset?storm", "retries.example").status, 503)
        self.assertEqual(len(self.backends.seen["reset"]), 600)
        self.ask("/all-reset?last", "retries.example")
        self.assertEqual(self.logged("/all-reset?last")["response_flags"], "UO,UC")


class TimeoutTests(ServedTestCase):
    """Backends that are slow."""

    files = {"gateway.yaml": GATEWAY, "timeouts.yaml": TIMEOUTS}
    opened = {"one": ""}

    def test_request(self) -> None:
        """A whole answer in time is passed on; else it is 504, and the backend is told what it has."""
        answer = self.ask("/request", "timeouts.example")
        self.assertEqual(answer.told("x-envoy-expected-rq-timeout-ms"), ["300"])
        answer = self.ask("/request?log", "timeouts.example", headers={"x-do": "delay=2"})
        self.assertEqual((answer.status, answer.body), (504, b"upstream too slow (UT)\n"))
        self.assertTrue(0.3 <= answer.seconds < 1.5, answer.seconds)
        line = self.logged("/request?log")
        self.assertEqual((line["response_flags"], line["response_code_details"]), ("UT", "response_timeout"))

    def test_grpc_request(self) -> None:
        """A gRPC client is told that the service is unavailable, which is gRPC's word for 504."""
        told = {"x-do": "delay=2", "content-type": "application/grpc"}
        answer = self.ask("/request", "timeouts.example", "POST", told, b"x")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "14"))

    def test_dribbled_answer(self) -> None:
        """The time of an answer that dribbles counts to its end: it is broken off."""
        client = self.client()
        began = time.monotonic()
        client.send(b"GET /request HTTP/1.1\r\nHost: timeouts.example\r\nX-Do: dribble=0.05\r\n\r\n")
        self.assertRaises((AssertionError, ConnectionError), client.answer)
        self.assertTrue(0.3 <= time.monotonic() - began < 1.5)

    def test_slow_upload(self) -> None:
        """The time begins with the end of the request, however long that took."""
        client = self.client()
        client.send(b"POST /request HTTP/1.1\r\nHost: timeouts.example\r\nContent-Length: 4\r\n\r\n")
        client.dribble((b"a", b"b"))
        # which takes as long as the route gives
        self.assertEqual(self.ask("/request", "timeouts.example", headers={"x-do": "delay=2"}).status, 504)
        client.dribble((b"c", b"d"))
        self.assertEqual(client.answer().echo["body"], "abcd")

    def test_per_try(self) -> None:
        """Each try has its own time; when all are used up it is 504 too."""
        answer = self.ask("/per-try?log", "timeouts.example", headers={"x-do": "delay=2"})
        self.assertEqual(answer.status, 504)
        self.assertTrue(0.4 <= answer.seconds < 1.5, answer.seconds)
        self.assertEqual(len(self.backends.seen["one"]), 2)
        self.assertEqual(self.logged("/per-try?log")["response_flags"], "URX,UT")

    def test_over_all(self) -> None:
        """The route's time is for all tries together."""
        answer = self.ask("/over-all", "timeouts.example", headers={"x-do": "delay=2"})
        self.assertEqual(answer.status, 504)
        self.assertTrue(0.5 <= answer.seconds < 1.5, answer.seconds)
        self.assertTrue(3 <= len(self.backends.seen["one"]) <= 6, len(self.backends.seen["one"]))

    def test_none(self) -> None:
        """By default there is none."""
        answer = self.ask("/none", "timeouts.example", headers={"x-do": "delay=0.3"})
        self.assertEqual((answer.status, answer.told("x-envoy-expected-rq-timeout-ms")), (200, []))
