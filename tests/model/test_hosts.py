"""Tests of L{edgegate.model.hosts}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.hosts import covers, intersection, is_partial, normalise, subset_of

LABELS = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4)
NAMES = LABELS.map(".".join)
PATTERNS = st.one_of(st.just("*"), NAMES, NAMES.map("*.{}".format), NAMES.map("*{}".format))


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
            ("fe80::1%eth0", "[fe80::1]"),
            ("*Shop.example", "*shop.example"),
            ("*-V1.Shop.example.", "*-v1.shop.example"),
        ):
            self.assertEqual(normalise(given_name), expected)

    def test_refused(self) -> None:
        """What can be no host name or pattern is refused: ports, paths, wildcards elsewhere than in front."""
        for name in (
            *("", ".", "a..b", ".a", "a b", "shop.example:80", "http://shop", "ns/shop", "a*.b", "a.*.b"),
            *(
                "*..",
                "*.*",
                "*a*",
                "*ü.b",
                "*::1",
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
            ("*b.c", "ab.c", True),
            ("*b.c", "a.b.c", True),
            ("*b.c", "*.b.c", True),
            ("*b.c", "b.c", False),
            ("*b.c", "*.c", False),
            ("*-b.c", "a-b.c", True),
            ("*-b.c", "-b.c", False),
        ):
            self.assertEqual(covers(pattern, name), expected, (pattern, name))

    def test_intersection(self) -> None:
        """What two patterns have in common is the narrower one."""
        self.assertEqual(intersection("*.foo.com", "a.foo.com"), "a.foo.com")
        self.assertEqual(intersection("a.foo.com", "*"), "a.foo.com")
        self.assertEqual(intersection("*.foo.com", "*.b.foo.com"), "*.b.foo.com")
        self.assertEqual(intersection("*foo.com", "*.foo.com"), "*.foo.com")
        self.assertEqual(intersection("foo.com", "*foo.com"), "foo.com")
        self.assertEqual(intersection("*-v1.foo.com", "*-v2.foo.com"), None)
        self.assertIsNone(intersection("*.foo.com", "foo.com"))
        self.assertIsNone(intersection("a.foo.com", "b.foo.com"))

    @given(PATTERNS, PATTERNS, NAMES)
    def test_both(self, one: str, other: str, name: str) -> None:
        """The intersection holds exactly the names that lie within both."""
        found = intersection(one, other)
        both = subset_of(name, one) and subset_of(name, other)
        self.assertEqual(found is not None and subset_of(name, found), both)
        self.assertEqual(found, intersection(other, one))


class PartialTests(SynchronousTestCase):
    """Wildcards that stand for a part of a label."""

    def test_is_partial(self) -> None:
        """They are told from others."""
        for pattern, expected in (("*", False), ("*.b", False), ("a.b", False), ("*b", True), ("*-a.b", True)):
            self.assertEqual(is_partial(pattern), expected, pattern)

    @given(PATTERNS, NAMES)
    def test_covered_is_within(self, pattern: str, name: str) -> None:
        """What a request finds lies within, and all that lies within is found but the name after the wildcard."""
        self.assertEqual(covers(pattern, name), subset_of(name, pattern) and pattern != f"*{name}")
