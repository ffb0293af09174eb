"""Tests for L{edgegate.http.filters.iteration}, L{edgegate.http.filters.route_filters} and the seams of filters."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.errors import CLIENT_GONE, INTERNAL, Fault, Source
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.cors import CORSFilterFactory
from edgegate.http.filters.fault import FaultFilterFactory
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import (
    AnsweredTwice,
    FilterExited,
    FilterStatus,
    HeldAndContinued,
    IHTTPFilterFactory,
    Unanswered,
)
from edgegate.http.limits import Limits
from edgegate.http.response import ResponseHead
from edgegate.model.actions import DirectResponse
from edgegate.model.clusters import PoolLimits
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import Abort, CORSPolicy, Faults
from tests.http.conversation import NOTHING_LEFT, Conversation, connection_of, routed, to_web
from tests.http.filters.filters import TestFilters
from tests.http.h1.test_downstream_connection import GET, OK, POST

DENIED = Fault(Source.DOWNSTREAM, "UAEX", 403, "denied", "ext_authz_denied")
HELD_SECONDS = 5.0


class FiltersTests(SynchronousTestCase):
    """What filters do with requests and responses."""

    def asking(self) -> tuple[TestFilters, list[Hold]]:
        """Make a filter that holds each request until it is told what becomes of it."""
        holds: list[Hold] = []

        def look(exchange: Exchange) -> FilterStatus:
            assert asking.environment is not None
            holds.append(Hold(exchange, asking.environment, HELD_SECONDS, lambda hold: hold.fail(DENIED)))
            return FilterStatus.STOP

        asking = TestFilters("asking", look)
        return asking, holds

    def remembering(self) -> tuple[TestFilters, list[Exchange]]:
        """Make a filter that lets each request go on, and remembers it."""
        seen: list[Exchange] = []

        def look(exchange: Exchange) -> FilterStatus:
            seen.append(exchange)
            return FilterStatus.CONTINUE

        return TestFilters("late", look), seen

    def test_factories(self) -> None:
        """All of them are factories."""
        for factory in (TestFilters(), FaultFilterFactory(), CORSFilterFactory()):
            verifyObject(IHTTPFilterFactory, factory)

    def test_order(self) -> None:
        """Requests meet filters in their order, responses in the reverse of it; then comes the route's backend."""
        seen: list[str] = []

        def looking(name: str) -> TestFilters:
            def look(exchange: Exchange) -> FilterStatus:
                seen.append(name)
                return FilterStatus.CONTINUE

            return TestFilters(name, look)

        talk = Conversation(filters=(looking("a"), looking("b")))
        client = talk.ask(GET)
        self.assertEqual(seen, ["a", "b"])
        talk.backend().deliver(OK)
        self.assertLess(client.sent.index(b"x-filter: b"), client.sent.index(b"x-filter: a"))
        self.assertEqual((talk.ended[0].details, talk.ended[0].fault), ("", None))

    def test_made_once(self) -> None:
        """A filter is made once for each chain and route, and again when the files have changed."""
        filters = TestFilters()
        talk = Conversation(to_web(direct=DirectResponse(200)), filters=(filters,))
        for _ in range(2):
            talk.ask(GET * 2)
        self.assertEqual((len(filters.chains), len(filters.routes)), (1, 1))
        talk.gateway.forget_filters()
        talk.ask(GET)
        self.assertEqual((len(filters.chains), len(filters.routes)), (2, 2))

    def test_another_chain(self) -> None:
        """Each chain has filters of its own, and so has that which a connection has after a reload."""
        filters = TestFilters()
        talk = Conversation(to_web(direct=DirectResponse(200)), filters=(filters,))
        client = talk.ask(GET)
        connection_of(client).move(routed(to_web(direct=DirectResponse(201))))
        client.deliver(GET)
        self.assertEqual(len({id(chain) for chain in filters.chains}), 2)
        self.assertIn(b"HTTP/1.1 201 ", client.sent)

    def test_without_a_route(self) -> None:
        """A request that has no route meets no filter."""
        filters = TestFilters()
        talk = Conversation(filters=(filters,))
        self.assertIn(b" 404 ", talk.ask(GET.replace(b"web", b"nobody")).sent)
        self.assertEqual(filters.chains, [])

    def test_reply(self) -> None:
        """A filter that answers is the last; those before it see its response, and the log names it."""

        def look(exchange: Exchange) -> FilterStatus:
            exchange.reply(401, [(b"www-authenticate", b"Bearer")], b"who?\n")
            return FilterStatus.STOP

        filters = (TestFilters("first"), TestFilters("second", look), TestFilters("third"))
        talk = Conversation(filters=filters)
        client = talk.ask(GET)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 401 Unauthorized\r\n"))
        self.assertEqual((client.sent.count(b"x-filter"), client.sent.count(b"x-filter: first")), (1, 1))
        self.assertEqual((talk.ended[0].details, talk.connects, client.ended), ("second", [], ""))
        self.assertEqual(talk.ended[0].status, 401)

    def test_fault(self) -> None:
        """A filter may answer with a fault of its own, which has a flag and its own words for the log."""

        def look(exchange: Exchange) -> FilterStatus:
            exchange.fail(DENIED)
            return FilterStatus.STOP

        talk = Conversation(filters=(TestFilters("asking", look),))
        self.assertIn(b"denied (UAEX)\n", talk.ask(GET).sent)
        self.assertEqual((talk.ended[0].fault, talk.ended[0].details), (DENIED, "asking"))

    def test_answered_and_continued(self) -> None:
        """What is answered goes no further, whatever the filter says."""

        def look(exchange: Exchange) -> FilterStatus:
            exchange.reply(204, [], b"")
            return FilterStatus.CONTINUE

        talk = Conversation(filters=(TestFilters("hasty", look),))
        talk.ask(GET)
        self.assertEqual((talk.connects, len(talk.ended)), ([], 1))

    def test_no_response(self) -> None:
        """A filter can't give a response that HTTP has not, nor say how it is framed: it has failed."""
        for status, field in (
            (0, (b"x", b"y")),
            (101, (b"x", b"y")),
            (600, (b"x", b"y")),
            (200, (b"content-length", b"9")),
            (200, (b"transfer-encoding", b"chunked")),
            (200, (b"connection", b"upgrade")),
            (200, (b"X", b"y")),
            (200, (b"x", b"y\r\nz: a")),
        ):

            def look(exchange: Exchange, status: int = status, field: Field = field) -> FilterStatus:
                exchange.reply(status, [field], b"body")
                return FilterStatus.STOP

            talk = Conversation(filters=(TestFilters("own", look),))
            client = talk.ask(GET)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), (status, field, client.sent))
            self.assertNotIn(b"body", client.sent)
            self.assertEqual((talk.ended[0].fault, len(self.flushLoggedErrors(ValueError))), (INTERNAL, 1))

    def test_no_late_response(self) -> None:
        """The same is true of a response that it gives later, or where it is shown another."""

        def change(exchange: Exchange, head: ResponseHead) -> ResponseHead:
            if head.status == 200:
                exchange.reply(403, [(b"x", b"y\r\nz: a")], b"body")
            return head

        for route in (to_web(), to_web(direct=DirectResponse(200))):
            talk = Conversation(route, filters=(TestFilters(change=change),))
            client = talk.ask(GET)
            if talk.connects:
                talk.backend().deliver(OK)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), client.sent)
            self.assert_internal(talk, ValueError)
        late, seen = self.remembering()
        talk = Conversation(filters=(late,))
        client = talk.ask(GET)
        talk.backend()
        self.assertRaises(ValueError, seen[0].reply, 101, [], b"body")
        self.assertEqual(client.sent, b"")

    def test_no_response_head(self) -> None:
        """The same is true of a head that a filter returns; what the backend said in it stays."""

        def looking(fields: list[Field]) -> TestFilters:
            return TestFilters(change=lambda exchange, head: head.with_set(fields))

        for field in ((b"content-length", b"9"), (b"transfer-encoding", b"chunked"), (b"x", b"y\nz: a")):
            talk = Conversation(filters=(looking([field]),))
            client = talk.ask(GET)
            talk.backend().deliver(OK)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), (field, client.sent))
            self.assertEqual((talk.ended[0].fault, len(self.flushLoggedErrors(ValueError))), (INTERNAL, 1))
        talk = Conversation(filters=(looking([(b"date", b"now")]),))
        client = talk.ask(GET)
        talk.backend().deliver(OK)
        self.assertEqual(client.sent.count(b"date: "), client.sent.count(b"date: now"))

    def test_another_response(self) -> None:
        """A filter that answers where it is shown a response has answered: the other one is not sent behind it."""

        def change(exchange: Exchange, head: ResponseHead) -> ResponseHead:
            exchange.reply(403, [], b"mine")
            return head

        talk = Conversation(filters=(TestFilters(change=change),), pool=PoolLimits(requests=1))
        for _ in range(2):
            # it is no request of the cluster's any more
            client = talk.ask(GET)
            talk.backend().deliver(OK)
            self.assertEqual((client.sent.count(b"HTTP/1.1"), client.sent[-4:]), (1, b"mine"))
        self.assertEqual([ended.status for ended in talk.ended], [403, 403])
        self.assertEqual(talk.left, NOTHING_LEFT)
        self.assertEqual(len(self.flushLoggedErrors(AnsweredTwice)), 2)

    def test_answered_in_a_backends_place(self) -> None:
        """A filter that answers a request which it has let go on has answered: the backend is let go, and not heard."""
        late, seen = self.remembering()
        talk = Conversation(filters=(late,), pool=PoolLimits(requests=1))
        client = talk.ask(GET)
        backend = talk.backend()
        seen[0].reply(403, [], b"mine")
        self.assertTrue(client.take().endswith(b"mine"))
        self.assertEqual(backend.ended, "aborted")
        client.deliver(GET)
        talk.backend().deliver(OK)
        self.assertEqual((client.sent.count(b"HTTP/1.1"), client.sent[-2:]), (1, b"ok"))
        self.assertEqual([ended.status for ended in talk.ended], [403, 200])
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_failed_in_a_backends_place(self) -> None:
        """The same is true of one that fails a request whose response has begun, which is cut off."""
        late, seen = self.remembering()
        talk = Conversation(filters=(late,), pool=PoolLimits(requests=1))
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        seen[0].fail(DENIED)
        self.assertEqual((client.ended, backend.ended), ("closed", "aborted"))
        talk.ask(GET)
        talk.backend().deliver(OK)
        self.assertEqual([ended.fault for ended in talk.ended], [DENIED, None])
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_changed_request(self) -> None:
        """The backend gets what a filter has put into a request, and the next request has it not."""

        def look(exchange: Exchange) -> FilterStatus:
            if exchange.head.target == b"/":
                exchange.change_request([(b"x-user", b"ada")], frozenset((b"authorization",)))
            return FilterStatus.CONTINUE

        talk = Conversation(filters=(TestFilters("user", look),))
        sent = talk.asked(GET.replace(b"\r\n\r\n", b"\r\nAuthorization: secret\r\n\r\n"))
        self.assertIn(b"x-user: ada\r\n", sent)
        self.assertNotIn(b"secret", sent)
        self.assertNotIn(b"x-user", talk.asked(GET.replace(b"/ ", b"/other ")))

    def test_what_filters_see(self) -> None:
        """The connection, who the client is, and what it asked for."""
        seen: list[object] = []

        def look(exchange: Exchange) -> FilterStatus:
            connection = exchange.connection
            seen.extend((str(connection.peer), connection.server_name, connection.client_certificate, exchange.path))
            seen.append(exchange.client.external(exchange.head))
            return FilterStatus.CONTINUE

        Conversation(filters=(TestFilters("look", look),)).ask(GET)
        self.assertEqual(seen, ["192.0.2.7:4711", "", b"", b"/", b"192.0.2.7"])

    # Held requests ----------------------------------------------------------------------------------------------------

    def test_go_on_later(self) -> None:
        """Somebody else is asked; with the answer the request goes on, its body with it, to the next filter."""
        asking, holds = self.asking()
        following, seen = self.remembering()
        talk = Conversation(filters=(asking, following))
        client = talk.ask(POST + b"01234")
        self.assertEqual((talk.connects, seen), ([], []))
        answer: Deferred[None] = Deferred()
        answer.addCallback(lambda _: holds[0].go_on())
        answer.callback(None)
        backend = talk.backend()
        client.deliver(b"56789")
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assertEqual((client.sent.count(b"x-filter"), len(seen)), (2, 1))
        # what comes late is nothing to it
        for late in (holds[0].go_on, lambda: holds[0].fail(DENIED), lambda: holds[0].reply(401, [], b"")):
            late()
        self.assertEqual((len(talk.ended), holds[0].over), (1, True))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_go_on_at_once(self) -> None:
        """Who was asked may have answered at once; the request goes on once, also where the filter says so twice."""
        statuses = list(FilterStatus)

        def look(exchange: Exchange) -> FilterStatus:
            assert filters.environment is not None
            Hold(exchange, filters.environment, HELD_SECONDS, lambda hold: hold.fail(DENIED)).go_on()
            return statuses.pop()

        filters = TestFilters("quick", look)
        talk = Conversation(filters=(filters, TestFilters("next")))
        client = talk.ask(GET * len(statuses))
        backend = talk.backend()
        for _ in FilterStatus:
            backend.deliver(OK)
            self.assertTrue(client.sent.endswith(b"ok"))
            self.assertEqual(client.take().count(b"x-filter"), 2)
        self.assertEqual((len(talk.connects), statuses), (1, []))
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_two_holds(self) -> None:
        """A request may be held by one filter after the other, its body is handed on in its order."""
        (first, firsts), (second, seconds) = self.asking(), self.asking()
        talk = Conversation(filters=(first, second))
        client = talk.ask(POST + b"012")
        firsts[0].go_on()
        client.deliver(b"345")
        seconds[0].go_on()
        client.deliver(b"6789")
        self.assertTrue(talk.backend().sent.endswith(b"\r\n\r\n0123456789"))

    def test_bounded(self) -> None:
        """A body is held up to the limit on it, then the client is not read."""
        asking, holds = self.asking()
        talk = Conversation(filters=(asking,), limits=Limits(upload_bytes=4))
        client = talk.ask(POST + b"01234")
        self.assertFalse(client.reading)
        holds[0].go_on()
        talk.backend()
        self.assertTrue(client.reading)

    def test_deny_later(self) -> None:
        """A held request may be answered, whose body is of no use then; the log names the filter."""
        asking, holds = self.asking()
        talk = Conversation(filters=(asking,))
        client = talk.ask(POST + b"01234")
        holds[0].reply(403, [], b"no\n")
        self.assertTrue(client.sent.endswith(b"\r\n\r\nno\n"))
        self.assertEqual((talk.ended[0].details, talk.ended[0].fault, client.ended), ("asking", None, "half-closed"))
        self.assertNotIn(b"x-filter", client.sent)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_deadline(self) -> None:
        """Nobody is waited for longer than the filter says."""
        asking, holds = self.asking()
        talk = Conversation(filters=(asking,))
        client = talk.ask(GET)
        talk.clock.advance(HELD_SECONDS)
        self.assertIn(b"denied (UAEX)\n", client.sent)
        self.assertTrue(holds[0].over)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_client_leaves(self) -> None:
        """Nothing is done for a client that is gone."""
        asking, holds = self.asking()
        talk = Conversation(filters=(asking,))
        talk.ask(GET).finish()
        holds[0].go_on()
        self.assertEqual((talk.connects, talk.ended[0].fault, holds[0].over), ([], CLIENT_GONE, True))
        self.assertEqual(talk.left, NOTHING_LEFT)

    # Errors -----------------------------------------------------------------------------------------------------------

    def assert_internal(self, talk: Conversation, error: type[Exception]) -> None:
        """Assert that a request was answered with 500, once, and that the error was logged."""
        self.assertEqual(len(self.flushLoggedErrors(error)), 1)
        self.assertEqual([(ended.fault, ended.status) for ended in talk.ended], [(INTERNAL, 500)])
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_errors(self) -> None:
        """What a filter raises with a request ends that request alone."""

        def look(exchange: Exchange) -> FilterStatus:
            raise ZeroDivisionError

        talk = Conversation(filters=(TestFilters("broken", look),))
        self.assertIn(b" 500 ", talk.ask(GET).sent)
        self.assert_internal(talk, ZeroDivisionError)

    def test_exits(self) -> None:
        """What is to end a process or a task ends that request alone as well."""

        def look(exchange: Exchange) -> FilterStatus:
            raise SystemExit(1)

        talk = Conversation(filters=(TestFilters("exits", look),))
        self.assertIn(b" 500 ", talk.ask(GET).sent)
        self.assert_internal(talk, FilterExited)

    def test_unanswered(self) -> None:
        """A filter that stops a request and forgets it does not have its client wait for ever."""
        talk = Conversation(filters=(TestFilters("idle", lambda exchange: FilterStatus.STOP),))
        self.assertIn(b" 500 ", talk.ask(GET).sent)
        self.assert_internal(talk, Unanswered)

    def test_held_and_continued(self) -> None:
        """A filter that holds a request and lets it go on does not know what it wants: the request does not pass."""

        def look(exchange: Exchange) -> FilterStatus:
            assert filters.environment is not None
            Hold(exchange, filters.environment, HELD_SECONDS, lambda hold: hold.fail(DENIED))
            return FilterStatus.CONTINUE

        filters = TestFilters("unsure", look)
        talk = Conversation(filters=(filters,))
        self.assertIn(b" 500 ", talk.ask(GET).sent)
        self.assertEqual(talk.connects, [])
        self.assert_internal(talk, HeldAndContinued)

    def test_endless_hold(self) -> None:
        """A filter that does nothing when its time has passed does not have its client wait for ever either."""

        def look(exchange: Exchange) -> FilterStatus:
            assert filters.environment is not None
            Hold(exchange, filters.environment, HELD_SECONDS, lambda hold: None)
            return FilterStatus.STOP

        filters = TestFilters("idle", look)
        talk = Conversation(filters=(filters,))
        client = talk.ask(GET)
        talk.clock.advance(HELD_SECONDS)
        self.assertIn(b" 500 ", client.sent)
        self.assert_internal(talk, Unanswered)

    def test_errors_in_responses(self) -> None:
        """What a filter raises with a response ends that, and is not asked about the one in its place."""
        talk = Conversation(to_web(direct=DirectResponse(200)), filters=(TestFilters("broken", signs=False),))
        self.assertIn(b" 500 ", talk.ask(GET).sent)
        self.assert_internal(talk, ZeroDivisionError)

    def test_errors_later(self) -> None:
        """What is raised behind a filter that lets a request go on later is no matter of whom it asked."""
        asking, holds = self.asking()

        def look(exchange: Exchange) -> FilterStatus:
            raise ZeroDivisionError

        talk = Conversation(filters=(asking, TestFilters("broken", look)))
        client = talk.ask(GET)
        holds[0].go_on()
        self.assertIn(b" 500 ", client.sent)
        self.assert_internal(talk, ZeroDivisionError)


class OwnFiltersTests(SynchronousTestCase):
    """Filters of embedders beside edgegate's own."""

    def test_before_own(self) -> None:
        """They see requests that fail on purpose, and the failures."""
        filters = TestFilters()
        talk = Conversation(to_web(faults=Faults(abort=Abort(503))), filters=(filters,))
        self.assertIn(b"x-filter: test\r\n", talk.ask(GET).sent)
        self.assertEqual(len(filters.routes), 1)

    def test_preflight(self) -> None:
        """The log says that CORS answered, as Envoy does."""
        talk = Conversation(to_web(cors=CORSPolicy((StringMatch(Kind.EXACT, "https://a"),))))
        asked = b"Origin: https://a\r\nAccess-Control-Request-Method: PUT\r\n\r\n"
        client = talk.ask(GET.replace(b"GET", b"OPTIONS").replace(b"\r\n\r\n", b"\r\n" + asked))
        self.assertEqual((talk.ended[0].details, talk.ended[0].status), ("cors_response", 200))
        self.assertEqual(client.sent.count(b"access-control-allow-origin"), 1)
