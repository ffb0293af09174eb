"""Tests for L{edgegate.http.router.shadow}: copies of requests, of which their requests do not notice anything."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.limits import Limits
from edgegate.model.actions import RequestChanges
from edgegate.model.addresses import TCPAddress
from edgegate.model.headers import HeaderChanges
from edgegate.model.policies import Mirror, RetryPolicy
from tests.http.conversation import MIRROR, NOTHING_LEFT, Conversation, FakeStream, to_web, without_ids
from tests.http.h1.test_downstream_connection import GET, OK, POST

WEB = TCPAddress("10.0.0.1", 80)
MIRRORED = to_web(mirrors=(Mirror("mirror"),))
CHUNKED = b"POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n"
COPY = (
    b"GET / HTTP/1.1\r\nhost: web.example\r\nx-forwarded-proto: http\r\nx-envoy-external-address: 192.0.2.7\r\n"
    b"x-request-id: ID\r\nx-forwarded-for: 192.0.2.7,127.0.0.1\r\nx-envoy-attempt-count: 1\r\n"
    b"x-envoy-internal: true\r\n\r\n"
)


def both(talk: Conversation) -> tuple[FakeStream, FakeStream]:
    """Accept the connections to the backend and to the mirror."""
    return talk.connect_to(WEB).accept(), talk.connect_to(MIRROR).accept()


class ShadowTests(SynchronousTestCase):
    """A mirror gets what the backend gets."""

    def test_copy(self) -> None:
        """The copy comes from the gateway, one hop further on, and its response is nobody's."""
        talk = Conversation(MIRRORED)
        client = talk.ask(GET)
        backend, mirror = both(talk)
        self.assertEqual(without_ids(mirror.sent), COPY)
        self.assertIn(b"host: web.example\r\n", backend.sent)
        mirror.deliver(b"HTTP/1.1 500 Broken\r\nContent-Length: 6\r\n\r\nbroken")
        self.assertEqual(client.sent, b"")
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_renamed_hosts(self) -> None:
        """By option the host bears -shadow; the port stays behind the name."""
        for host, shadow in (
            (b"web.example:8080", b"web.example-shadow:8080"),
            (b"WEB.example", b"WEB.example-shadow"),
        ):
            talk = Conversation(MIRRORED)
            talk.environment.shadow_hosts = True
            talk.ask(GET.replace(b"web.example", host))
            self.assertIn(b"\r\nhost: %b\r\n" % shadow, talk.connect_to(MIRROR).accept().sent)

    def test_hops(self) -> None:
        """The gateway stands behind all other hops, whatever of them the route has left."""
        removed = RequestChanges(headers=(HeaderChanges((b"x-forwarded-for",)),))
        for changes, hops in ((None, b"198.51.100.1,192.0.2.7,127.0.0.1"), (removed, b"127.0.0.1")):
            talk = Conversation(to_web(mirrors=(Mirror("mirror"),), request=changes))
            talk.ask(GET.replace(b"\r\n\r\n", b"\r\nX-Forwarded-For: 198.51.100.1\r\n\r\n"))
            sent = talk.connect_to(MIRROR).accept().sent
            self.assertIn(b"\r\nx-forwarded-for: %b\r\n" % hops, sent)
            self.assertEqual(sent.count(b"x-forwarded-for"), 1)

    def test_attempt_count(self) -> None:
        """It is the first and only attempt, unless the route says something else of that."""
        removed = RequestChanges(headers=(HeaderChanges((b"x-envoy-attempt-count",)),))
        talk = Conversation(to_web(mirrors=(Mirror("mirror"),), request=removed))
        talk.ask(GET)
        self.assertNotIn(b"attempt-count", talk.connect_to(MIRROR).accept().sent)

    def test_changed_request(self) -> None:
        """What the route changes is changed in the copy, too."""
        talk = Conversation(to_web(mirrors=(Mirror("mirror"),), request=RequestChanges(authority=b"in.example:81")))
        talk.ask(GET)
        sent = talk.connect_to(MIRROR).accept().sent
        self.assertIn(b"host: in.example:81\r\n", sent)
        self.assertIn(b"x-forwarded-host: web.example\r\n", sent)
        self.assertIn(b"x-envoy-original-host: web.example\r\n", sent)

    def test_bodies(self) -> None:
        """Bodies are copied in the framing that they came in."""
        for request, pieces in (
            (POST, [b"0123", b"456789"]),
            (CHUNKED, [b"3\r\nabc\r\n", b"1\r\nd\r\n0\r\nx-sum: 1\r\n\r\n"]),
        ):
            talk = Conversation(MIRRORED)
            client = talk.ask(request)
            client.deliver(pieces[0])
            backend, mirror = both(talk)
            client.deliver(pieces[1])
            for stream in (backend, mirror):
                self.assertTrue(stream.sent.endswith(b"\r\n\r\n" + b"".join(pieces)), stream.sent)
                stream.deliver(OK)
            self.assertTrue(client.sent.endswith(b"ok"))
            self.assertEqual(talk.left, NOTHING_LEFT)

    def test_kept_connection(self) -> None:
        """Connections to mirrors are kept."""
        talk = Conversation(MIRRORED)
        client = talk.ask(GET)
        backend, mirror = both(talk)
        for stream in (mirror, backend):
            stream.deliver(OK)
        mirror.take()
        client.deliver(GET)
        self.assertEqual(len(talk.connects), 2)
        self.assertEqual(without_ids(mirror.sent), COPY)

    def test_head(self) -> None:
        """The response to a copy of HEAD has no body, and leaves the connection in order."""
        talk = Conversation(MIRRORED)
        talk.ask(GET.replace(b"GET", b"HEAD"))
        mirror = talk.connect_to(MIRROR).accept()
        mirror.deliver(OK.removesuffix(b"ok"))
        self.assertEqual(mirror.ended, "")
        self.assertEqual(talk.environment.shadows, set())

    def test_once_whatever_is_tried(self) -> None:
        """A request that is tried again is copied once."""
        policy = RetryPolicy(2, frozenset(("5xx",)))
        talk = Conversation(to_web(retries=policy, mirrors=(Mirror("mirror"),)), endpoints=2)
        client = talk.ask(GET)
        talk.connect_to(talk.connects[-1].address).accept().deliver(b"HTTP/1.1 503 Busy\r\n\r\n")
        talk.retry()
        talk.backend().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual(sum(connect.address == MIRROR for connect in talk.connects), 1)


