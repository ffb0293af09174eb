"""Tests of L{edgegate.http.h2.head_cache}; what is remembered is tested with L{edgegate.http.h2.request_heads}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.head_cache import Fields, FieldsCache
from edgegate.http.head_cache import REMEMBERED
from edgegate.http.request import RequestHead, refused_head


def find(cache: FieldsCache, fields: Fields) -> RequestHead | None:
    """Look for fields."""
    return cache.find(fields, hash(fields))


def came(cache: FieldsCache, fields: Fields, head: RequestHead) -> None:
    """Some came."""
    cache.came(fields, hash(fields), head)


class FieldsCacheTests(SynchronousTestCase):
    """The heads of all connections."""

    def test_second(self) -> None:
        """A head is remembered when it comes for the second time."""
        cache, head, fields = FieldsCache(), refused_head(), ((b"a", b"b"),)
        came(cache, fields, head)
        self.assertIsNone(find(cache, fields))
        came(cache, fields, head)
        self.assertIs(find(cache, fields), head)

    def test_secrets(self) -> None:
        """One that carries what may be a secret is not; whose host is asked for is none."""
        cache, head = FieldsCache(), refused_head()
        for name, remembered in ((b":authority", 1), (b"x-api-key", 1), (b"authorization", 1)):
            for _ in range(3):
                came(cache, ((name, b"b"),), head)
            self.assertEqual(len(cache), remembered, name)

    def test_bounded(self) -> None:
        """The oldest are forgotten; large ones are never remembered, and heads that came once cost next to nothing."""
        cache, head = FieldsCache(), refused_head()
        for number in range(5000):
            fields = ((b"a", b"%d" % number),)
            came(cache, fields, head)
            came(cache, fields, head)
        self.assertLessEqual(cache._size, REMEMBERED)
        self.assertLess(len(cache), 5000)
        self.assertIs(find(cache, ((b"a", b"4999"),)), head)
        self.assertIsNone(find(cache, ((b"a", b"0"),)))
        large = ((b"a", b"x" * 3000),)
        for _ in range(3):
            came(cache, large, head)
        self.assertIsNone(find(cache, large))
        for number in range(5000):
            came(cache, ((b"b", b"%d" % number),), head)
        self.assertLessEqual(len(cache._once), 1024)

    def test_same_hash(self) -> None:
        """Two whose hashes are the same are not taken for each other."""
        cache, first, second = FieldsCache(), refused_head(), refused_head()
        for _ in range(2):
            cache.came(((b"a", b"1"),), 7, first)
        for _ in range(2):
            cache.came(((b"a", b"2"),), 7, second)
        self.assertIs(cache.find(((b"a", b"1"),), 7), first)
        self.assertIsNone(cache.find(((b"a", b"2"),), 7))
