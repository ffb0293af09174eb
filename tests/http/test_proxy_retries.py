"""Tests for L{edgegate.http.router.router}: requests that are tried again."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery
from edgegate.model.policies import RetryPolicy
from edgegate.model.routes import HTTPRoute
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation, FakeStream, to_web
from tests.http.h1.test_downstream_connection import GET, OK, POST

BUSY = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
CHUNKED = b"POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n"


def retrying(*words: str, attempts: int = 2, per_try: float | None = None, timeout: float | None = None) -> HTTPRoute:
    """Make a route that tries again where these words, or statuses, hold."""
    statuses = frozenset(int(word) for word in words if word.isdigit())
    conditions = frozenset(word for word in words if not word.isdigit())
    return to_web(retries=RetryPolicy(attempts, conditions, statuses, per_try), timeout=timeout)


class RetryTestCase(SynchronousTestCase):
    """Assertions about what clients get."""

    def assert_status(self, client: FakeStream, status: int) -> None:
        """Assert that exactly one answer came, and that it has a status."""
        self.assertEqual(client.sent.count(b"HTTP/1.1 "), 1, client.sent)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 %d " % status), client.sent)


class RetryTests(RetryTestCase):
    """Answers and failures that are tried again after."""

    def tried(self, route: HTTPRoute, answer: bytes) -> int:
        """Return how often a backend is asked that always gives this response, or breaks off where it is empty."""
        talk = Conversation(route, endpoints=3)
        talk.ask(GET)
        while not talk.ended:
            backend = talk.backend()
            if answer:
                backend.deliver(answer)
            else:
                backend.finish()
            talk.retry()
        self.assertEqual(talk.ended[0].attempts, len(talk.connects))
        self.assertEqual(talk.ended[0].flags, "URX" if len(talk.connects) > 1 else "")
        self.assertEqual(talk.left, NOTHING_LEFT)
        return len(talk.connects)

    def test_words(self) -> None:
        """Each of Envoy's words holds for what it says, and for nothing else."""
        conflict, bad, broken = (BUSY.replace(b"503 Busy", status) for status in (b"409 X", b"502 X", b"500 X"))
        limited = BUSY.replace(b"Content", b"X-Envoy-RateLimited: true\r\nContent")
        grpc = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\ngrpc-status: %d\r\n\r\n"
        for word, again, not_again in (
            ("5xx", [BUSY, bad, broken, b""], [conflict, limited]),
            ("gateway-error", [BUSY, bad, b""], [broken, conflict]),
            ("reset", [b"", b"nonsense"], [BUSY]),
            ("retriable-4xx", [conflict], [BUSY, BUSY.replace(b"503", b"404")]),
            ("503", [BUSY], [bad, b""]),
            ("envoy-ratelimited", [limited], [BUSY]),
            ("connect-failure", [], [BUSY, b""]),
            ("cancelled", [grpc % 1], [grpc % 14, BUSY]),
            ("deadline-exceeded", [grpc % 4], [grpc % 1]),
            ("internal", [grpc % 13], [grpc % 0]),
            ("resource-exhausted", [grpc % 8], [grpc % 80]),
            ("unavailable", [grpc % 14], [grpc % 1]),
        ):
            for answer in again:
                self.assertEqual(self.tried(retrying(word), answer), 3, (word, answer))
            for answer in not_again:
                self.assertEqual(self.tried(retrying(word), answer), 1, (word, answer))

    def test_no_retries(self) -> None:
        """Where there are none, a connect that fails is the end as well."""
        talk = Conversation(to_web(retries=None))
        client = talk.ask(GET)
        talk.connects[0].failed(CONNECT_REFUSED)
        self.assert_status(client, 503)
        self.assertEqual((talk.ended[0].fault, talk.ended[0].flags), (CONNECT_REFUSED, ""))

    def test_last_answer_is_the_clients(self) -> None:
        """When the tries are used up the client gets the last backend's response, not one of the gateway's."""
        talk = Conversation(retrying("5xx", attempts=1))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(BUSY)
        self.assertEqual(client.sent, b"")
        talk.retry()
        backend.deliver(BUSY.replace(b"Busy", b"Still busy"))
        self.assert_status(client, 503)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 Still busy\r\n"))
        self.assertTrue(client.sent.endswith(b"\r\n\r\nbusy"))
        self.assertEqual((talk.ended[0].fault, talk.ended[0].flags), (None, "URX"))

    def test_elsewhere(self) -> None:
        """Another endpoint than those before is asked, as long as there is one."""
        talk = Conversation(retrying("5xx", attempts=5), endpoints=3)
        talk.ask(GET)
        for _ in range(3):
            talk.backend().deliver(BUSY.replace(b"Content", b"Connection: close\r\nContent"))
            talk.retry()
        self.assertEqual({c.address for c in talk.connects[:3]}, {TCPAddress(f"10.0.0.{n}", 80) for n in (1, 2, 3)})

    def test_the_same_will_do(self) -> None:
        """Where endpoints that were tried are not avoided, the one whose turn it is is asked."""
        policy = RetryPolicy(1, frozenset(("5xx",)), elsewhere=False)
        talk = Conversation(to_web(retries=policy), endpoints=2)
        client = talk.ask(GET)
        talk.clusters.get("web").next()  # type: ignore[union-attr]
        talk.backend().deliver(BUSY.replace(b"Content", b"Connection: close\r\nContent"))
        talk.retry()
        self.assertEqual(talk.connects[0].address, talk.connects[1].address)
        talk.backend().deliver(OK)
        self.assert_status(client, 200)

    def test_attempts_are_told(self) -> None:
        """Each backend is told of how many tries it is the last."""
        talk = Conversation(retrying("reset"))
        talk.ask(GET)
        for number in (1, 2, 3):
            backend = talk.backend()
            self.assertIn(b"x-envoy-attempt-count: %d\r\n" % number, backend.sent)
            backend.finish()
            talk.retry()

    def test_budget(self) -> None:
        """A cluster of which nobody answers is soon not asked again; UO says why. Answers pay for more."""
        talk = Conversation(retrying("reset", attempts=1))
        budget = talk.clusters.get("web").retry_budget  # type: ignore[union-attr]
        budget.left = 1.5
        for flags in ("URX", "UO"):
            talk.ask(GET)
            while len(talk.ended) < (1 if flags == "URX" else 2):
                talk.backend().finish()
                talk.retry()
            self.assertEqual(talk.ended[-1].flags, flags)
        talk.ask(GET)
        talk.backend().deliver(OK)
        self.assertEqual(budget.left, 2.5)

    def test_errors_pay_for_nothing(self) -> None:
        """A backend that answers 5xx is none to try again the more."""
        talk = Conversation()
        budget = talk.clusters.get("web").retry_budget  # type: ignore[union-attr]
        budget.left = 5.0
        talk.ask(GET)
        talk.backend().deliver(BUSY)
        self.assertEqual(budget.left, 5.0)

    def test_client_leaves_while_waiting(self) -> None:
        """Nobody is asked for a client that has gone."""
        talk = Conversation(retrying("5xx"))
        client = talk.ask(GET)
        talk.backend().deliver(BUSY)
        client.finish()
        talk.retry()
        self.assertEqual(len(talk.connects), 1)
        self.assertEqual(len(talk.ended), 1)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_no_endpoint_left(self) -> None:
        """A cluster that has lost its endpoints meanwhile."""
        talk = Conversation(retrying("reset"))
        client = talk.ask(GET)
        talk.backend().finish()
        talk.clusters.update({"web": Cluster("web", Discovery.STATIC, ORIGIN)})
        talk.retry()
        self.assert_status(client, 503)
        self.assertIn(b"(UH)", client.sent)

    def test_cluster_that_went(self) -> None:
        """A reload that takes the cluster out is nothing to a request that waits for its next try."""
        talk = Conversation(retrying("reset"), endpoints=2)
        client = talk.ask(GET)
        talk.backend().finish()
        talk.clusters.update({})
        talk.retry()
        talk.backend().deliver(OK)
        self.assert_status(client, 200)
        self.assertEqual(talk.left, NOTHING_LEFT)


