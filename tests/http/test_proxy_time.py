"""Tests for L{edgegate.http.router.router}: the time that tries and requests have."""

from __future__ import annotations

from edgegate.errors import STREAM_IDLE, TRY_TIMEOUT, UPSTREAM_TIMEOUT
from edgegate.http.limits import Limits
from tests.http.conversation import NOTHING_LEFT, Conversation
from tests.http.h1.test_downstream_connection import GET, POST
from tests.http.test_proxy_retries import RetryTestCase, retrying


class TimeTests(RetryTestCase):
    """The time of a try, and the time of them all."""

    def test_time_of_a_try(self) -> None:
        """A try that takes too long is repeated, where the route says that resets are."""
        talk = Conversation(retrying("reset", attempts=1, per_try=1.0), endpoints=2)
        client = talk.ask(GET)
        slow = talk.backend()
        talk.advance(1.5)
        self.assertEqual(slow.ended, "aborted")
        talk.retry()
        talk.backend()
        talk.advance(1.5)
        self.assert_status(client, 504)
        self.assertEqual((talk.ended[0].fault, talk.ended[0].flags), (TRY_TIMEOUT, "URX"))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_time_of_a_try_without_retries(self) -> None:
        """Where they are not, it is the end: 504."""
        talk = Conversation(retrying("connect-failure", per_try=1.0))
        client = talk.ask(GET)
        talk.backend()
        talk.advance(1.5)
        self.assert_status(client, 504)
        self.assertEqual((len(talk.connects), talk.ended[0].flags), (1, ""))

    def test_counted_from_the_whole_request(self) -> None:
        """A client that is slow to send has the same time, and connecting is not counted."""
        talk = Conversation(retrying("reset", per_try=1.0))
        client = talk.ask(POST)
        talk.advance(3)
        talk.backend()
        talk.advance(3)
        client.deliver(b"0123456789")
        talk.advance(0.5)
        self.assertEqual((client.sent, len(talk.connects)), (b"", 1))
        talk.advance(1.5)
        talk.retry()
        self.assertEqual(len(talk.connects), 2)

    def test_time_of_all_tries(self) -> None:
        """The route's time goes on while there is no connection, and ends a wait or a connect."""
        for step in ("waiting", "connecting", "asked"):
            talk = Conversation(retrying("reset", attempts=9, timeout=2.0))
            client = talk.ask(GET)
            talk.backend().finish()
            if step != "waiting":
                talk.retry()
            if step == "asked":
                talk.backend()
            talk.clock.pump([0.02] * 150)
            if step == "waiting":
                self.assertEqual(len(talk.connects), 2)
            self.assert_status(client, 504)
            self.assertEqual(talk.ended[0].fault, UPSTREAM_TIMEOUT, step)
            self.assertEqual(talk.left, NOTHING_LEFT, step)

    def test_busy_worker(self) -> None:
        """A worker that did other things for a while does not take that from the time of a request."""
        talk = Conversation(retrying(timeout=0.2))
        other = talk.ask(GET)
        talk.backend()
        talk.clock.rightNow += 0.15  # the worker is busy: no timer runs
        client = talk.ask(GET)
        talk.backend()
        talk.clock.pump([0.01] * 10)
        self.assert_status(other, 504)
        self.assertEqual(client.sent, b"")
        talk.clock.pump([0.01] * 15)
        self.assert_status(client, 504)

    def test_silence(self) -> None:
        """Who was waited for for minutes is not waited for again."""
        talk = Conversation(retrying("5xx", "reset"), limits=Limits(stream_idle_seconds=10))
        client = talk.ask(GET)
        talk.backend()
        talk.advance(12)
        self.assert_status(client, 504)
        self.assertEqual((len(talk.connects), talk.ended[0].fault), (1, STREAM_IDLE))

    def test_long_upload(self) -> None:
        """A backend that has nothing to say while an upload goes on is not silent; it is once the upload stands."""
        talk = Conversation(limits=Limits(stream_idle_seconds=10, body_seconds=100))
        client = talk.ask(POST.replace(b"10", b"1000"))
        backend = talk.backend()
        for _ in range(6):
            talk.advance(6)
            client.deliver(b"x" * 100)
        self.assertEqual((backend.ended, talk.ended), ("", []))
        talk.advance(25)
        self.assertEqual(talk.ended[0].fault, STREAM_IDLE)

    def test_silence_after_an_upload(self) -> None:
        """The time of a silent backend begins when the request is whole."""
        talk = Conversation(limits=Limits(stream_idle_seconds=10))
        client = talk.ask(POST)
        talk.backend()
        talk.advance(8)
        client.deliver(b"0123456789")
        talk.advance(8)
        self.assertEqual(talk.ended, [])
        talk.advance(4)
        self.assertEqual(talk.ended[0].fault, STREAM_IDLE)

    def test_expected_time(self) -> None:
        """A backend is told the time of a try, or the route's where that is less."""
        for route, told in (
            (retrying(per_try=1.5), b"1500"),
            (retrying(per_try=1.5, timeout=3.0), b"1500"),
            (retrying(per_try=1.5, timeout=1.0), b"1000"),
        ):
            self.assertIn(b"x-envoy-expected-rq-timeout-ms: %b\r\n" % told, Conversation(route).asked(GET))
        self.assertNotIn(b"expected", Conversation(retrying()).asked(GET))

    def test_expected_time_of_a_further_try(self) -> None:
        """The backend of a further try is told what is left of the route's time, or the time of a try (Envoy)."""
        for per_try, told in ((None, 7000), (2.0, 2000)):
            talk = Conversation(retrying("5xx", attempts=2, per_try=per_try, timeout=10.0), endpoints=2)
            talk.ask(GET)
            first = talk.backend()
            talk.advance(1.5)
            first.deliver(b"HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n")
            talk.retry()
            second = talk.backend()
            (line,) = (line for line in second.sent.split(b"\r\n") if line.startswith(b"x-envoy-expected"))
            value = int(line.rpartition(b" ")[2])
            # a try's wait is one second here, and time passes in ticks
            self.assertTrue(told - 500 <= value <= min(told + 500, 8500), (per_try, line))
