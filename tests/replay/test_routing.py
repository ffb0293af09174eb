"""Tests of L{edgegate.replay.routing}."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.behaviour import Behaviour, Refused, ToHTTPS, of_fault, of_route
from edgegate.explain.decision import Decider, Decision, Refusal
from edgegate.explain.question import Question
from edgegate.model.routes import HTTPRoute
from edgegate.replay.formats import columns
from edgegate.replay.formats.json_lines import JSONLines
from edgegate.replay.logged_request import Defaults, LoggedRequest, RequestReader
from edgegate.replay.routing import Outcome, Possible, Routing, Way
from tests.replay.files import files, side

ALL = JSONLines(
    "all",
    {
        ("method",): columns.METHOD,
        ("target",): columns.TARGET,
        ("host",): columns.AUTHORITY,
        ("scheme",): columns.SCHEME,
        ("port",): columns.PORT,
        ("sni",): columns.SNI,
        ("user",): columns.header("x-user"),
        ("agent",): columns.header("user-agent"),
    },
)
"""A format that says all that the routes ask about."""

READER = ALL.reader(ALL.columns)
REQUESTS = RequestReader(READER.columns, ALL.columns, ALL.escapes, Defaults())

questions = st.builds(
    Question,
    port=st.sampled_from([80, 81, 443, 9]),
    tls=st.booleans(),
    method=st.sampled_from([b"GET", b"POST", b"OPTIONS", b"TRACE", b"BREW"]),
    target=st.sampled_from(
        [
            *(b"/", b"/cart", b"/cart/../old", b"/old?a", b"/search?q=x", b"/search?q=y&q=x", b"/bot", b"*", b"/%zz"),
            *(b"/a#b", b"http://shop.example/cart", b"https://plain.example/", b"cart", b"//"),
        ]
    ),
    authority=st.sampled_from(
        [b"shop.example", b"SHOP.example:80", b"plain.example", b"moved.example", b"nobody.example", b"a b"]
    ),
    server_name=st.sampled_from(["", "shop.example", "plain.example", "nobody.example"]),
    headers=st.lists(
        st.sampled_from([(b"x-user", b"qa"), (b"x-user", b"-"), (b"user-agent", b"Mozilla/5"), (b"user-agent", b"")]),
        max_size=2,
        unique_by=lambda field: field[0],
    ).map(tuple),
)


def logged(question: Question) -> LoggedRequest:
    """Return a question as a log tells it that lacks nothing."""
    headers = dict(question.headers)
    line = {
        "method": question.method.decode(),
        "target": question.target.decode(),
        "host": question.authority.decode(),
        "scheme": "https" if question.tls else "http",
        "port": question.port,
        "sni": question.server_name if question.tls else None,
        **{
            key: value.decode()
            for key, name in (("user", b"x-user"), ("agent", b"user-agent"))
            if (value := headers.get(name))
        },
    }
    values = READER.read(json.dumps(line).encode())
    assert not isinstance(values, str), values
    found = REQUESTS.request(values)
    assert isinstance(found, LoggedRequest), found
    return found


def behaviour(decision: Decision) -> Behaviour:
    """Return what a decision does."""
    if decision.redirect_port is not None:
        return ToHTTPS(decision.redirect_port)
    if decision.fault is not None:
        return of_fault(decision.fault)
    assert isinstance(decision.route, HTTPRoute), decision
    return of_route(decision.route)


def asked(routing: Routing, request: LoggedRequest, way: Way) -> Possible | Outcome:
    """Return what may become of a request."""
    return routing.possible(request, routing.placed(request, way))


class AgreementTests(SynchronousTestCase):
    """Requests of which all is known go where C{edgegate explain} says, which runs what serves."""

    both = side(files())
    routing = Routing(both)
    decider = Decider(both.snapshot)

    @settings(max_examples=400, deadline=None)
    @given(questions)
    def test_agrees(self, question: Question) -> None:
        """The outcome is the same, whatever is asked."""
        decision = self.decider.decide(question)
        request = logged(question)
        if dict(question.headers).get(b"user-agent") == b"":
            # a log does not tell a header that is empty from one that is not there
            request.known |= {"header user-agent"}
        if dict(question.headers).get(b"x-user") == b"-":
            request.known |= {"header x-user"}
        found = asked(self.routing, request, Way(question.port, question.tls))
        assert isinstance(found, Outcome), found
        if decision.refusal is None:
            self.assertEqual(found.behaviour, behaviour(decision))
        else:
            assert isinstance(found.behaviour, Refused), found
            self.assertEqual(found.behaviour.status, 400 if decision.refusal is Refusal.HTTP_IN_THE_CLEAR else 0)


class RoutingTests(SynchronousTestCase):
    """Requests of which not all is known."""

    def setUp(self) -> None:
        """Make the tables."""
        self.routing = Routing(side(files()))

    def request(self, **known: object) -> LoggedRequest:
        """Return a request for a host."""
        values = {"method": b"GET", "target": b"/cart", "version": "1.1", "authority": b"shop.example"}
        values |= {"port": 80, "tls": None, "server_name": None}
        return LoggedRequest(**{**values, **known})  # type: ignore[arg-type]

    def names(self, request: LoggedRequest, way: Way) -> list[str]:
        """Return the names of the routes that may be taken."""
        found = asked(self.routing, request, way)
        return [found.name] if isinstance(found, Outcome) else [outcome.name for _, outcome in found]

    def test_unknown_header(self) -> None:
        """A header that the log lacks is unknown, never absent."""
        self.assertEqual(self.names(self.request(), Way(80, False)), ["qa", "cart"])
        known = frozenset(("header x-user", "header user-agent", "the query"))
        self.assertEqual(self.names(self.request(known=known), Way(80, False)), ["cart"])

    def test_hint(self) -> None:
        """Of a dash it is known that it is not what was asked for."""
        variants: dict[str, tuple[tuple[bytes, ...], ...]] = {"header x-user": ((), (b"",), (b"-",))}
        request = self.request(variants=variants, known=frozenset(("header user-agent", "the query")))
        self.assertEqual(self.names(request, Way(80, False)), ["cart"])

    def test_unknown_query(self) -> None:
        """Where lines have no query it is not taken for empty."""
        request = self.request(target=b"/search", known=frozenset(("header x-user", "header user-agent")))
        self.assertEqual(self.names(request, Way(80, False)), ["page", "rest"])

    def test_ways(self) -> None:
        """Without a port all that serve HTTP may have been asked; a scheme, or an SNI name, leaves some."""
        ways = self.routing.ways(self.request(port=None))
        self.assertEqual(set(ways), {Way(80, False), Way(81, False), Way(443, True)})
        self.assertEqual(self.routing.ways(self.request(port=None, tls=True)), [Way(443, True)])
        self.assertEqual(self.routing.ways(self.request(port=443)), [Way(443, True)])
        for port in (444, 5432, 9):
            self.assertEqual(self.routing.ways(self.request(port=port)), [])

    def test_names_its_host(self) -> None:
        """Who came by TLS is taken to have named the host that it asked for."""
        request = self.request(known=frozenset(("header x-user", "header user-agent", "the query")))
        self.assertEqual(self.names(request, Way(443, True)), ["cart"])
        found = asked(self.routing, self.request(authority=b"nobody.example"), Way(443, True))
        self.assertEqual(getattr(found, "summary", ""), "closed (no server has the SNI name)")

    def test_relay(self) -> None:
        """What comes to a relay has one outcome for all requests: comparisons are remembered by it."""
        found = [self.routing.placed(self.request(target=target), Way(5432, False)) for target in (b"/", b"/a")]
        self.assertIs(found[0], found[1])
        self.assertTrue(getattr(found[0], "summary", "").endswith(" as bytes"), found)

    def test_columns(self) -> None:
        """What routes ask about is told, to be read."""
        self.assertEqual(self.routing.columns(), {"header x-user", "header user-agent", columns.QUERY})
