"""Tests for L{edgegate.http.filters.hold}: requests that are held back on purpose."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE
from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.limits import Limits
from edgegate.model.actions import DirectResponse
from edgegate.model.addresses import TCPAddress
from edgegate.model.policies import Abort, Delay, Faults, Mirror
from tests.http.conversation import MIRROR, NOTHING_LEFT, Conversation, to_web
from tests.http.filters.filters import TestFilters
from tests.http.h1.test_downstream_connection import GET, OK, POST

LATE = to_web(faults=Faults(Delay(2.0)))


class HoldTests(SynchronousTestCase):
    """A request waits, then goes on as if it came now."""

    def test_delay(self) -> None:
        """Nothing is asked before the time, and the log says why it took so long."""
        talk = Conversation(LATE)
        client = talk.ask(GET)
        talk.clock.advance(1.99)
        self.assertEqual((talk.connects, client.sent), ([], b""))
        talk.clock.advance(0.02)
        talk.backend().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual((talk.ended[0].flags, talk.ended[0].fault), ("DI", None))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_kept_connection(self) -> None:
        """After the time a kept backend connection gets the request at once, with its body."""
        talk = Conversation(LATE)
        client = talk.ask(GET)
        talk.clock.advance(2)
        backend = talk.backend()
        backend.deliver(OK)
        backend.take()
        client.take()
        client.deliver(POST + b"01234")
        client.deliver(b"56789")
        talk.clock.advance(2)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))

    def test_body_that_is_still_coming(self) -> None:
        """What comes before and after the time arrives in its order."""
        talk = Conversation(LATE)
        client = talk.ask(POST + b"012")
        talk.clock.advance(2)
        client.deliver(b"345")
        backend = talk.backend()
        client.deliver(b"6789")
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))

    def test_client_is_stopped(self) -> None:
        """A body is held up to the limit; then the client is not read, also not while the backend is connected."""
        talk = Conversation(LATE, limits=Limits(upload_bytes=100))
        client = talk.ask(POST.replace(b"10", b"1000"))
        client.deliver(b"x" * 101)
        self.assertFalse(client.reading)
        talk.clock.advance(2)
        self.assertFalse(client.reading)
        backend = talk.backend()
        self.assertTrue(client.reading)
        client.deliver(b"x" * 899)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n" + b"x" * 1000))

    def test_all_that_is_held(self) -> None:
        """What all requests hold has a limit, too; it is given back however a hold ends."""
        talk = Conversation(LATE, limits=Limits(kept_bodies_bytes=250))
        first, second = (talk.ask(POST.replace(b"10", b"1000")) for _ in range(2))
        first.deliver(b"x" * 100)
        self.assertTrue(first.reading)
        second.deliver(b"x" * 100)
        self.assertEqual((first.reading, second.reading), (True, False))
        self.assertEqual(talk.environment.kept_bodies, 2 * 164)
        second.finish()
        self.assertEqual(talk.environment.kept_bodies, 164)
        talk.clock.advance(2)
        backend = talk.backend()
        first.deliver(b"x" * 900)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n" + b"x" * 1000))
        backend.deliver(OK)
        self.assertEqual(talk.environment.kept_bodies, 0)

    def test_client_leaves(self) -> None:
        """Nothing is done for a client that does not wait."""
        talk = Conversation(LATE)
        talk.ask(GET).finish()
        self.assertEqual(talk.left, NOTHING_LEFT)
        talk.clock.advance(3)
        self.assertEqual((talk.connects, talk.ended[0].flags, talk.ended[0].fault), ([], "DI", CLIENT_GONE))

    def test_reload(self) -> None:
        """A request ends on what it began with, its mirror too, though a reload takes all that out meanwhile."""
        talk = Conversation(to_web(faults=Faults(Delay(2.0)), mirrors=(Mirror("mirror", 1.0),)))
        client = talk.ask(GET)
        talk.clusters.update({})
        talk.clock.advance(2)
        for address in (TCPAddress("10.0.0.1", 80), MIRROR):
            backend = talk.connect_to(address).accept()
            backend.deliver(OK)
            # nobody will ask there again
            self.assertEqual(backend.ended, "closed")
            backend.settle()
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual((talk.ended[0].fault, talk.ended[0].cluster), (None, "web"))
        self.assertEqual(talk.ended[0].clusters, {})
        client.deliver(GET)
        talk.clock.advance(2)
        self.assertIn(b"(NC)", client.sent)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_client_that_does_not_read(self) -> None:
        """A backend is not read for a client that stopped reading meanwhile, until it reads again."""
        for reads_again in (False, True):
            talk = Conversation(LATE)
            client = talk.ask(GET)
            client.producer.pauseProducing()
            if reads_again:
                client.producer.resumeProducing()
            talk.clock.advance(2)
            self.assertEqual(talk.backend().reading, reads_again)

    def test_abort_after_delay(self) -> None:
        """The delay comes first; a body that was held, or is still coming, is of no use then."""
        for body, ended in ((b"0123456789", ""), (b"012", "half-closed")):
            talk = Conversation(to_web(faults=Faults(Delay(2.0), Abort(503))), limits=Limits(upload_bytes=2))
            client = talk.ask(POST + body)
            talk.clock.advance(1.9)
            self.assertEqual(client.sent, b"")
            talk.clock.advance(0.2)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 "))
            self.assertEqual((client.ended, talk.ended[0].flags), (ended, "DI"))
            self.assertEqual(talk.connects, [])
            self.assertEqual(talk.left, NOTHING_LEFT)

    def test_expectation(self) -> None:
        """A client that waits for 100 Continue waits until a backend is there."""
        talk = Conversation(LATE)
        client = talk.ask(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        talk.clock.advance(2)
        self.assertEqual(client.sent, b"")
        talk.backend()
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_next_request(self) -> None:
        """The next request of a connection waits behind the one that is held back, and for its own time."""
        talk = Conversation(to_web(faults=Faults(Delay(2.0)), direct=DirectResponse(200, b"here")))
        client = talk.ask(GET + GET)
        talk.clock.advance(2)
        self.assertEqual(client.sent.count(b"here"), 1)
        talk.clock.advance(2)
        self.assertEqual(client.sent.count(b"here"), 2)
        self.assertEqual(len(talk.ended), 2)

    def test_without_a_time(self) -> None:
        """Whoever has a deadline of its own holds without one, and hears of a client that leaves, once."""
        told: list[str] = []

        def hold(exchange: Exchange) -> FilterStatus:
            Hold(exchange, talk.environment, None, lambda hold: told.append("expired"), lambda: told.append("left"))
            return FilterStatus.STOP

        talk = Conversation(LATE, filters=(TestFilters("holds", hold),))
        client = talk.ask(GET)
        talk.clock.advance(10_000)
        self.assertEqual(told, [])
        client.finish()
        self.assertEqual(told, ["left"])
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_ended_before(self) -> None:
        """A client that leaves after the request went on is nobody's business here."""
        told: list[str] = []

        def hold(exchange: Exchange) -> FilterStatus:
            Hold(exchange, talk.environment, None, lambda hold: None, lambda: told.append("left")).go_on()
            return FilterStatus.STOP

        talk = Conversation(to_web(), filters=(TestFilters("holds", hold),))
        talk.ask(GET).finish()
        self.assertEqual(told, [])
