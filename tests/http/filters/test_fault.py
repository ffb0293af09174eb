"""Tests for L{edgegate.http.filters.fault}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import aborted
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.policies import Abort, CORSPolicy, Delay, Faults
from tests.http.conversation import Conversation, to_web
from tests.http.h1.test_downstream_connection import GET
from tests.http.test_resources import PREFLIGHT


class FaultFilterTests(SynchronousTestCase):
    """Failures on purpose."""

    def test_shares(self) -> None:
        """Of many requests the shares fail, or wait, that the route says; the draws are independent."""
        talk = Conversation(to_web(faults=Faults(Delay(5.0, 0.25), Abort(418, share=0.5))))
        for _ in range(800):
            talk.ask(GET)
        talk.clock.advance(5)
        delayed = sum("DI" in exchange.flags for exchange in talk.ended)
        failed = len(talk.ended)
        passed = len(talk.connects)
        self.assertEqual(failed + passed, 800)
        self.assertTrue(340 <= failed <= 460, failed)
        self.assertTrue(70 <= delayed <= 130, delayed)

    def test_none(self) -> None:
        """A share of almost nothing is almost never drawn, one of all always."""
        talk = Conversation(to_web(faults=Faults(abort=Abort(418, share=0.000001))))
        self.assertEqual(talk.ask(GET).sent, b"")
        talk = Conversation(to_web(faults=Faults(abort=Abort(418))))
        self.assertTrue(talk.ask(GET).sent.startswith(b"HTTP/1.1 418 "))
        self.assertEqual((talk.ended[0].fault, talk.connects), (aborted(418, None), []))

    def test_grpc(self) -> None:
        """A gRPC client gets the gRPC status that is named, or what follows from the HTTP status."""
        grpc = GET.replace(b"\r\n\r\n", b"\r\nContent-Type: application/grpc\r\n\r\n")
        for abort, status in ((Abort(200, 8), b"8"), (Abort(503), b"14")):
            talk = Conversation(to_web(faults=Faults(abort=abort)))
            sent = talk.ask(grpc).sent
            self.assertTrue(sent.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\n"))
            self.assertIn(
                b"grpc-status: %b\r\ngrpc-message: fault filter abort\r\n" % status, sent.replace(b"%20", b" ")
            )

    def test_changes(self) -> None:
        """The route's changes are made in what it fails with, as in any answer of its own (Envoy)."""
        changes = HeaderChanges(set=((b"x-a", Template.parse("%RESPONSE_FLAGS%")),))
        faults = Faults(Delay(1.0), Abort(503))
        for route in (
            to_web(faults=faults, response=(changes,)),
            replace(to_web(faults=faults), response=changes, destinations=()),
        ):
            talk = Conversation(route)
            client = talk.ask(GET)
            talk.clock.advance(1)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 "))
            self.assertIn(b"x-a: DI,FI\r\n", client.sent)

    def test_changes_of_one_of_several(self) -> None:
        """Of several destinations one is drawn, whose changes are made, though it is not asked (Envoy)."""
        changes = HeaderChanges(set=((b"x-a", Template.parse("there")),))
        route = to_web(faults=Faults(abort=Abort(503)), response=(changes,))
        (one,) = route.destinations
        for drawn, told in ((one, True), (replace(one, response=()), False)):
            talk = Conversation(replace(route, destinations=(replace(drawn, weight=1), replace(one, weight=0))))
            self.assertEqual(b"x-a: there\r\n" in talk.ask(GET).sent, told)

    def test_changes_of_grpc(self) -> None:
        """What a gRPC client is told is its status, whatever the route makes of the headers."""
        changes = HeaderChanges((), ((b"grpc-status", Template.parse("0")), (b"content-type", Template.parse("a/b"))))
        talk = Conversation(to_web(faults=Faults(abort=Abort(200, 14)), response=(changes,)))
        sent = talk.ask(GET.replace(b"\r\n\r\n", b"\r\nContent-Type: application/grpc\r\n\r\n")).sent
        self.assertEqual((sent.count(b"grpc-status: 14\r\n"), sent.count(b"grpc-status: ")), (1, 1))
        self.assertEqual((sent.count(b"content-type: application/grpc\r\n"), sent.count(b"content-type: ")), (1, 1))

    def test_before_cors(self) -> None:
        """A request that fails on purpose fails before anything else is looked at."""
        cors = CORSPolicy((StringMatch(Kind.EXACT, "*"),))
        talk = Conversation(to_web(cors=cors, faults=Faults(abort=Abort(503))))
        sent = talk.ask(PREFLIGHT).sent
        self.assertTrue(sent.startswith(b"HTTP/1.1 503 "))
        self.assertNotIn(b"access-control", sent)
