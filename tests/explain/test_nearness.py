"""Tests of L{edgegate.explain.nearness}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.nearness import LONGEST, MOST, as_far_as, missing, near_names, near_routes
from edgegate.model.matching import Kind
from edgegate.routing.table import HTTPMatch
from tests.explain.explaining import Explained, counted_calls
from tests.istio.translate.compiling import gateway, virtual_service


class NearRoutesTests(SynchronousTestCase):
    """Routes that nearly take a request."""

    def nearest(self, match: str, path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> str:
        """Return the hint about the only route."""
        item = f"{{match: [{match}], directResponse: {{status: 200}}}}"
        explained = Explained.of(gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{item}]"))
        decision = explained.decide(method, f"http://a.example{path}", *headers)
        assert decision.virtual_host is not None and decision.asked is not None
        (near,) = near_routes(decision.virtual_host, decision.asked, explained.notes)
        return f"{missing(near.failed[0])}: {near.hint}"

    def test_hints(self) -> None:
        """In what the request and the route differ, and what would mend it."""
        for match, path, expected in (
            ("{uri: {exact: /a}}", "/a/", "a slash more at its end"),
            ("{uri: {exact: /a/}}", "/a", "a slash less at its end"),
            ("{uri: {exact: /Cart}}", "/cart", "ignoreUriCase: true lets it through"),
            ("{uri: {prefix: /Cart}}", "/cart/1", "ignoreUriCase: true lets it through"),
            ("{uri: {exact: /cart}}", "/cart/1", "prefix in place of exact would take it"),
            ("{uri: {exact: /basket}}", "/bakset", "looks like a misspelt '/basket'"),
            ("{uri: {regex: '/shop/[0-9]+/cart'}}", "/shop/77/card", "as far as '/shop/77/car' and stops at 'd'"),
            ("{uri: {regex: '/shop/[0-9]+'}}", "/shop/", "wants more behind '/shop/'"),
            ("{headers: {x-user: {exact: qa}}}", "/", "the request has no x-user"),
            ("{withoutHeaders: {x-a: {}}}", "/", "leave x-a out"),
            ("{uri: {exact: '/a?x=1'}}", "/a?x=1", "ask for that in queryParams"),
            ("{queryParams: {q: {exact: 'a b'}}}", "/?q=a%20b", "write 'a%20b'"),
            ("{queryParams: {q: {exact: '1'}}}", "/", "the request has no q"),
        ):
            self.assertIn(expected, self.nearest(match, path, (b"x-a", b"1")), match)

    def test_order(self) -> None:
        """The fewest failing conditions first, then the nearest."""
        items = ", ".join(
            f"{{name: {name}, match: [{match}], directResponse: {{status: 200}}}}"
            for name, match in (
                ("far", "{uri: {exact: /zzz}}"),
                ("two", "{uri: {exact: /cart}, method: {exact: PUT}}"),
                ("near", "{uri: {exact: /cart}}"),
                ("method", "{uri: {prefix: /cart/}, method: {exact: PUT}}"),
            )
        )
        explained = Explained.of(gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{items}]"))
        decision = explained.decide("GET", "http://a.example/cart/")
        assert decision.virtual_host is not None and decision.asked is not None
        found = near_routes(decision.virtual_host, decision.asked, explained.notes, 4)
        self.assertEqual([each.route.name for each in found], ["near", "method", "far", "two"])
        self.assertEqual(found[0].match.uri, found[0].failed[0].wanted)
        self.assertIsInstance(found[0].match, HTTPMatch)
        self.assertIs(found[0].match.uri.kind if found[0].match.uri else None, Kind.EXACT)

    def test_work(self) -> None:
        """Each condition that fails is compared once, and hints are made of what is told alone."""
        items = ", ".join(
            f"{{match: [{{uri: {{exact: /{number}}}, method: {{exact: PUT}}}}], directResponse: {{status: 200}}}}"
            for number in range(10)
        )
        explained = Explained.of(gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{items}]"))
        decision = explained.decide("GET", "http://a.example/x")
        assert decision.virtual_host is not None and decision.asked is not None
        with counted_calls() as calls:
            found = near_routes(decision.virtual_host, decision.asked, explained.notes)
        self.assertEqual((len(found), calls["nearness"], calls["hint"]), (MOST, 20, MOST))

    def test_long(self) -> None:
        """Of long values no more than the beginning is looked at."""
        path = "/" + "ab" * 1000
        self.assertIn(f"goes along for the first {LONGEST} bytes", self.nearest("{uri: {regex: '/[ab]*c'}}", path))
        self.assertIn("should be", self.nearest(f"{{uri: {{exact: '{path}c'}}}}", path))
        self.assertIn("a slash more", self.nearest(f"{{uri: {{exact: '{path}'}}}}", f"{path}/"))

    def test_regex(self) -> None:
        """How far an expression goes along."""
        self.assertEqual(as_far_as("/a(b|c)d", b"/abx"), b"/ab")
        self.assertEqual(as_far_as("/a+", b"/aaa"), b"/aaa")
        self.assertEqual(as_far_as("/a+", b"/" + b"a" * 1000), b"/" + b"a" * (LONGEST - 1))


class NearNamesTests(SynchronousTestCase):
    """Hosts that are nearly the one that was asked for."""

    def test_names(self) -> None:
        """A letter, www, a wildcard's own name; of thousands as well."""
        for name, expected in (
            ("shp.example.com", "shop.example.com"),
            ("www.shop.example.com", "shop.example.com"),
            ("api.example.com", "*.api.example.com"),
        ):
            for more in (0, 3000):
                known = ["shop.example.com", "*.api.example.com", *(f"host-{each}.test" for each in range(more))]
                self.assertEqual(near_names(known, name)[:1], [expected])
        self.assertEqual(near_names(["shop.example.com"], "nothing.like.it.test"), [])

    def test_bound(self) -> None:
        """Among more names than may be looked through none is looked for."""
        self.assertEqual(near_names(["a.example", "b.test"], "a.exampl", among=2), ["a.example"])
        self.assertEqual(near_names(["a.example", "b.test"], "a.exampl", among=1), [])
