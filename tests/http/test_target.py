"""Tests of L{edgegate.http.target}."""

from __future__ import annotations

import re

from hypothesis import example, given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.request import HostMemory, RequestRefused, h1_head
from edgegate.http.target import PathNormalisation, normal_path

NONE, BASE, MERGE, DECODE = PathNormalisation

SAME = (
    b"/",
    b"/xyz",
    b"/x/y/z/",
    b"/A/B/C",
    b"//a",
    b"/a//b",
    b"/a;v=1,2/b:c@d!$&'()*+=[]~_-",
    b"/.well-known/acme-challenge/x",
    b"/...",
    b"/..a/.b/c..",
    b"/%c0%af",
    b"/%C3%bc",
    b"/%5c%25",
    b"/a/%2F%2f/c",
    b"/..%2fa",
    b"/%252e%252e/a",
    b"/a%20b%3fc%23",
)
"""Paths that C{BASE} leaves as they are."""

RESOLVED = (
    (b"/a/b/../c", b"/a/c"),
    (b"/..;/a", b"/a"),
    (b"/e/x/..;a=b/y", b"/e/y"),
    (b"/x/..;a=b/y", b"/y"),
    (b"/x/.;/../e", b"/e"),
    (b"/a/..;", b"/"),
    (b"/a/.;x", b"/a/"),
    (b"/a/b/..;x/..;y/c", b"/c"),
    (b"/a/..;b=c;d/../e", b"/e"),
    (b"/a/%2e%2E;x/b", b"/b"),
    (b"/a/.;x=%2f/b", b"/a/b"),
    (b"/a\\..;x\\b", b"/b"),
    (b"/a/b/./c", b"/a/b/c"),
    (b"/a/b/../../../../c", b"/c"),
    (b"/../a/b", b"/a/b"),
    (b"/./a/b", b"/a/b"),
    (b"/..", b"/"),
    (b"/.", b"/"),
    (b"//..", b"/"),
    (b"/a/..", b"/"),
    (b"/a/b/..", b"/a/"),
    (b"/a/b/.", b"/a/b/"),
    (b"/a//../b", b"/a/b"),
    (b"/a/..\\c", b"/c"),
    (b"/a\\b", b"/a/b"),
    (b"/\\a", b"//a"),
    (b"/a/b/%2E%2E/c", b"/a/c"),
    (b"/a/b/%2e./c", b"/a/c"),
    (b"/a/b/.%2e/c", b"/a/c"),
    (b"/a/b/%2E/c", b"/a/b/c"),
    (b"/%7Euser/%61%42%30%2d%5F", b"/~user/aB0-_"),
    (b"/%41%2f%61", b"/A%2fa"),
    (b'/a"<>^`{|}b', b"/a%22%3C%3E%5E%60%7B%7C%7Db"),
)
"""Paths with what C{BASE} makes of them."""

BAD = (b"/%00", b"/a%00b", b"/xyz/.%00../abc", b"/%", b"/%4", b"/%zz", b"/%4g/", b"/%%0000", b"/%%32e", b"/%u0041")

pieces = st.lists(
    st.sampled_from([*b'/.\\%ab27eEfFcC50~;:{|" ', b"/../", b"%2e", b"%2F", b"%5c", b"%25", b"%41", b"//", b"%3f"]).map(
        lambda piece: piece if isinstance(piece, bytes) else bytes([piece])
    ),
    max_size=24,
).map(lambda found: b"/" + b"".join(found))


