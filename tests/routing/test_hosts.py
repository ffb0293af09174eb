"""Tests of L{edgegate.routing.hosts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.hosts import covers
from edgegate.routing.hosts import HostTable, host_of
from tests.model.test_hosts import NAMES, PATTERNS


class HostOfTests(SynchronousTestCase):
    """The host of what clients send."""

    def test_forms(self) -> None:
        """The port, the case and a final dot are no part of the host."""
        for authority, expected in (
            (b"Shop.Example", "shop.example"),
            (b"shop.example.:8443", "shop.example"),
            (b"shop.example:", "shop.example"),
            (b"127.0.0.1:80", "127.0.0.1"),
            (b"[::1]:80", "[::1]"),
            (b"[FE80::1]", "[fe80::1]"),
            (b"a" * 253 + b".", "a" * 253),
        ):
            self.assertEqual(host_of(authority), expected)

    def test_refused(self) -> None:
        """Nothing passes that another reader could take for another host."""
        for authority in (
            *(
                b"",
                b".",
                b":80",
                b"a..b",
                b"a..",
                b"..",
                b".a",
                b"a b",
                b"a\tb",
                b"a/b",
                b"a\\b",
                b"a@b",
                b"a?b",
                b"a#b",
            ),
            *(b"a:80:80", b"a:-1", b"a:65536", b"a:123456", b"a:x", b"a: 80", b"\xc3\xbc", b"a%2eb", b"a\x00"),
            *(b"[::1", b"[]", b"[::1]80", b"[::1]:x", b"[g]", b"::1", b"a" * 254),
        ):
            self.assertRaises(ValueError, host_of, authority)

    @given(st.binary(max_size=300))
    def test_never_else(self, authority: bytes) -> None:
        """Whatever comes, the answer is a host in normal form or a refusal."""
        try:
            host = host_of(authority)
        except ValueError:
            return
        self.assertEqual(host_of(host.encode("ascii")), host)


class HostTableTests(SynchronousTestCase):
    """Tables of host names."""

    def test_narrowest(self) -> None:
        """The exact name wins, then the longest wildcard, then the catch-all."""
        table = HostTable([("*", 1), ("*.b", 2), ("*.a.b", 3), ("x.a.b", 4)])
        for name, expected in (("x.a.b", 4), ("y.a.b", 3), ("z.y.a.b", 3), ("a.b", 2), ("b", 1), ("", 1), (".b", 1)):
            self.assertEqual(table.lookup(name), expected, name)
        self.assertEqual(len(table), 4)
        self.assertIn("*.b", table)
        self.assertNotIn("*.x", table)
        self.assertEqual(repr(table), "HostTable({'x.a.b': 4, '*.b': 2, '*.a.b': 3, '*': 1})")

    def test_twice(self) -> None:
        """One pattern cannot belong to two."""
        for pattern in ("*", "*.a", "a"):
            self.assertRaises(ValueError, HostTable, [(pattern, 1), (pattern, 2)])

    def test_empty(self) -> None:
        """Without a catch-all, unknown names find nothing."""
        self.assertIsNone(HostTable([("a", 1)]).lookup(""))
        self.assertIsNone(HostTable[int]().lookup("a"))
        self.assertNotIn("*", HostTable[int]())

    def test_equal(self) -> None:
        """Tables with the same content are equal, in whatever order it came."""
        self.assertEqual(HostTable([("a", 1), ("*", 2)]), HostTable([("*", 2), ("a", 1)]))
        self.assertNotEqual(HostTable([("a", 1)]), HostTable([("a", 2)]))

    @given(st.sets(PATTERNS), NAMES)
    def test_as_covers(self, patterns: set[str], name: str) -> None:
        """A lookup finds the longest of all patterns that cover a name."""
        table = HostTable((pattern, pattern) for pattern in patterns)
        fitting = [pattern for pattern in patterns if covers(pattern, name)]
        best = max(fitting, key=lambda pattern: (pattern == name, len(pattern)), default=None)
        self.assertEqual(table.lookup(name), best)
