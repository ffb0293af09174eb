"""Tests for L{edgegate.model.actions}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.actions import REQUEST_PORT, NewPath, Redirect, RequestChanges, Substitution, path_for
from edgegate.model.headers import HeaderChanges
from edgegate.model.matching import Kind, StringMatch


class NewPathTests(SynchronousTestCase):
    """Paths that replace others."""

    def test_whole(self) -> None:
        """The path is replaced, and the query stays; where it does not, the new path is all."""
        for text, target, new in (
            (b"/new", b"/old/a?b=c", b"/new?b=c"),
            (b"/new", b"/old", b"/new"),
            (b"/new", b"/old?", b"/new?"),
            (b"new", b"/old", b"/new"),
            (b"/new?x=1", b"/old?b=c", b"/new?x=1?b=c"),
            (b"/new#part", b"/old?b=c", b"/new#part?b=c"),
        ):
            self.assertEqual(NewPath(text).of(target), new, (text, target))
        for target in (b"/old?b=c", b"/old"):
            self.assertEqual(NewPath(b"/new?x=1", whole=True).of(target), b"/new?x=1")

    def test_prefix(self) -> None:
        """Only the prefix is; what stands behind it is pasted as it is, slashes and query (Envoy)."""
        for prefix, text, target, new in (
            (b"/a", b"/b", b"/a/c?d", b"/b/c?d"),
            (b"/a", b"/b", b"/a", b"/b"),
            (b"/a", b"/", b"/a/c", b"//c"),
            (b"/a/", b"/", b"/a/c", b"/c"),
            (b"/a/", b"/b", b"/a/c", b"/bc"),
            (b"/a", b"/b?x=1", b"/a/c?d", b"/b?x=1/c?d"),
            (b"/a/", b"/b", b"/a/", b"/b"),
            (b"/a", b"/", b"/a", b"/"),
            (b"/a", b"/", b"/ab", b"/b"),
            (b"/a", b"/b", b"/acd", b"/bcd"),
            (b"/", b"/b", b"/c", b"/bc"),
            (b"/", b"/b/", b"/c", b"/b/c"),
        ):
            self.assertEqual(NewPath(text, prefix).of(target), new, (prefix, text, target))

    @given(st.binary(max_size=9), st.binary(max_size=9), st.binary(max_size=9))
    def test_always_a_path(self, text: bytes, rest: bytes, query: bytes) -> None:
        """Whatever is replaced by whatever, a path begins with a slash, and the query stays."""
        text, rest = text.replace(b"?", b""), rest.replace(b"?", b"")
        for path in (NewPath(text), NewPath(text, b"/a")):
            new = path.of(b"/a" + rest + b"?" + query)
            self.assertTrue(new.startswith(b"/"))
            self.assertTrue(new.endswith(b"?" + query))

    def test_for_matches(self) -> None:
        """A prefix that matched is replaced; of any other condition the whole path; of none the root."""
        path = NewPath(b"/n", b"/")
        for uri, found in (
            (StringMatch(Kind.PREFIX, "/a"), NewPath(b"/n", b"/a")),
            (StringMatch(Kind.EXACT, "/a"), NewPath(b"/n")),
            (StringMatch(Kind.REGEX, "/a.*"), NewPath(b"/n")),
            (StringMatch(Kind.PRESENT), NewPath(b"/n", b"/")),
            (None, NewPath(b"/n", b"/")),
        ):
            self.assertEqual(path_for(path, uri), found, uri)
            self.assertEqual(RequestChanges(path).matched(uri), RequestChanges(found))
            self.assertEqual(Redirect(path=path).matched(uri), Redirect(path=found))
        self.assertIsNone(path_for(None, None))


class SubstitutionTests(SynchronousTestCase):
    """Paths that an expression changes."""

    def test_groups(self) -> None:
        """Groups stay, the query takes no part, and what does not match stays as it is."""
        swap = Substitution("^/service/([^/]+)(/.*)$", r"\2/instance/\1")
        self.assertEqual(swap.of(b"/service/foo/v1/api?a=/service/x/"), b"/v1/api/instance/foo?a=/service/x/")
        self.assertEqual(swap.of(b"/other/foo/v1"), b"/other/foo/v1")

    def test_everything(self) -> None:
        """All that is found is replaced, each once."""
        self.assertEqual(Substitution("one", "two").of(b"/xxx/one/yyy/one/zzz"), b"/xxx/two/yyy/two/zzz")
        self.assertEqual(Substitution(".*", "/all").of(b"/a/b?c"), b"/all?c")
        self.assertEqual(Substitution("/$", "/index.html").of(b"/a/"), b"/a/index.html")

    def test_always_a_path(self) -> None:
        """What comes out begins with a slash."""
        self.assertEqual(Substitution("^/", "x").of(b"/a?b"), b"/xa?b")

    def test_values(self) -> None:
        """Substitutions of the same words are equal; a request is not matched to them."""
        self.assertEqual(Substitution("a", "b"), Substitution("a", "b"))
        changes = RequestChanges(Substitution("a", "b"))
        self.assertIs(changes.matched(None), changes)


class RequestChangesTests(SynchronousTestCase):
    """What is changed of requests."""

    def test_names(self) -> None:
        """The names of all headers that any of the changes touches."""
        changes = RequestChanges(headers=(HeaderChanges((b"a",)), HeaderChanges((b"b",))))
        self.assertEqual(changes.names, {b"a", b"b"})
        self.assertEqual(RequestChanges().names, frozenset())


class RedirectTests(SynchronousTestCase):
    """Where redirects lead."""

    def location(self, redirect: Redirect, authority: bytes = b"a.example", scheme: bytes = b"http") -> bytes:
        """Return where a request to port 8080 is sent."""
        return redirect.location(scheme, authority, b"/p?q", 8080)

    def test_parts(self) -> None:
        """What is not said stays as the request has it."""
        for redirect, location in (
            (Redirect(scheme=b"https"), b"https://a.example/p?q"),
            (Redirect(authority=b"b.example"), b"http://b.example/p?q"),
            (Redirect(authority=b"b.example:81"), b"http://b.example:81/p?q"),
            (Redirect(path=NewPath(b"/n")), b"http://a.example/n?q"),
            (Redirect(path=NewPath(b"/n", b"/p")), b"http://a.example/n?q"),
            (Redirect(port=8443, scheme=b"https"), b"https://a.example:8443/p?q"),
        ):
            self.assertEqual(self.location(redirect), location)

    def test_ports_of_requests(self) -> None:
        """A port stays, unless it is the old scheme's default; defaults are not told."""
        for redirect, scheme, authority, location in (
            (Redirect(path=NewPath(b"/n")), b"http", b"a:8080", b"http://a:8080/n?q"),
            (Redirect(path=NewPath(b"/n")), b"http", b"a:80", b"http://a:80/n?q"),
            (Redirect(scheme=b"https"), b"http", b"a:80", b"https://a/p?q"),
            (Redirect(scheme=b"https"), b"http", b"a:8080", b"https://a:8080/p?q"),
            (Redirect(scheme=b"http"), b"https", b"a:443", b"http://a/p?q"),
            (Redirect(port=0), b"http", b"a:8080", b"http://a/p?q"),
            (Redirect(port=REQUEST_PORT), b"http", b"a:1", b"http://a:8080/p?q"),
            (Redirect(port=80), b"http", b"a:1", b"http://a/p?q"),
            (Redirect(port=443), b"http", b"a:1", b"http://a:443/p?q"),
            (Redirect(port=443, scheme=b"https"), b"http", b"a:1", b"https://a/p?q"),
        ):
            self.assertEqual(self.location(redirect, authority, scheme), location, (redirect, authority))

    def test_ipv6(self) -> None:
        """A colon within brackets begins no port."""
        for authority, location in (
            (b"[::1]", b"https://[::1]/p?q"),
            (b"[::1]:80", b"https://[::1]/p?q"),
            (b"[::1]:8080", b"https://[::1]:8080/p?q"),
        ):
            self.assertEqual(self.location(Redirect(scheme=b"https"), authority), location)
        self.assertEqual(self.location(Redirect(port=81), b"[::1]:8080"), b"http://[::1]:81/p?q")
