"""What a request on the hot path makes and leaves, counted in a conversation without sockets."""

from __future__ import annotations

import gc
import re
import sys
import tracemalloc
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http import forwarded, request
from edgegate.http.exchange import Exchange
from edgegate.http.recent_requests import RecentRequests
from edgegate.http.router.router import Router
from edgegate.http.router.upstream_request import UpstreamRequest
from edgegate.http.upstream_head import UpstreamHead
from edgegate.model.guards.address_list import AddressList
from edgegate.model.tracing import SpanFormat, Tracing, TracingProvider
from edgegate.net.addresses import ConnectionInfo
from edgegate.observe.log_tap import LogFilter, LogTap
from edgegate.observe.tap import Tap, TapFilter
from edgegate.observe.tracing.otlp import OTLPWriter
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.tracer import Tracer
from edgegate.version import compiled
from tests.access.test_address_list import addresses
from tests.http.conversation import Conversation, FakeStream
from tests.http.guards.guards import ORIGIN, guarded
from tests.http.h1.test_plain_heads import FIREFOX
from tests.observe.test_tap import Reader

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REQUESTS = 1000

NEW_CALLS = 19
"""How many more they are where the head is one of a browser that was not there before, with a cookie of its own."""

CALLS = 70
"""Python functions of ours that a request and its answer go through, at the most; lower it with what they lose."""

TRACE_CALLS = 18
"""How many more they are where requests are traced, and this one is not sampled."""

RECENT_CALLS = 19
"""How many more they are where requests are kept: to tell of beginning, try and end, and to make what is kept."""

RECENT_BYTES = 1500
"""Bytes of memory that a small request which is kept needs, at the most."""

GUARD_CALLS = 10
"""How many more they are where a list of addresses stands on the host."""

SPAN_CALLS = 87
"""How many more they are where it is sampled, and its two spans are written as OTLP has them."""

_TRACES = re.compile(r"trac(e|er|ing)\.py$|/tracing/")
_HEADS = (request.checked_head.__code__, request.RequestHead.with_target.__code__)
_NEW = [Exchange.__init__.__code__, Router.__init__.__code__, UpstreamRequest.__init__.__code__]


