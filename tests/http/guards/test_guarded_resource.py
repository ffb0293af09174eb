"""Tests for L{edgegate.http.guards.guarded_resource}, and for the way of requests that guards meet."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.guards.refusal import Refusal, refuse
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, to_web
from tests.http.filters.filters import TestFilters
from tests.http.guards.guards import LOOKS, MADE, ORIGIN, SEEN, TestGuard, guard, guarded
from tests.http.h1.test_downstream_connection import GET, OK, POST

DENIED = Refusal(403, b"no", "test_denied", "UAEX")


def denies(exchange: Exchange) -> FilterStatus:
    """Refuse every request."""
    return refuse(exchange, TestGuard("n/a", ORIGIN), DENIED)


class GuardedTests(SynchronousTestCase):
    """Requests that guards meet before their route is looked for."""

    def ask(self, talk: Conversation, request: bytes, *guards: TestGuard) -> FakeStream:
        """Ask a gateway that has guards."""
        client = talk.client(guarded(*guards))
        client.deliver(request)
        return client

    def test_passes(self) -> None:
        """What all guards let pass is answered by its route, and the response passes them in the reverse order."""
        talk = Conversation()
        client = self.ask(talk, GET, guard("n/a"), guard("n/b"))
        self.assertEqual(SEEN, ["n/a", "n/b"])
        talk.backend().deliver(OK)
        self.assertIn(b"x-guard: n/b\r\nx-guard: n/a\r\n", client.sent)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_refused(self) -> None:
        """What one refuses meets no other, and has no route; the log has its words."""
        talk = Conversation()
        client = self.ask(talk, GET, guard("n/a", denies), guard("n/b"))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 403 "), client.sent)
        self.assertTrue(client.sent.endswith(b"\r\n\r\nno"))
        (ended,) = talk.ended
        self.assertEqual((ended.details, ended.flags, ended.route, SEEN), ("test_denied", "UAEX", None, ["n/a"]))
        assert ended.guard is not None
        self.assertEqual(ended.guard.name, "n/a")
        self.assertEqual(talk.connects, [])

    def test_before_everything(self) -> None:
        """A redirect to https and a host that nobody knows come after the guards."""
        for host, answer in ((b"moved.example", b"301"), (b"unknown.example", b"404")):
            request = b"GET / HTTP/1.1\r\nhost: %b\r\n\r\n" % host
            client = self.ask(Conversation(), request, guard("n/a"))
            self.assertEqual(client.sent[9:12], answer)
            client = self.ask(Conversation(), request, guard("n/a", denies))
            self.assertEqual(client.sent[9:12], b"403")

    def test_unguarded(self) -> None:
        """A host on which none stands is served as ever, beside one on which some do."""
        talk = Conversation()
        self.ask(talk, b"GET / HTTP/1.1\r\nhost: slow.example\r\n\r\n", guard("n/a", denies))
        self.assertEqual((SEEN, len(talk.connects)), ([], 1))

    def test_kept(self) -> None:
        """Filters are made once, and again after the files have changed."""
        talk = Conversation()
        connection = guarded(guard("n/a", denies))
        client = talk.client(connection)
        client.deliver(GET)
        client.deliver(GET)
        self.assertEqual(MADE, ["n/a"])
        talk.gateway.forget_filters()
        client.deliver(GET)
        self.assertEqual(MADE, ["n/a", "n/a"])

    def test_broken(self) -> None:
        """One that fails refuses, whatever it was about to find."""

        def breaks(exchange: Exchange) -> FilterStatus:
            raise ZeroDivisionError

        talk = Conversation()
        client = self.ask(talk, GET, guard("n/a", breaks), guard("n/b"))
        self.assertEqual((client.sent[9:12], SEEN), (b"403", ["n/a"]))
        self.assertEqual(talk.ended[0].fault.details if talk.ended[0].fault else "", "guard_failed")
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_held(self) -> None:
        """One may hold a request with its body, and let it go on or refuse it later."""
        for passes in (True, False):
            talk, holds = Conversation(), []

            def holding(exchange: Exchange, talk: Conversation = talk, holds: list[Hold] = holds) -> FilterStatus:
                holds.append(Hold(exchange, talk.environment, 5.0, lambda hold: hold.answer(denies)))
                return FilterStatus.STOP

            client = self.ask(talk, POST, guard("n/a", holding), guard("n/b"))
            self.assertEqual((client.sent, talk.connects), (b"", []))
            if passes:
                holds[0].go_on()
                backend = talk.backend()
                self.assertTrue(backend.sent.startswith(b"POST "))
                self.assertTrue(backend.sent.endswith(POST.partition(b"\r\n\r\n")[2]))
                backend.deliver(OK)
            else:
                talk.advance(6.0)
            self.assertEqual(client.sent[9:12], b"200" if passes else b"403")
            self.assertEqual(talk.left, NOTHING_LEFT)

    def test_chooses_the_route(self) -> None:
        """What a guard changes of the request, the route is chosen by."""
        by_claim = (("x-claim", StringMatch(Kind.EXACT, "yes")),)
        first = to_web(matches=(HTTPMatch(headers=by_claim),))

        def claims(exchange: Exchange) -> FilterStatus:
            exchange.change_request([(b"x-claim", b"yes")])
            exchange.note("test", {"a": 1})
            exchange.note("test", {"b": 2})
            return FilterStatus.CONTINUE

        for look, answer in ((claims, b"200"), (None, b"404")):
            talk = Conversation()
            client = talk.client(guarded(guard("n/a", look), routes=(first,)))
            client.deliver(GET)
            if talk.connects:
                talk.backend().deliver(OK)
            self.assertEqual(client.sent[9:12], answer)
            self.assertEqual(talk.ended[0].metadata, {"test": {"a": 1, "b": 2}} if look else None)

    def test_around_filters(self) -> None:
        """The route's own filters come behind, and its responses pass them first."""
        talk = Conversation(filters=(TestFilters("plugin"),))
        client = self.ask(talk, GET, guard("n/a"))
        talk.backend().deliver(OK)
        self.assertIn(b"x-filter: plugin\r\nx-guard: n/a\r\n", client.sent)

    def test_on_a_route(self) -> None:
        """Guards of a route are met once it is known, before its filters; one that fails refuses."""
        talk = Conversation(filters=(TestFilters("plugin"),))
        connection = guarded(guard("n/a"), routes=(to_web(guards=(guard("n/b"),)),))
        client = talk.client(connection)
        client.deliver(GET)
        self.assertEqual(SEEN, ["n/a", "n/b"])
        talk.backend().deliver(OK)
        self.assertIn(b"x-filter: plugin\r\nx-guard: n/b\r\nx-guard: n/a\r\n", client.sent)
        LOOKS["n/b"] = denies
        client.take()
        client.deliver(GET)
        self.assertEqual(client.sent[9:12], b"403")

    def test_grpc(self) -> None:
        """A client of gRPC gets its status, which a guard may say itself."""
        request = b"POST /a.B/C HTTP/1.1\r\nhost: web.example\r\ncontent-type: application/grpc\r\n"
        request += b"te: trailers\r\ncontent-length: 0\r\n\r\n"
        for own, status in ((None, b"7"), (8, b"8")):
            refusal = Refusal(403, b"no", "test_denied", grpc_status=own)
            look = lambda exchange, refusal=refusal: refuse(exchange, TestGuard("n/a", ORIGIN), refusal)  # noqa: E731
            client = self.ask(Conversation(), request, guard("n/a", look))
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 200 "))
            self.assertIn(b"grpc-status: %b\r\ngrpc-message: no\r\n" % status, client.sent)