class AnswerBegunTests(RetryTestCase):
    """Once a byte of a response went to the client, the request is not tried again."""

    def test_after_the_head(self) -> None:
        """A response that breaks off is broken off for the client."""
        talk = Conversation(retrying("5xx", "reset"))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        backend.finish()
        talk.retry()
        self.assertEqual((len(talk.connects), client.ended), (1, "closed"))

    def test_after_an_interim_answer(self) -> None:
        """Hints of one backend are not followed by the response of another."""
        talk = Conversation(retrying("5xx", "reset", per_try=1.0))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        talk.advance(2)
        backend.deliver(BUSY)
        talk.retry()
        self.assertEqual(len(talk.connects), 1)
        self.assertIn(b"HTTP/1.1 503 Busy\r\n", client.sent)

    def test_time_of_a_try(self) -> None:
        """The time of a try is for its head: a long answer is not cut off by it."""
        talk = Conversation(retrying("5xx", per_try=1.0))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        talk.advance(3)
        backend.deliver(OK[-1:])
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual((client.ended, talk.ended[0].fault), ("", None))

    def test_answer_before_the_request_is_whole(self) -> None:
        """An early answer is not limited by the end of the request either."""
        talk = Conversation(retrying("5xx", per_try=1.0))
        client = talk.ask(POST)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        client.deliver(b"0123456789")
        talk.advance(3)
        backend.deliver(OK[-1:])
        self.assertTrue(client.sent.endswith(b"ok"))