class NormalPathTests(SynchronousTestCase):
    """The form in which a path is matched and sent on."""

    def test_base(self) -> None:
        """Istio's default: dot segments and backslashes are resolved, slashes and their escapes are left."""
        for path in SAME:
            self.assertEqual(normal_path(path, BASE), path)
        for path, expected in RESOLVED:
            self.assertEqual(normal_path(path, BASE), expected, path)

    def test_merged(self) -> None:
        """Several slashes are one, at every place of the path."""
        for path, expected in (
            (b"/a//b/c/", b"/a/b/c/"),
            (b"//a/b/c", b"/a/b/c"),
            (b"/a/b/c//", b"/a/b/c/"),
            (b"/a////b/c", b"/a/b/c"),
            (b"/a\\\\b", b"/a/b"),
            (b"/a//../b", b"/a/b"),
            (b"/a/%2f/c", b"/a/%2f/c"),
            (b"//", b"/"),
        ):
            self.assertEqual(normal_path(path, MERGE), expected, path)

    def test_decoded(self) -> None:
        """Escaped slashes and backslashes are slashes, once: what was escaped twice stays escaped."""
        for path, expected in (
            (b"/%2f%2F", b"/"),
            (b"/a%2Fb%2fc/", b"/a/b/c/"),
            (b"/a%5cb%5C", b"/a/b/"),
            (b"/a/b%2f..%2fc", b"/a/c"),
            (b"/some%2fdata/%61%62%63", b"/some/data/abc"),
            (b"/..%5c..%2f%2e%2e/a", b"/a"),
            (b"/a%252fb", b"/a%252fb"),
            (b"/%2b", b"/%2b"),
        ):
            self.assertEqual(normal_path(path, DECODE), expected, path)

    def test_none(self) -> None:
        """Nothing is done."""
        for path in (*SAME, *(path for path, _ in RESOLVED), b"/%zz", b"/a//%2f"):
            self.assertEqual(normal_path(path, NONE), path)

    def test_bad(self) -> None:
        """An escape that is none is refused, and NUL even where nothing is done to paths."""
        for path in BAD:
            for how in (BASE, MERGE, DECODE):
                self.assertRaises(ValueError, normal_path, path, how)
        for path in BAD[:3]:
            self.assertRaises(ValueError, normal_path, path, NONE)

    @given(pieces, st.sampled_from([BASE, MERGE, DECODE]))
    @example(b"/%%2f2e", DECODE)
    @example(b"/%2%66", DECODE)
    @example(b"/a/%2e%2e//..", MERGE)
    def test_every_path(self, path: bytes, how: PathNormalisation) -> None:
        """
        Whatever is written: no dot segment is left, the form of a form is itself, and it is only longer by the
        escapes of what has no place in a path.
        """
        try:
            normal = normal_path(path, how)
        except ValueError:
            self.assertTrue(re.search(rb"%(?![0-9A-Fa-f]{2})|%00", path) or how is DECODE, path)
            return
        self.assertEqual(normal_path(normal, how), normal)
        self.assertEqual(normal[:1], b"/")
        segments = re.sub(rb"(?i)%2e", b".", normal).split(b"/")
        self.assertFalse({b".", b".."}.intersection(segments))
        self.assertNotIn(b"\\", normal)
        self.assertLessEqual(len(normal), len(path) + 2 * len(re.findall(rb'[{|" ]', path)))
        if how is not BASE:
            self.assertNotIn(b"//", normal)
        if how is DECODE:
            self.assertIsNone(re.search(rb"(?i)%2f|%5c", normal))

    @given(
        pieces, st.sampled_from([b"", b"?", b"?a=%2e%2e/../\\//%zz%00", b"?a?b"]), st.sampled_from([*PathNormalisation])
    )
    def test_as_matched(self, path: bytes, query: bytes, how: PathNormalisation) -> None:
        """What is sent on is what was matched, and the query as it came; in absolute form, too."""
        for prefix in (b"", b"http://b.example"):
            try:
                head = h1_head(b"GET", prefix + path + query, "1.1", True, [(b"host", b"a")], HostMemory(), how)
            except RequestRefused as refused:
                self.assertEqual(refused.fault.status, 400)
                continue
            self.assertEqual(head.target, head.path + query)
            self.assertEqual(head.path, normal_path(path, how))
