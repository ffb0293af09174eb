"""Tests of L{edgegate.http.h1.rest_cache}; that heads are read as by llhttp is tested in L{test_plain_heads}."""

from __future__ import annotations

import gc
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.rest_cache import RestCache
from edgegate.http.head_cache import MEMORABLE, REMEMBERED
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead


def rest_of(*lines: bytes) -> bytes:
    """Return what stands behind a first line."""
    return b"".join([b"\r\n" + line for line in (b"Host: a", *lines, b"", b"")])


class RestCacheTests(SynchronousTestCase):
    """What is remembered, and how much."""

    def setUp(self) -> None:
        """Make a memory."""
        self.rests = RestCache()

    def head(self, rest: bytes, cookie: bytes = b"secret") -> RequestHead:
        """Return a head that ends with its cookie."""
        head = HeadParser(Limits()).plain(b"GET /private" + b" HTTP/1.1" + rest[:-2] + b"Cookie: %b\r\n\r\n" % cookie)
        assert head is not None
        return head

    def came(self, rest: bytes, times: int = 2) -> int:
        """Have it come with a cookie behind it; return where that stood."""
        at = len(rest) - 4
        for _ in range(times):
            self.rests.came(rest, at, self.head(rest))
        return at

    def test_twice(self) -> None:
        """One that comes for the second time is remembered, for heads whose cookie stands in the same place."""
        rest = rest_of(b"X-A: b")
        at = self.came(rest, 1)
        self.assertIsNone(self.rests.find(rest, at))
        self.came(rest, 1)
        found = self.rests.find(rest, at)
        assert found is not None
        self.assertIsNone(self.rests.find(rest, 0))
        self.assertEqual(found.head.fields, [(b"x-a", b"b")])
        found.give_cookie(found.head, b"c=d")
        self.assertEqual(found.head.fields, [(b"x-a", b"b"), (b"cookie", b"c=d")])
        assert found.head.lines is not None
        self.assertEqual(b"".join(found.head.lines), b"x-a: b\r\ncookie: c=d\r\n")

    def test_secrets(self) -> None:
        """The cookie of the head that came is not kept, nor its target, nor what has another secret."""
        rest = rest_of()
        at = self.came(rest)
        found = self.rests.find(rest, at)
        assert found is not None
        for name in RequestHead.__slots__:
            self.assertNotIn("secret", repr(getattr(found.head, name)))
            self.assertNotIn("private", repr(getattr(found.head, name)))
        for lines in (
            (b"Authorization: b",),
            (b"cookie: b",),
            (b"X-CSRF-Token: b",),
            (b"X-Api-Key: b",),
            (b"x: " + b"x" * MEMORABLE,),
        ):
            rest = rest_of(*lines)
            self.assertIsNone(self.rests.find(rest, self.came(rest, 3)))

    def test_bounded(self) -> None:
        """All that is kept stays within the bound."""
        for kind, lines in {"few": (), "long": (b"x: " + b"x" * 1900,), "many": (b"a: b",) * 90}.items():
            self.rests = RestCache()
            gc.collect()
            tracemalloc.start()
            try:
                for number in range(1500):
                    self.came(rest_of(b"Accept: %d" % number, *lines))
                gc.collect()
                used, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertLess(used, REMEMBERED * 5 // 4, kind)
            self.assertGreater(used, REMEMBERED // 8, kind)