class BodyTests(RetryTestCase):
    """Bodies are there for each try, up to a limit."""

    def again(self, talk: Conversation, answer: bytes = BUSY) -> FakeStream:
        """Have the backend give a response after which its connection ends; return the next backend's."""
        backend = talk.backend()
        backend.deliver(answer)
        backend.settle()
        talk.retry()
        return talk.backend()

    def test_sized(self) -> None:
        """The body is sent again as it was."""
        talk = Conversation(retrying("5xx"), endpoints=2)
        client = talk.ask(POST + b"0123456789")
        backend = self.again(talk)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assert_status(client, 200)

    def test_chunked(self) -> None:
        """So is one in chunks, with its trailers."""
        talk = Conversation(retrying("5xx"), endpoints=2)
        client = talk.ask(CHUNKED + b"3\r\nabc\r\n")
        client.deliver(b"2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n")
        backend = self.again(talk)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nx-sum: 1\r\n\r\n"), backend.sent)
        backend.deliver(OK)
        self.assert_status(client, 200)

    def test_still_coming(self) -> None:
        """A backend that fails in the middle of the body is replaced, and the rest goes to the next one."""
        talk = Conversation(retrying("5xx"), endpoints=2)
        client = talk.ask(POST + b"012")
        first = talk.backend()
        first.deliver(BUSY)
        self.assertEqual(first.ended, "aborted")
        client.deliver(b"345")
        talk.retry()
        client.deliver(b"67")
        second = talk.backend()
        client.deliver(b"89")
        self.assertTrue(second.sent.endswith(b"\r\n\r\n0123456789"))
        second.deliver(OK)
        self.assert_status(client, 200)
        self.assertEqual(client.ended, "")

    def test_limit(self) -> None:
        """A body is kept up to the limit, and not a byte beyond: then the client gets what came."""
        for size, tries in ((100, 2), (101, 1)):
            talk = Conversation(retrying("5xx", attempts=1), endpoints=2, limits=Limits(upload_bytes=100))
            client = talk.ask(POST.replace(b"10", b"%d" % size))
            first = talk.backend()
            for _ in range(size):
                client.deliver(b"x")
            first.deliver(BUSY)
            talk.retry()
            self.assertEqual(len(talk.connects), tries)
            if tries == 1:
                self.assert_status(client, 503)
                self.assertEqual(talk.ended[0].flags, "")

    def test_client_is_stopped_while_waiting(self) -> None:
        """While the next try is waited for the client is read up to the limit."""
        talk = Conversation(retrying("5xx"), endpoints=2, limits=Limits(upload_bytes=100))
        client = talk.ask(POST.replace(b"10", b"1000"))
        talk.backend().deliver(BUSY)
        client.deliver(b"x" * 100)
        self.assertTrue(client.reading)
        client.deliver(b"x")
        self.assertFalse(client.reading)
        talk.retry()
        second = talk.backend()
        self.assertTrue(client.reading)
        client.deliver(b"x" * 899)
        self.assertTrue(second.sent.endswith(b"x" * 1000))
        second.deliver(OK)
        self.assert_status(client, 200)

    def test_stopped_by_a_backend_that_fails(self) -> None:
        """A client that was stopped because its backend did not read goes on with the next one."""
        talk = Conversation(retrying("5xx"), endpoints=2)
        client = talk.ask(POST + b"0")
        first = talk.backend()
        first.producer.pauseProducing()
        self.assertFalse(client.reading)
        first.reset()
        talk.retry()
        talk.backend()
        self.assertTrue(client.reading)


