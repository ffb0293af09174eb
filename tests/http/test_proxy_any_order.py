"""Tests for L{edgegate.http.router.router}: whatever the order of what happens, a request ends once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.limits import Limits
from edgegate.model.policies import Mirror, RetryPolicy
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, to_web
from tests.http.h1.test_downstream_connection import GET, OK, POST
from tests.http.test_proxy_retries import BUSY, CHUNKED

EVENTS = st.lists(
    st.sampled_from(
        ("body", "connect", "refuse", "ok", "busy", "part", "cut", "reset", "wait", "mirror", "stop", "go", "leave")
    ),
    max_size=30,
)


ROUNDS = 6
"""More than the tries of a request, each of which may begin when the one before has failed."""


class AnyOrderTests(SynchronousTestCase):
    """Whatever happens, in whatever order."""

    def all_gone(self, talk: Conversation, streams: list[FakeStream]) -> None:
        """Whatever is awaited comes to its end, but for the client, who waits: backends refuse or close."""
        for stream in streams:
            if not stream.over and stream.producer is not None:
                stream.producer.resumeProducing()
        for connect in talk.connects:
            if connect.pending:
                connect.failed(CONNECT_REFUSED)
        for stream in streams:
            stream.finish()
            stream.settle()
        talk.advance(1)

    @settings(max_examples=300, deadline=None)
    @given(EVENTS, st.booleans(), st.booleans(), st.booleans())
    def test_one_end(self, events: list[str], chunked: bool, limited: bool, kept: bool) -> None:
        """A request ends once, with one answer or a cut, and leaves nothing behind."""
        policy = RetryPolicy(3, frozenset(("5xx", "reset")), per_try_timeout=1.0 if limited else None)
        route = to_web(retries=policy, timeout=3.0 if limited else None, mirrors=(Mirror("mirror"),))
        talk = Conversation(route, endpoints=2, limits=Limits(upload_bytes=8))
        streams: list[FakeStream] = []
        if kept:
            talk.ask(GET).finish()
            streams += [connect.accept() for connect in talk.connects if connect.pending]
            for stream in streams:
                stream.deliver(OK)
        before = len(talk.ended)
        client = talk.ask(CHUNKED if chunked else POST.replace(b"POST", b"PUT"))
        sent = 0
        for event in events:
            live = [stream for stream in streams if not stream.over and not stream.ended]
            pending = [connect for connect in talk.connects if connect.pending]
            if event == "body" and sent < 5 and not client.over and not client.ended and client.reading:
                sent += 1
                last = b"0\r\n\r\n" if sent == 5 else b""
                client.deliver(b"2\r\nxx\r\n" + last if chunked else b"xx")
            elif event == "connect" and pending:
                streams.append(pending[0].accept())
            elif event == "refuse" and pending:
                pending[0].failed(CONNECT_REFUSED)
            elif event in ("ok", "busy", "part") and live and live[-1].reading:
                live[-1].deliver({"ok": OK, "busy": BUSY, "part": OK[:-1]}[event])
            elif event in ("cut", "reset") and live:
                live[0].finish() if event == "cut" else live[-1].reset()
            elif event == "mirror" and live:
                live[0].deliver(OK)
            elif event in ("stop", "go") and live and live[-1].producer is not None:
                (live[-1].producer.pauseProducing if event == "stop" else live[-1].producer.resumeProducing)()
            elif event == "wait":
                talk.clock.pump([0.3] * 4)
            elif event == "leave" and not client.over:
                client.finish()
            for stream in streams:
                stream.settle()
        for _ in range(ROUNDS):
            self.all_gone(talk, streams)
        self.assertEqual(len(talk.ended), before + 1, "a request hangs for as long as its client stays")
        client.finish()
        self.assertEqual(len(talk.ended), before + 1)
        self.assertLessEqual(client.sent.count(b"HTTP/1.1 "), 1)
        self.assertEqual(talk.left, NOTHING_LEFT)
        talk.advance(60)
        self.assertEqual(talk.clock.getDelayedCalls(), [])
