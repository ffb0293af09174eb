"""Tests of L{edgegate.routing.matching}."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.matching import condition, first_params


@dataclass
class Asked:
    """A request."""

    method: bytes = b"GET"
    path: bytes = b"/"
    query: bytes = b""
    scheme: bytes = b"http"
    authority: bytes = b"shop.example"
    headers: Sequence[tuple[bytes, bytes]] = ()
    port: int = 80
    claims: Mapping[str, object] = field(default_factory=dict)


def holds(match: HTTPMatch, asked: Asked) -> bool:
    """Whether a request satisfies a match."""
    check = condition(match)
    return check is None or check(asked)


class HTTPMatchTests(SynchronousTestCase):
    """Conditions of a request."""

    def test_none(self) -> None:
        """No condition, and a path prefix that every path has, need not be tested at all."""
        self.assertIsNone(condition(HTTPMatch()))
        self.assertIsNone(condition(HTTPMatch(uri=StringMatch(Kind.PREFIX, "/"))))

    def test_each(self) -> None:
        """Path, method, authority, port and headers can be asked for."""
        exact = StringMatch(Kind.EXACT, "x")
        for match, yes, no in (
            (HTTPMatch(uri=exact), Asked(path=b"x"), Asked(path=b"y")),
            (HTTPMatch(method=exact), Asked(method=b"x"), Asked(method=b"X")),
            (HTTPMatch(authority=exact), Asked(authority=b"x"), Asked(authority=b"x:80")),
            (HTTPMatch(port=81), Asked(port=81), Asked(port=80)),
            (HTTPMatch(headers=(("h", exact),)), Asked(headers=[(b"h", b"x")]), Asked(headers=[(b"h", b"y")])),
        ):
            self.assertTrue(holds(match, yes), match)
            self.assertFalse(holds(match, no), match)

    def test_all(self) -> None:
        """All conditions of one match must hold."""
        match = HTTPMatch(uri=StringMatch(Kind.PREFIX, "/a"), method=StringMatch(Kind.EXACT, "GET"), port=80)
        self.assertTrue(holds(match, Asked(path=b"/a")))
        for asked in (Asked(path=b"/b"), Asked(path=b"/a", method=b"PUT"), Asked(path=b"/a", port=81)):
            self.assertFalse(holds(match, asked))

    def test_headers(self) -> None:
        """Of several fields each is looked at alone, and one is enough; a header that is absent satisfies nothing."""
        for kind, text, expected in (
            (Kind.EXACT, "a", True),
            (Kind.EXACT, "b", True),
            (Kind.EXACT, "c", False),
            (Kind.EXACT, "a,b", False),
            (Kind.PREFIX, "b", True),
            (Kind.REGEX, "a|c", True),
            (Kind.REGEX, "a.+", False),
        ):
            match = HTTPMatch(headers=(("h", StringMatch(kind, text)),))
            asked = Asked(headers=[(b"h", b"a"), (b"i", b"c"), (b"h", b"b")])
            self.assertEqual(holds(match, asked), expected, text)
        present = HTTPMatch(headers=(("h", StringMatch(Kind.PRESENT)),))
        self.assertTrue(holds(present, Asked(headers=[(b"h", b"")])))
        self.assertFalse(holds(present, Asked(headers=[(b"i", b"")])))
        empty = HTTPMatch(headers=(("h", StringMatch(Kind.EXACT, "")),))
        self.assertFalse(holds(empty, Asked()))
        self.assertTrue(holds(empty, Asked(headers=[(b"h", b"")])))
        self.assertFalse(holds(empty, Asked(headers=[(b"h", b"a")])))

    def test_header_values(self) -> None:
        """White space behind a value is none of it."""
        match = HTTPMatch(headers=(("h", StringMatch(Kind.EXACT, "b")),))
        self.assertTrue(holds(match, Asked(headers=[(b"h", b"a \t"), (b"h", b"b ")])))

    def test_joined_headers(self) -> None:
        """The pieces of a cookie are one cookie, and some lists are one list, as Envoy has them."""
        cookie = HTTPMatch(headers=(("cookie", StringMatch(Kind.REGEX, "(.*; )?user=eve(;.*)?")),))
        self.assertTrue(holds(cookie, Asked(headers=[(b"cookie", b"a=b"), (b"cookie", b"user=eve")])))
        whole = HTTPMatch(headers=(("cookie", StringMatch(Kind.EXACT, "a=b; c=d")),))
        self.assertTrue(holds(whole, Asked(headers=[(b"cookie", b"a=b"), (b"cookie", b"c=d")])))
        self.assertFalse(holds(whole, Asked()))
        hops = HTTPMatch(headers=(("x-forwarded-for", StringMatch(Kind.EXACT, "192.0.2.1,192.0.2.2")),))
        headers = [(b"x-forwarded-for", b"192.0.2.1"), (b"x-forwarded-for", b"192.0.2.2")]
        self.assertTrue(holds(hops, Asked(headers=headers)))
        self.assertFalse(holds(hops, Asked(headers=headers[:1])))


class RequestPartsTests(SynchronousTestCase):
    """Conditions on the scheme, on headers that must not be there, and on the query."""

    def test_scheme(self) -> None:
        """The scheme is the connection's."""
        match = HTTPMatch(scheme=StringMatch(Kind.EXACT, "https"))
        self.assertTrue(holds(match, Asked(scheme=b"https")))
        self.assertFalse(holds(match, Asked()))

    def test_without_headers(self) -> None:
        """A header that is not there satisfies any condition that it must not; presence means that it is absent."""
        value = HTTPMatch(without_headers=(("x-user", StringMatch(Kind.EXACT, "eve")),))
        absent = HTTPMatch(without_headers=(("x-user", StringMatch(Kind.PRESENT)),))
        for headers, expected in (((), (True, True)), (((b"x-user", b"eve"),), (False, False))):
            self.assertEqual((holds(value, Asked(headers=headers)), holds(absent, Asked(headers=headers))), expected)
        self.assertTrue(holds(value, Asked(headers=((b"x-user", b"bob"),))))

    def test_claims(self) -> None:
        """A claim is a text, or any of the texts in a list; one that is missing is nothing, and no header is one."""
        name, wanted = "@request.auth.claims[dept][roles]", StringMatch(Kind.EXACT, "admin")
        for roles, expected in (
            ("admin", True),
            (["a", 5, "admin"], True),
            (["Admin"], False),
            ({"admin": "admin"}, False),
            ("", False),
            (None, False),
        ):
            asked = Asked(claims={} if roles is None else {"dept": {"roles": roles}})
            self.assertEqual(holds(HTTPMatch(headers=((name, wanted),)), asked), expected, roles)
            self.assertEqual(holds(HTTPMatch(without_headers=((name, wanted),)), asked), not expected, roles)
        sent = Asked(headers=[(name.encode(), b"admin")])
        self.assertFalse(holds(HTTPMatch(headers=((name, wanted),)), sent))
        for kind in (Kind.PREFIX, Kind.PRESENT):
            absent = HTTPMatch(without_headers=((name, StringMatch(kind, "")),))
            self.assertTrue(holds(absent, Asked()))
            self.assertFalse(holds(absent, Asked(claims={"dept": {"roles": "x"}})))

    def test_not_passed_by_a_second_field(self) -> None:
        """A header that must not be there is found among others of its name, whether they are told apart or joined."""
        for name in ("x-user", "cookie", "authorization"):
            for kind, text in ((Kind.EXACT, "eve"), (Kind.PREFIX, "ev"), (Kind.REGEX, "eve?")):
                match = HTTPMatch(without_headers=((name, StringMatch(kind, text)),))
                for values, expected in (
                    ((b"bob", b"eve"), False),
                    ((b"eve", b"bob"), False),
                    ((b"bob", b"carol"), True),
                ):
                    asked = Asked(headers=[(name.encode(), value) for value in values])
                    self.assertEqual(holds(match, asked), expected, (name, text, values))
        whole = HTTPMatch(without_headers=(("cookie", StringMatch(Kind.EXACT, "a=b; c=d")),))
        self.assertFalse(holds(whole, Asked(headers=[(b"cookie", b"a=b"), (b"cookie", b"c=d")])))

    def test_missing_is_empty(self) -> None:
        """
        To a condition on its value a header that must not be there is empty where it is missing.

        So what the empty value satisfies keeps requests without the header away, as in Istio.
        """
        for kind, text, expected in (
            (Kind.EXACT, "", False),
            (Kind.REGEX, ".*", False),
            (Kind.REGEX, "a?", False),
            (Kind.REGEX, ".+", True),
            (Kind.EXACT, "a", True),
            (Kind.PREFIX, "a", True),
        ):
            match = HTTPMatch(without_headers=(("h", StringMatch(kind, text)),))
            self.assertEqual(holds(match, Asked()), expected, match)
            self.assertEqual(holds(match, Asked(headers=[(b"h", b"")])), expected, match)
        two = HTTPMatch(without_headers=(("h", StringMatch(Kind.PRESENT)), ("i", StringMatch(Kind.EXACT, "x"))))
        self.assertTrue(holds(two, Asked(headers=[(b"i", b"y")])))
        self.assertFalse(holds(two, Asked(headers=[(b"h", b"")])))
        self.assertFalse(holds(two, Asked(headers=[(b"i", b"x")])))

    def test_pseudo_headers(self) -> None:
        """What HTTP/2 sends as headers can be asked for as such: the path has its query then."""
        asked = Asked(method=b"PUT", path=b"/a", query=b"b=c", scheme=b"https", authority=b"x:81")
        for name, value in ((":method", "PUT"), (":path", "/a?b=c"), (":scheme", "https"), (":authority", "x:81")):
            match = HTTPMatch(headers=((name, StringMatch(Kind.EXACT, value)),))
            self.assertTrue(holds(match, asked), name)
            self.assertFalse(holds(match, Asked(path=b"/a")), name)
            self.assertFalse(holds(HTTPMatch(without_headers=match.headers), asked), name)
        self.assertFalse(holds(HTTPMatch(headers=((":status", StringMatch(Kind.PRESENT)),)), asked))
        bare = HTTPMatch(headers=((":path", StringMatch(Kind.EXACT, "/a")),))
        self.assertTrue(holds(bare, Asked(path=b"/a")))

    def test_query(self) -> None:
        """All parameters must match; of several of one name the first counts, escapes stay what they are (as Envoy)."""
        match = HTTPMatch(query_params=(("a", StringMatch(Kind.EXACT, "1%202")), ("b", StringMatch(Kind.PRESENT))))
        for query, expected in (
            (b"a=1%202&b", True),
            (b"b=&a=1%202", True),
            (b"a=1 2&b", False),
            (b"a=1+2&b", False),
            (b"%61=1%202&b", False),
            (b"A=1%202&b", False),
            (b"a=1%202", False),
            (b"a=0&a=1%202&b", False),
            (b"", False),
        ):
            self.assertEqual(holds(match, Asked(query=query)), expected, query)
        flag = HTTPMatch(query_params=(("key", StringMatch(Kind.EXACT, "")),))
        self.assertEqual(
            [holds(flag, Asked(query=query)) for query in (b"key", b"key=", b"key=1", b"")], [True, True, False, False]
        )

    def test_first_params(self) -> None:
        """Odd queries have odd parameters, never an error."""
        self.assertEqual(first_params(b"&=&a=b=c&%zz=%ff"), {b"": b"", b"a": b"b=c", b"%zz": b"%ff"})