class ConnectionTests(RetryTestCase):
    """What becomes of connections whose response nobody wants."""

    def test_short_answer(self) -> None:
        """The rest of a short answer is awaited, and the connection carries the next request."""
        talk = Conversation(retrying("5xx"))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(BUSY[:-2])
        backend.deliver(BUSY[-2:])
        backend.take()
        talk.retry()
        self.assertEqual(len(talk.connects), 1)
        self.assertIn(b"x-envoy-attempt-count: 2\r\n", backend.sent)
        backend.deliver(OK)
        self.assert_status(client, 200)
        self.assertNotIn(b"busy", client.sent)

    def test_rest_that_does_not_come(self) -> None:
        """It is awaited for a moment only."""
        talk = Conversation(retrying("5xx"))
        talk.ask(GET)
        backend = talk.backend()
        backend.deliver(BUSY[:-1])
        talk.retry()
        talk.backend().deliver(OK)
        self.assertEqual(backend.ended, "")
        talk.advance(Limits().linger_seconds)
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_backend_hangs_up_meanwhile(self) -> None:
        """A connection that ends while its response is thrown away is forgotten."""
        talk = Conversation(retrying("5xx"))
        talk.ask(GET)
        backend = talk.backend()
        backend.deliver(BUSY[:-1])
        backend.finish()
        self.assertEqual(talk.left["active"], 0)

    def test_long_answer(self) -> None:
        """A long answer, or one of which nobody knows the end, ends with its connection."""
        for head in (b"Content-Length: 70000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"\r\n"):
            talk = Conversation(retrying("5xx"))
            talk.ask(GET)
            backend = talk.backend()
            backend.deliver(b"HTTP/1.1 503 Busy\r\n" + head)
            self.assertEqual(backend.ended, "aborted", head)
            self.assertEqual(talk.left["active"], 0)

    def test_stale_connection(self) -> None:
        """One that was kept and is dead is replaced at once, and the time of the try begins anew."""
        talk = Conversation(retrying("5xx", attempts=1, per_try=2.0))
        client = talk.ask(GET)
        kept = talk.backend()
        kept.deliver(OK)
        client.take()
        client.deliver(GET)
        talk.clock.advance(1.0)
        kept.reset()
        self.assertEqual(len(talk.connects), 2)
        talk.advance(1.5)
        self.assertEqual(len(talk.connects), 2)
        fresh = talk.backend()
        fresh.deliver(OK)
        self.assert_status(client, 200)
        self.assertEqual(talk.ended[-1].flags, "")
        talk.advance(5)
        self.assertEqual(talk.left, NOTHING_LEFT)
