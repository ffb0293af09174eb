"""Tests of L{edgegate.routing.hosts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.hosts import HostTable, covers, host_of, intersection, normalise

LABELS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4)
NAMES = LABELS.map(".".join)
PATTERNS = st.one_of(st.just("*"), NAMES, NAMES.map("*.{}".format))


class NormaliseTests(SynchronousTestCase):
    """The one form of host names that stand in files."""

    def test_forms(self) -> None:
        """Case, a final dot and the spelling of other scripts make no difference."""
        for given_name, expected in (
            ("Shop.Example.", "shop.example"),
            (" shop.example ", "shop.example"),
            ("*.Shop.example", "*.shop.example"),
            ("*", "*"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.BÜCHER.example", "*.xn--bcher-kva.example"),
            ("tcp_echo.default", "tcp_echo.default"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "[::1]"),
            ("[0:0::1]", "[::1]"),
        ):
            self.assertEqual(normalise(given_name), expected)

    def test_refused(self) -> None:
        """What can be no host name or pattern is refused: ports, paths, wildcards elsewhere than in front."""
        for name in (
            *("", ".", "a..b", ".a", "a b", "shop.example:80", "http://shop", "ns/shop", "*shop.example", "a.*.b"),
            *(
                "*..",
                "*.*",
                "**",
                "a" * 254,
                "*." + "a" * 252,
                "[::1",
                "[:::1]",
                "*.::1",
                "bü cher",
                "ü" * 64,
                "\ud800",
            ),
        ):
            self.assertRaises(ValueError, normalise, name)

    @given(st.text(max_size=300))
    def test_stable(self, name: str) -> None:
        """A name in normal form stays as it is."""
        try:
            normal = normalise(name)
        except ValueError:
            return
        self.assertEqual(normalise(normal), normal)


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


class PatternTests(SynchronousTestCase):
    """What wildcards cover."""

    def test_covers(self) -> None:
        """A wildcard stands for one or more labels, never for none."""
        for pattern, name, expected in (
            ("*", "a.b", True),
            ("*", "*", True),
            ("*", "*.b", True),
            ("*.b", "a.b", True),
            ("*.b", "x.a.b", True),
            ("*.b", "*.a.b", True),
            ("*.b", "b", False),
            ("*.b", ".b", False),
            ("*.b", "ab", False),
            ("*.b", "*", False),
            ("a.b", "a.b", True),
            ("a.b", "*.b", False),
        ):
            self.assertEqual(covers(pattern, name), expected, (pattern, name))

    def test_intersection(self) -> None:
        """What two patterns have in common is the narrower one."""
        self.assertEqual(intersection("*.foo.com", "a.foo.com"), "a.foo.com")
        self.assertEqual(intersection("a.foo.com", "*"), "a.foo.com")
        self.assertEqual(intersection("*.foo.com", "*.b.foo.com"), "*.b.foo.com")
        self.assertIsNone(intersection("*.foo.com", "foo.com"))
        self.assertIsNone(intersection("a.foo.com", "b.foo.com"))

    @given(PATTERNS, PATTERNS, NAMES)
    def test_both(self, one: str, other: str, name: str) -> None:
        """The intersection matches exactly the names that both match."""
        found = intersection(one, other)
        self.assertEqual(found is not None and covers(found, name), covers(one, name) and covers(other, name))
        self.assertEqual(found, intersection(other, one))


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
