"""Where tokens are found."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.locations import Field, Locations
from edgegate.model.guards.jwt import TokenHeader
from tests.access.jwt.test_rule import rule


class LocationTests(SynchronousTestCase):
    """L{Locations}."""

    def found(self, locations: Locations, *fields: Field, target: bytes = b"/") -> list[bytes]:
        """Return the tokens of a request."""
        return locations.tokens(fields, target)

    def test_default(self) -> None:
        """C{Authorization} and a parameter are where tokens are, unless a rule says another place."""
        default = Locations(rule())
        fields = [(b"authorization", b"Bearer a.b.c"), (b"authorization", b"Basic x"), (b"x-jwt", b"d")]
        self.assertEqual(self.found(default, *fields, target=b"/?access_token=q"), [b"a.b.c", b"q"])
        own = Locations(rule(cookies=("sid",)))
        self.assertEqual(self.found(own, *fields, target=b"/?access_token=q"), [])

    def test_prefix(self) -> None:
        """A prefix is looked for anywhere, as it is written; the token begins with what tokens are made of."""
        default = Locations(rule())
        for value, expected in (
            (b"Bearer a.b.c", [b"a.b.c"]),
            (b"Bearer   a.b.c", [b"a.b.c"]),
            (b'Token x, Bearer "a.b.c"', [b'a.b.c"']),
            (b"bearer a.b.c", []),
            (b"Bearera.b.c", []),
            (b"a.b.c", []),
            (b"Bearer ", [b"Bearer "]),
            (b'Bearer "', [b'Bearer "']),
            (b"Bearer a b", [b"a b"]),
        ):
            self.assertEqual(self.found(default, (b"authorization", value)), expected, value)

    def test_headers(self) -> None:
        """Every value of every field counts; without a prefix it is the whole."""
        own = Locations(rule(headers=(TokenHeader(b"x-b"), TokenHeader(b"x-a", b"T "))))
        fields = [(b"x-b", b"1"), (b"x-a", b"T 2"), (b"x-b", b""), (b"x-a", b"3")]
        self.assertEqual(self.found(own, *fields), [b"2", b"1", b""])

    def test_joined(self) -> None:
        """Several fields that there must be one of are no token, whatever each of them is."""
        fields = [(b"authorization", b"Bearer a.b.c"), (b"authorization", b"Bearer d.e.f")]
        self.assertEqual(self.found(Locations(rule()), *fields), [b"a.b.c,d.e.f"])

    def test_parameters(self) -> None:
        """Every parameter of the name counts, however it is spelt, decoded once."""
        own = Locations(rule(params=("t",)))
        for target, expected in (
            (b"/", []),
            (b"/?t", [b""]),
            (b"/?t=", [b""]),
            (b"/?a=1&t=a%2eb&%74=c&T=d", [b"a.b", b"c"]),
            (b"/?t=a%252eb", [b"a%2eb"]),
            (b"/?t=a=b", [b"a=b"]),
            (b"/t=1", []),
        ):
            self.assertEqual(self.found(own, target=target), expected, target)

    def test_cookies(self) -> None:
        """Every cookie of the name counts, with quotes or without."""
        own = Locations(rule(cookies=("sid",)))
        fields = [(b"cookie", b'a=b; sid=1;sid="2"; SID=3; xsid=4; sid'), (b"cookie", b"sid=5=6")]
        self.assertEqual(self.found(own, *fields), [b"1", b"2", b"5=6"])

    def test_removed(self) -> None:
        """A field with a token is taken out whole, a parameter alone, and a cookie not at all."""
        own = Locations(rule(headers=(TokenHeader(b"x-a", b"T "),), params=("t",), cookies=("sid",)))
        fields = [(b"x-a", b"T 1"), (b"x-b", b"T 1"), (b"cookie", b"sid=1")]
        self.assertEqual(own.fields_with_tokens(fields), {b"x-a"})
        self.assertEqual(own.fields_with_tokens([(b"x-a", b"1")]), frozenset())
        for target, expected in (
            (b"/a?t=1", b"/a"),
            (b"/a?x=%2F&t=1&y", b"/a?x=%2F&y"),
            (b"/a?t=1&%74=2&&z=", b"/a?&z="),
            (b"/a?x", b"/a?x"),
            (b"/a", b"/a"),
        ):
            self.assertEqual(own.without_parameters(target), expected)
