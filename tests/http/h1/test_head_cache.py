"""Tests of L{edgegate.http.h1.head_cache}."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.head_cache import RawHeadCache
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.head_cache import MEMORABLE, REMEMBERED
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead
from edgegate.http.upstream_head import UpstreamHead


def small(number: int, *lines: bytes) -> bytes:
    """Return a head that is another for each number."""
    return b"GET /%d HTTP/1.1\r\nhost: a\r\n%b\r\n" % (number, b"".join(line + b"\r\n" for line in lines))


class HeadMemoryTests(SynchronousTestCase):
    """What is remembered, and how much."""

    def setUp(self) -> None:
        """Make a memory and a parser, which has another."""
        self.memory = RawHeadCache()
        self.parser = HeadParser(Limits())

    def came(self, raw: bytes, times: int = 2) -> RequestHead:
        """Have a head come."""
        head = self.parser.read(raw)
        for _ in range(times):
            self.memory.came(raw, head)
        return head

    def test_twice(self) -> None:
        """One that comes for the second time is remembered, with a body of whatever kind."""
        for lines in ((), (b"content-length: 5",), (b"transfer-encoding: chunked",)):
            raw = small(0, *lines)
            self.came(raw, 1)
            self.assertIsNone(self.memory.find(raw))
            head = self.came(raw, 1)
            self.assertIs(self.memory.find(raw), head)

    def test_never(self) -> None:
        """Long ones are not, nor those that carry a secret."""
        long = b"x: " + b"x" * MEMORABLE
        for line in (long, b"Cookie: a=b", b"authorization: Bearer x", b"Proxy-Authorization: x", b"X-Api-Key: x"):
            self.came(small(0, line), 3)
            self.assertEqual(len(self.memory), 0, line[:20])

    def test_oldest_first(self) -> None:
        """Where there are too many the oldest is forgotten."""
        raws = [small(number) for number in range(2000)]
        heads = [self.came(raw) for raw in raws]
        self.assertIsNone(self.memory.find(raws[0]))
        self.assertIs(self.memory.find(raws[-1]), heads[-1])
        self.assertGreater(len(self.memory), 500)

    def test_bounded(self) -> None:
        """All that is kept of heads stays within the bound, whatever they are like, with what is sent on of them."""
        kinds: dict[str, tuple[bytes, ...]] = {
            "small": (),
            "long": (b"x: " + b"x" * 1900,),
            "many fields": tuple(b"a%02d: xy" % number for number in range(98)),
            "many addresses": (b"x-forwarded-for: 192.0.2.1",) * 60,
        }
        for kind, lines in kinds.items():
            memory = RawHeadCache()
            gc.collect()
            tracemalloc.start()
            try:
                for number in range(2000):
                    raw = small(number, *lines)
                    head = HeadParser(Limits()).read(raw)
                    head.sent = UpstreamHead(b"GET", b"/", b"", "", list(head.fields))
                    head.sent.h1 = b"%b" % raw[:-1]  # as long as it came
                    memory.came(raw, head)
                    memory.came(raw, head)
                gc.collect()  # the gateway's own tests may have it look seldom
                used, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(used, REMEMBERED * 5 // 4, kind)
            self.assertGreater(used, REMEMBERED // 8, kind)

    def test_came_once(self) -> None:
        """Heads that come once leave a number each, and no more than so many."""
        for number in range(3000):
            self.came(small(number), 1)
        self.assertEqual(len(self.memory), 0)
        self.assertLessEqual(len(self.memory._once), 1024)
