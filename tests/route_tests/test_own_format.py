"""Tests of L{edgegate.route_tests.own_format}."""

from __future__ import annotations

from textwrap import indent

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.question import Question
from edgegate.model.addresses import TCPAddress
from tests.route_tests.shop import cases


class OwnFormatTests(SynchronousTestCase):
    """What a client sends by a test."""

    def read(self, test: str, expect: str = "{status: 404}") -> tuple[list[Question], list[str]]:
        """Return the questions of a test, and what is wrong with it."""
        found, problems = cases(f"tests:\n-\n{indent(test, '  ')}\n  expect: {expect}\n")
        return [each.question for each in found], [each.partition(" error: ")[2] for each in problems]

    def question(self, test: str) -> Question:
        """Return the only question of a test."""
        (found,), problems = self.read(test)
        self.assertEqual(problems, [])
        return found

    def test_request(self) -> None:
        """A request is a method and a URL; without a method it is GET."""
        found = self.question("request: POST https://shop.example/cart?x=1\nbody: 5\nheaders: {X-User: qa, a: [b, c]}")
        self.assertEqual((found.method, found.target, found.tls, found.length), (b"POST", b"/cart?x=1", True, 5))
        self.assertEqual(found.headers, ((b"X-User", b"qa"), (b"a", b"b"), (b"a", b"c")))
        self.assertEqual(self.question("request: http://shop.example").method, b"GET")

    def test_where_they_differ(self) -> None:
        """Port, SNI name, ALPN, certificate and address are the URL's or nothing, unless they are said."""
        found = self.question("request: https://shop.example/")
        self.assertEqual(
            (found.port, found.server_name, found.alpn, found.certificate), (443, "shop.example", b"http/1.1", b"")
        )
        found = self.question(
            "request: https://shop.example/\nport: 8443\nsni: Other.Example\nalpn: h2\ncert: true\nsource: 10.0.0.1"
        )
        self.assertEqual((found.port, found.server_name, found.alpn), (8443, "other.example", b"h2"))
        self.assertEqual((bool(found.certificate), found.peer), (True, TCPAddress("10.0.0.1", 40000)))
        self.assertEqual(self.question('request: https://shop.example/\nsni: ""').server_name, "")

    def test_bad(self) -> None:
        """What nobody can send is told."""
        for test, path, words in (
            ("request: GET /cart", "request", "a URL begins with http://"),
            ("request: GET http://a.example/ now", "request", "METHOD URL"),
            ("request: [http://a.example, tcp://a.example]", "request[1]", "names no port"),
            ("request: http://a.example\nsni: b.example", "request", "sni: only https://"),
            ("request: https://a.example\nalpn: h3", "request", "alpn: h2 or http/1.1"),
            ("request: GET tcp://a.example:1", "request", "no request is sent"),
            ("request: tls://a.example:1\nheaders: {a: b}", "request", "no request is sent"),
            ("request: http://a.example\nsource: here", "request", "'here' does not appear to be"),
            ("request: http://a.example\nheaders: {'a b': c}", "request", "a b"),
        ):
            _, (problem,) = self.read(test)
            self.assertIn(words, problem)
            self.assertTrue(problem.startswith(f"tests[0].{path}: "), problem)

    def test_bad_expectation(self) -> None:
        """So is what can't be expected, and a test that expects nothing."""
        for expect, told in (
            ("{to: a b}", "tests[0].expect.to: a destination is HOST, "),
            ("{not: {tls: no}}", "tests[0].expect.not.tls: "),
            ("{}", "tests[0].expect: nothing is expected"),
        ):
            found, (problem,) = self.read("request: http://a.example", expect)
            self.assertEqual((found, problem[: len(told)]), ([], told))
        found, (problem,) = self.read("request: []", "{status: 404}")
        self.assertEqual((found, problem), ([], "tests[0].request: no request is given"))
