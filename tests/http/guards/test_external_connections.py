"""Tests of L{edgegate.http.guards.external_connections}: which connections are relayed is for a service to say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from h2.events import StreamReset
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, Fault
from edgegate.http.grpc_unary import framed
from edgegate.http.guards.external_connections import ExternalAuthorizationConnectionFilter
from edgegate.model.authorizers import Protocol
from edgegate.model.guards.authorization import Action, Attribute, Condition, Rule, Rules
from edgegate.tcp.guards.interfaces import Waiting
from tests.http.conversation import MIRROR, Conversation, plain, to_web
from tests.http.guards.checking import asking
from tests.http.h2.backend import Backend
from tests.protobuf.envoy import AUTH, message_class


class ConnectionTests(SynchronousTestCase):
    """Connections that carry no requests."""

    def judge(self, *conditions: Condition, protocol: Protocol = Protocol.GRPC, **what: Any) -> Fault | Waiting | None:
        """Have a connection begin."""
        self.talk = Conversation(to_web())
        guard: Any = asking(protocol=protocol, timeout=2.0, **what)
        if conditions:
            guard = replace(guard, rules=Rules(Action.CUSTOM, (Rule("r", operations=(conditions,)),)))
        self.decided: list[Fault | None] = []
        judge = ExternalAuthorizationConnectionFilter(guard, self.talk.environment).judge
        return judge(replace(plain(), server_name="db.example"), self.decided.append)

    def answer(self, code: int) -> Any:
        """Have the service answer; return what it was asked."""
        service = Backend(self.talk.connect_to(MIRROR).accept())
        asked = message_class(f"{AUTH}.CheckRequest").FromString(service.body(1)[5:]).attributes
        message = message_class(f"{AUTH}.CheckResponse")(status={"code": code}).SerializeToString()
        fields = [(b"content-type", b"application/grpc")]
        service.respond(1, framed(message), fields, trailers=[(b"grpc-status", b"0")])
        return asked

    def test_allowed(self) -> None:
        """The service is told both ends and the name that was asked for; where it says so the connection passes."""
        self.assertIsInstance(self.judge(), Waiting)
        asked = self.answer(0)
        self.assertEqual(asked.source.address.socket_address.address, "192.0.2.7")
        self.assertEqual(asked.destination.address.socket_address.port_value, 8080)
        self.assertEqual(asked.tls_session.sni, "db.example")
        self.assertFalse(asked.HasField("request"))
        self.assertEqual(self.decided, [None])

    def test_denied(self) -> None:
        """Where it says not, or nothing, the connection is refused."""
        self.judge()
        self.answer(7)
        (fault,) = self.decided
        assert fault is not None
        self.assertEqual((fault.flag, fault.details), ("UAEX", "ext_authz_denied"))
        for fails_open in (False, True):
            self.judge(fail_open=fails_open)
            self.talk.connects[-1].failed(CONNECT_REFUSED)
            details = ["" if each is None else each.details for each in self.decided]
            self.assertEqual(details, ["" if fails_open else "ext_authz_error"])

    def test_no_cluster(self) -> None:
        """A service that is nowhere says nothing."""
        found = self.judge(cluster="none")
        assert isinstance(found, Fault)
        self.assertEqual(found.details, "ext_authz_error")
        self.assertIsNone(self.judge(cluster="none", fail_open=True))

    def test_rules(self) -> None:
        """Rules count as far as they are about connections; what they say of requests is left out."""
        path, port = Condition(Attribute.PATH, ("/a",)), Condition(Attribute.PORT, ("5432",))
        self.assertIsNone(self.judge(port))
        self.assertIsInstance(self.judge(path), Waiting)
        self.assertIsNone(self.judge(path, port))

    def test_http(self) -> None:
        """A service that is asked over HTTP is passed over: there is no request to ask about."""
        self.assertIsNone(self.judge(protocol=Protocol.HTTP))

    def test_client_leaves(self) -> None:
        """A connection that is gone asks no more: the service may take its time."""
        waiting = self.judge()
        service = Backend(self.talk.connect_to(MIRROR).accept())
        assert isinstance(waiting, Waiting)
        waiting.cancel()
        service.turn()
        self.assertIsNotNone(service.has(StreamReset, 1))
        self.talk.clock.advance(3.0)
        self.assertEqual(self.decided, [])

    def test_error_of_ours(self) -> None:
        """An error of ours refuses."""
        self.judge()
        environment: Any = self.talk.environment
        clusters, environment.clusters = environment.clusters, None
        self.answer(0)
        environment.clusters = clusters
        (fault,) = self.decided
        assert fault is not None
        self.assertEqual(fault.details, "guard_failed")
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