class TroubleTests(SynchronousTestCase):
    """Mirrors that do not do what they should."""

    def test_refused(self) -> None:
        """A mirror that can't be reached is left at that."""
        talk = Conversation(MIRRORED)
        client = talk.ask(POST)
        talk.connect_to(MIRROR).failed(CONNECT_REFUSED)
        client.deliver(b"0123456789")
        talk.connect_to(WEB).accept().deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual((talk.ended[0].fault, talk.ended[0].flags), (None, ""))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def assert_unnoticed(self, trouble: Callable[[FakeStream], None]) -> FakeStream:
        """Assert that a request is answered, whatever its mirror does before it is whole; return that."""
        talk = Conversation(MIRRORED)
        client = talk.ask(POST)
        backend, mirror = both(talk)
        trouble(mirror)
        client.deliver(b"0123456789")
        self.assertTrue(backend.sent.endswith(b"0123456789"))
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual(talk.left, NOTHING_LEFT)
        return mirror

    def test_hangs_up(self) -> None:
        """So is one that hangs up, or talks nonsense."""
        self.assert_unnoticed(lambda mirror: mirror.finish())
        self.assert_unnoticed(lambda mirror: mirror.deliver(b"nonsense\r\n\r\n"))

    def test_answers_early(self) -> None:
        """A mirror that answers before the request is whole gets no more of it, and its connection ends."""
        mirror = self.assert_unnoticed(lambda mirror: mirror.deliver(OK))
        self.assertEqual((mirror.ended, mirror.sent.endswith(b"9")), ("closed", False))

    def test_answers_late(self) -> None:
        """The client does not wait for a mirror, which may answer when it likes."""
        talk = Conversation(MIRRORED)
        client = talk.ask(GET)
        backend, mirror = both(talk)
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        client.finish()
        self.assertEqual(len(talk.environment.shadows), 1)
        talk.advance(60)
        mirror.deliver(OK)
        self.assertEqual(mirror.ended, "")
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_never_answers(self) -> None:
        """A mirror has the time of its route from the whole request on, however long the upload took."""
        talk = Conversation(to_web(mirrors=(Mirror("mirror"),), timeout=5.0))
        client = talk.ask(POST)
        backend, mirror = both(talk)
        talk.advance(20)
        self.assertEqual(mirror.ended, "")
        client.deliver(b"0123456789")
        backend.deliver(OK)
        talk.advance(3)
        self.assertEqual(mirror.ended, "")
        talk.advance(4)
        self.assertEqual(mirror.ended, "aborted")
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_never_answers_and_no_time(self) -> None:
        """Where the route has none, it is the limit on silent backends."""
        talk = Conversation(MIRRORED)
        talk.ask(GET)
        _, mirror = both(talk)
        talk.advance(Limits().stream_idle_seconds + 1)
        self.assertEqual(mirror.ended, "aborted")
        self.assertEqual(talk.environment.shadows, set())

    def test_answers_without_an_end(self) -> None:
        """A response that goes on, slowly or fast, costs the mirror its connection, not the gateway its place."""
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        for size, seconds, times in ((1, 20, 3), (0x10000, 0, 17)):
            talk = Conversation(MIRRORED)
            talk.ask(GET)
            backend, mirror = both(talk)
            backend.deliver(OK)
            mirror.deliver(head)
            for _ in range(times):
                self.assertEqual(mirror.ended, "")
                mirror.deliver(b"%x\r\n%b\r\n" % (size, b"x" * size))
                talk.advance(seconds)
            self.assertEqual((mirror.ended, talk.left), ("aborted", NOTHING_LEFT))

    def test_slow_to_connect(self) -> None:
        """A body is held for a mirror up to the limit; then it loses its copy, and the backend goes on."""
        talk = Conversation(MIRRORED, limits=Limits(upload_bytes=100))
        client = talk.ask(POST.replace(b"10", b"1000"))
        backend = talk.connect_to(WEB).accept()
        client.deliver(b"x" * 100)
        self.assertEqual(len(talk.environment.shadows), 1)
        client.deliver(b"x")
        self.assertTrue(talk.connect_to(MIRROR).cancelled)
        self.assertTrue(client.reading)
        client.deliver(b"x" * 899)
        self.assertTrue(backend.sent.endswith(b"x" * 1000))
        self.assertEqual(talk.environment.shadows, set())

    def test_slow_to_read(self) -> None:
        """The same holds for one that stops reading; if it reads on in time it gets all of it."""
        for reads_on in (True, False):
            talk = Conversation(MIRRORED, limits=Limits(upload_bytes=100))
            client = talk.ask(POST.replace(b"10", b"150"))
            backend, mirror = both(talk)
            mirror.producer.pauseProducing()
            client.deliver(b"x" * 100)
            if reads_on:
                mirror.producer.resumeProducing()
            client.deliver(b"y" * 50)
            self.assertTrue(backend.sent.endswith(b"x" * 100 + b"y" * 50))
            self.assertEqual(mirror.sent.endswith(b"x" * 100 + b"y" * 50), reads_on)
            self.assertEqual(mirror.ended, "" if reads_on else "aborted")

    def test_reads_on_after_the_end(self) -> None:
        """A mirror that reads again only when the request is whole still gets the rest, and can be kept."""
        talk = Conversation(MIRRORED)
        client = talk.ask(POST)
        backend, mirror = both(talk)
        mirror.producer.pauseProducing()
        client.deliver(b"0123456789")
        backend.deliver(OK)
        self.assertFalse(mirror.sent.endswith(b"0123456789"))
        mirror.producer.resumeProducing()
        self.assertTrue(mirror.sent.endswith(b"0123456789"))
        mirror.deliver(OK)
        self.assertEqual((mirror.ended, talk.left), ("", NOTHING_LEFT))

    def test_request_is_cut(self) -> None:
        """A request that breaks off in its middle breaks off for the mirror: it can't take it for whole."""
        for cut in ("client", "backend"):
            talk = Conversation(MIRRORED)
            client = talk.ask(POST + b"01234")
            backend, mirror = both(talk)
            if cut == "client":
                client.finish()
            else:
                backend.deliver(OK)
            self.assertEqual(mirror.ended, "aborted", cut)
            self.assertEqual(talk.environment.shadows, set())

    def test_end_of_the_gateway(self) -> None:
        """A gateway that ends gives all copies up."""
        talk = Conversation(MIRRORED)
        client = talk.ask(GET)
        backend, mirror = both(talk)
        backend.deliver(OK)
        client.finish()
        talk.gateway.abort()
        self.assertEqual((mirror.ended, talk.left), ("aborted", NOTHING_LEFT))
