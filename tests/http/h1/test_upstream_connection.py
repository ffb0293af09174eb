"""Tests for L{edgegate.http.h1.upstream_connection}: answers that backends give, and that they should not."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.http.limits import Limits
from edgegate.model.policies import RetryPolicy
from edgegate.net.client_counts import NOBODY, ClientCounts
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, plain, to_web
from tests.http.h1.test_downstream_connection import GET, OK, POST


class AnswerTests(SynchronousTestCase):
    """Answers of all kinds."""

    def ask(self, limits: Limits | None = None, request: bytes = GET) -> tuple[Conversation, FakeStream, FakeStream]:
        """Send a request; return the conversation, the client and the backend."""
        talk = Conversation(limits=limits)
        client = talk.client()
        client.deliver(request)
        return talk, client, talk.backend()

    def test_interfaces(self) -> None:
        """It is a Twisted protocol, and its transport's producer."""
        _, _, backend = self.ask()
        verifyObject(IProtocol, backend.protocol)
        verifyObject(IPushProducer, backend.protocol)
        self.assertIn("asked", repr(backend.protocol))

    def test_on_behalf(self) -> None:
        """While a request is under way the connection is the client's who sent it, then nobody's again."""
        for counts in (ClientCounts("192.0.2.1", 9), NOBODY):
            talk = Conversation()
            talk.client(replace(plain(), counts=counts)).deliver(GET)
            backend = talk.backend()
            self.assertIs(getattr(backend.protocol, "on_behalf_of", 0), None if counts is NOBODY else counts)
            backend.deliver(OK)
            self.assertIsNone(getattr(backend.protocol, "on_behalf_of", 0))

    def test_until_close(self) -> None:
        """A response without a length ends with its connection."""
        talk, client, backend = self.ask()
        backend.deliver(b"HTTP/1.0 200 OK\r\n\r\nabc")
        backend.deliver(b"def")
        self.assertEqual(talk.ended, [])
        backend.finish()
        self.assertTrue(client.sent.endswith(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"))
        self.assertIsNone(talk.ended[0].fault)

    def test_until_reset(self) -> None:
        """A reset is no end."""
        talk, client, backend = self.ask()
        backend.deliver(b"HTTP/1.1 200 OK\r\n\r\nabc")
        backend.reset()
        self.assertFalse(client.sent.endswith(b"0\r\n\r\n"))
        self.assertIsNotNone(talk.ended[0].fault)

    def test_connections_that_are_not_kept(self) -> None:
        """After close, HTTP/1.0, or bytes too many, a connection carries no other request."""
        for answer in (
            OK.replace(b"Date", b"Connection: close\r\nDate"),
            OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
            OK + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged",
            OK + b"garbage",
            OK + b"\r\n\r\nHTTP/1.1 ",
        ):
            _, client, backend = self.ask()
            backend.deliver(answer)
            self.assertTrue(client.sent.endswith(b"ok"), answer)
            self.assertEqual(backend.ended, "closed", answer)

    def test_head_with_a_body(self) -> None:
        """A body that a backend sends to HEAD is not passed on, and not taken for the next response."""
        request = b"HEAD / HTTP/1.1\r\nHost: web.example\r\n\r\n"
        for answer in (OK, OK.replace(b"Content-Length: 2\r\n", b"")):
            _, client, backend = self.ask(request=request)
            backend.deliver(answer)
            self.assertTrue(client.sent.endswith(b"\r\n\r\n"))
            self.assertEqual(backend.ended, "closed")

    def test_unasked_answer(self) -> None:
        """What an idle backend says is thrown away with its connection, so that nobody else gets it."""
        talk, client, backend = self.ask()
        backend.deliver(OK)
        backend.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")
        self.assertEqual(backend.ended, "aborted")
        client.take()
        client.deliver(GET)
        talk.backend().deliver(OK)
        self.assertNotIn(b"forged", client.sent)

    def test_backend_that_does_not_read(self) -> None:
        """One that answers before it has read its request gets no other, which would wait behind the rest of it."""
        talk, client, backend = self.ask(request=POST + b"0123456789")
        backend.producer.pauseProducing()
        backend.deliver(OK)
        self.assertTrue(client.sent.endswith(b"ok"))
        self.assertEqual(backend.ended, "closed")
        client.deliver(GET)
        self.assertEqual(len(talk.connects), 2)

    def test_read_in_time(self) -> None:
        """One that reads again before its response can be kept."""
        _, _, backend = self.ask(request=POST + b"0123456789")
        backend.producer.pauseProducing()
        backend.producer.resumeProducing()
        backend.deliver(OK)
        self.assertEqual(backend.ended, "")

    def test_end_that_does_not_come(self) -> None:
        """A connection that is to end but does not, because its backend reads nothing, is reset after a moment."""
        talk, _, backend = self.ask(request=POST + b"01234")
        backend.deliver(OK)
        self.assertEqual(backend.ended, "closed")
        talk.advance(Limits().linger_seconds + 2)
        self.assertEqual(backend.ended, "aborted")
        backend.settle()
        talk.advance(20)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_rest_of_an_answer(self) -> None:
        """A connection whose response nobody wants is kept if the rest is small and comes; else it ends."""
        for head, rest, ended in (
            (b"Content-Length: 4\r\n\r\n", b"rest", ""),
            (b"Content-Length: 0\r\n\r\n", b"", ""),
            (b"Content-Length: 4\r\n\r\n", b"rest and more", "closed"),
            (b"Content-Length: 4\r\nConnection: close\r\n\r\n", b"rest", "closed"),
            (b"Content-Length: 70000\r\n\r\n", b"", "aborted"),
            (b"Transfer-Encoding: chunked\r\n\r\n", b"", "aborted"),
        ):
            talk = Conversation(to_web(retries=RetryPolicy(1, frozenset(("5xx",)))))
            talk.ask(GET)
            backend = talk.backend()
            backend.deliver(b"HTTP/1.1 503 Busy\r\n" + head)
            if rest:
                backend.deliver(rest)
            self.assertEqual(backend.ended, ended, head)
            self.assertEqual(talk.left["active"], 0, head)

    def test_idle_connection_dies(self) -> None:
        """An idle connection that its backend closes is forgotten."""
        talk, client, backend = self.ask()
        backend.deliver(OK)
        backend.finish()
        client.deliver(GET)
        self.assertEqual(len(talk.connects), 2)

    def test_broken_answers(self) -> None:
        """Answers that break HTTP are answered 502, and their connections are not kept."""
        for answer in (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"HTTP/1.1 99999 Huge\r\n\r\n",
            b"HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 000 x\r\n\r\n",
            b"HTTP/1.1 099 x\r\n\r\n",
            b"HTTP/1.1 200 a\x1bb\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: a\x00b\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
            b"HTTP/1.1 103 Early Hints\r\n\r\n" * 17,
            b"ICY 200 OK\r\n\r\n",
        ):
            talk, client, backend = self.ask()
            backend.deliver(answer)
            final = client.sent[client.sent.rfind(b"HTTP/1.1") :]
            self.assertTrue(final.startswith(b"HTTP/1.1 502 Bad Gateway\r\n"), (answer, client.sent))
            self.assertIn(b"(UPE)", final)
            self.assertEqual(backend.ended, "aborted", answer)
            self.assertEqual(len(talk.ended), 1)

    def test_broken_chunks(self) -> None:
        """A body that breaks its coding is cut off."""
        _, client, backend = self.ask()
        backend.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        backend.deliver(b"xyz\r\n")
        self.assertEqual(client.ended, "closed")
        self.assertNotIn(b"0\r\n\r\n", client.sent)

    def test_head_limits(self) -> None:
        """Heads of responses have limits in bytes and fields."""
        limits = Limits(response_head_bytes=1000, response_fields=10)
        for answer in (
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 1001,
            b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 11 + b"\r\n",
        ):
            _, client, backend = self.ask(limits)
            backend.deliver(answer)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 502 "), client.sent)
            self.assertEqual(backend.ended, "aborted")

    def test_hop_by_hop_fields(self) -> None:
        """What belongs to the backend's connection, or what it names, does not pass; nor does its name."""
        _, client, backend = self.ask()
        backend.deliver(
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\nKeep-Alive: 5\r\n"
            b"Upgrade: h2\r\nServer: nginx\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nDate: today\r\n\r\n"
        )
        head = client.sent
        for name in (b"x-own", b"keep-alive", b"upgrade", b"nginx"):
            self.assertNotIn(name, head)
        self.assertIn(b"set-cookie: a\r\nset-cookie: b\r\ndate: today\r\n", head)
        self.assertEqual(head.count(b"server:"), 1)

    @settings(max_examples=60, deadline=None)
    @given(st.sets(st.integers(1, 150), max_size=10))
    def test_any_cuts(self, cuts: set[int]) -> None:
        """However a response is cut into reads, the client gets the same bytes, but for where chunks are cut."""
        answer = (
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
            b"HTTP/1.1 200 Fine\r\nDate: today\r\nContent-Length: 40\r\nX-Long: value\r\n\r\n" + b"0123456789" * 4
        )
        _, client, backend = self.ask()
        places = sorted({0, *(cut for cut in cuts if cut < len(answer)), len(answer)})
        for start, end in itertools.pairwise(places):
            backend.deliver(answer[start:end])
        self.assertTrue(client.sent.endswith(b"\r\n\r\n" + b"0123456789" * 4))
        self.assertIn(b"HTTP/1.1 200 Fine\r\n", client.sent)
        self.assertIn(b"x-long: value\r\n", client.sent)
        self.assertEqual(backend.ended, "")

    @settings(max_examples=100, deadline=None)
    @given(st.binary(max_size=200))
    def test_noise(self, noise: bytes) -> None:
        """Whatever a backend says, the request ends once, and nothing breaks."""
        talk, _, backend = self.ask()
        backend.deliver(noise)
        if not backend.ended:
            backend.finish()
        self.assertEqual(len(talk.ended), 1)