class Kept:
    """A client and a backend whose connections are kept, and have carried some requests already."""

    def __init__(self, *observers: Any, downstream: ConnectionInfo | None = None) -> None:
        """
        @param observers: Are told of them.
        @param downstream: The client's connection; L{None}: one in the clear to a gateway without guards.
        """
        self.conversation = Conversation(observers=observers)
        self.client = self.conversation.client(downstream)
        self.client.deliver(self.request(0))
        self.backend: FakeStream = self.conversation.backend()
        self.answer()
        for _ in range(10):
            self.ask(0)

    @staticmethod
    def request(number: int) -> bytes:
        """Return a request; those with another number have another head."""
        return b"GET /%d HTTP/1.1\r\nhost: web.example\r\nuser-agent: test\r\n\r\n" % number

    def answer(self) -> None:
        """Have the backend answer, and throw away what was said."""
        self.backend.deliver(ANSWER)
        self.backend.writes.clear()
        self.client.writes.clear()
        self.conversation.ended.clear()

    def ask(self, number: int) -> None:
        """Ask, and have it answered."""
        self.client.deliver(self.request(number))
        self.answer()

    def left(self) -> int:
        """Return how many blocks of memory L{REQUESTS} of the same request leave behind."""
        gc.collect()
        gc.disable()
        try:
            before = sys.getallocatedblocks()
            for _ in range(REQUESTS):
                self.ask(0)
            return sys.getallocatedblocks() - before
        finally:
            gc.enable()

    def calls(self, number: int) -> Counter[CodeType]:
        """Ask, and return how often each function of the package was called meanwhile, those that are generated too."""
        seen: Counter[CodeType] = Counter()

        def called(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and frame.f_globals.get("__name__", "").startswith("edgegate."):
                seen[frame.f_code] += 1

        if len(forwarded._made) < 8:
            # they are made many at a time, which is to happen in none of the requests that are compared
            forwarded._made.extend(forwarded._batch())
        before = sys.getprofile()
        sys.setprofile(called)
        try:
            self.ask(number)
        finally:
            sys.setprofile(before)
        return seen


class Browsing(Kept):
    """A browser that asks for other things each time, by the fields that all of them send."""

    @staticmethod
    def request(number: int) -> bytes:
        """Return a request; those with another number have another path and cookie."""
        raw = FIREFOX.replace(b"/items/4711", b"/items/%d" % number).replace(b"api.example.com", b"web.example")
        return raw.replace(b"session=", b"session=%d" % number)


class ObjectsTests(SynchronousTestCase):
    """Requests on kept connections."""

    if compiled():
        skip = "compiled functions cannot be counted, nor take fakes"

    def test_made(self) -> None:
        """A request makes one exchange, one router and one try, and no other object of ours."""
        made = {code: count for code, count in Kept().calls(0).items() if code.co_name == "__init__"}
        self.assertEqual(made, dict.fromkeys(_NEW, 1))

    def test_heads(self) -> None:
        """A head that was just there is not made again; another one is made once."""
        kept = Kept()
        seen = [kept.calls(number) for number in (0, 1, 1, 2)]
        self.assertEqual([sum(each[code] for code in _HEADS) for each in seen], [0, 1, 0, 1])

    def test_new_heads(self) -> None:
        """
        A head whose path and cookie were not there before goes through few functions more, and none for each line.

        It makes one head for the backend; llhttp is not asked.
        """
        kept = Browsing()
        for number in (1, 2, 3):
            kept.ask(number)
        more = kept.calls(4)
        more.subtract(kept.calls(4))
        names = Counter({code.co_name: count for code, count in more.items() if count > 0})
        self.assertLessEqual(names.total(), NEW_CALLS, names)
        made = [code for code, count in more.items() if code.co_name == "__init__" for _ in range(count)]
        self.assertEqual(made, [UpstreamHead.__init__.__code__])
        self.assertFalse([name for name in names if name.startswith("on_")])

    def test_calls(self) -> None:
        """A request whose head was just there goes through no more functions than it used to."""
        seen = Kept().calls(0)
        self.assertLessEqual(seen.total(), CALLS, "\n".join(f"{n} {c.co_name}" for c, n in seen.most_common()))

    def test_bodies(self) -> None:
        """Nothing looks at bodies for messages of gRPC that has not to."""
        files = ("body_filter.py", "grpc.py", "grpc_messages.py", "grpc_web.py")
        seen = [code.co_name for code in Kept().calls(0) if code.co_filename.endswith(files)]
        self.assertEqual(seen, [])

    def test_guards(self) -> None:
        """Nothing asks for guards where there are none; a list of addresses costs few calls."""
        before = Kept().calls(0)
        files = re.compile("/(guards|access)/|iteration.py$|guarded_resource.py$")
        self.assertEqual([code.co_name for code in before if files.search(code.co_filename)], [])
        self.assertFalse([code for code in before if code.co_name == "guards_of"])
        guard = AddressList("n/a", ORIGIN, deny=addresses("198.51.100.0/24"))
        during = Kept(downstream=guarded(guard)).calls(0)
        self.assertLessEqual((during - before).total(), GUARD_CALLS, (during - before).most_common())

    def test_taps(self) -> None:
        """A request goes through what it went through before anybody tapped; a tap costs three calls."""
        kept = Kept()
        observer, reader = kept.conversation.environment.observer, Reader()
        before = kept.calls(0)
        tap = Tap(TapFilter(status="5xx"), reader.take)
        observer.add(tap)
        during = kept.calls(0)
        observer.remove(tap)
        self.assertEqual(kept.calls(0), before)
        self.assertFalse([code for code in before if code.co_filename.endswith("/tap.py")])
        self.assertEqual(sorted(code.co_name for code in during - before), ["_has_status", "request_ended", "wants"])
        self.assertEqual(reader.shown, [])

    def test_followers(self) -> None:
        """So it does before anybody follows the access log, and when nobody does any more."""
        kept = Kept()
        observer = kept.conversation.environment.observer
        before = kept.calls(0)
        tap = LogTap(LogFilter(statuses=(500, 599)), Reader().take, lambda ended, at, ahead: "")
        observer.add(tap)
        during = kept.calls(0)
        observer.remove(tap)
        self.assertEqual(kept.calls(0), before)
        self.assertEqual(
            sorted(code.co_name for code in during - before),
            ["_ended", "_wants", "request_ended", "response_flags", "wants"],
        )

    def test_recent(self) -> None:
        """Nothing is called to keep requests where none are kept; where some are it is little, in time and memory."""
        files = ("recent_requests.py", "explained_response.py")
        seen = [code.co_name for code in Kept().calls(0) if code.co_filename.endswith(files)]
        self.assertEqual(seen, [])
        kept = Kept(RecentRequests(REQUESTS))
        more = kept.calls(0)
        more.subtract(Kept().calls(0))
        self.assertLessEqual(more.total(), RECENT_CALLS, {code.co_name: count for code, count in more.items() if count})
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for _ in range(REQUESTS):
                kept.ask(0)
            used = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        self.assertLessEqual(used / REQUESTS, RECENT_BYTES)

    def test_traces(self) -> None:
        """Where nothing is traced nothing is called for it; where a request is not sampled it is little."""

        def called(kept: Kept) -> list[str]:
            return [code.co_name for code in kept.calls(0) if _TRACES.search(code.co_filename)]

        self.assertEqual(called(Kept()), [])
        provider = TracingProvider(SpanFormat.OTLP, "http://collector.example/")
        unsampled = Tracer(Tracing(provider, 0), lambda span: b"", lambda written: None, Sampler(0))
        kept = Kept(unsampled)
        self.assertLessEqual(kept.calls(0).total(), Kept().calls(0).total() + TRACE_CALLS, called(kept))
        spans: list[bytes] = []
        writer = OTLPWriter([])
        sampled = Kept(Tracer(Tracing(provider, 100), writer.span, spans.append, Sampler(100)))
        spans.clear()
        count = sampled.calls(0).total()
        self.assertEqual(len(spans), 2)
        self.assertLessEqual(count, Kept().calls(0).total() + SPAN_CALLS, called(sampled))

    def test_left(self) -> None:
        """A thousand requests leave nothing behind in memory."""
        # less than one each; threads that other tests have left may hold some of their own
        self.assertLess(Kept().left(), REQUESTS // 2)
