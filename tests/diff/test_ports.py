"""Tests of L{edgegate.diff.ports} and L{edgegate.diff.requests}: made-up listeners, and every request that there is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.comparison import compare
from edgegate.diff.findings import Section
from edgegate.diff.sides import Side
from edgegate.diff.witnesses import CERTIFICATE, Checker, pairs
from edgegate.explain.question import Question
from edgegate.http.target import PathNormalisation
from edgegate.model.actions import DirectResponse
from edgegate.model.addresses import TCPAddress
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.origin import Origin
from edgegate.model.proxy import ProxySettings
from edgegate.model.routes import HTTPRoute, TCPRoute, WeightedCluster
from edgegate.model.tls import ClientVerification, ServerTLS, TLSRules, TLSVersion
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot, VirtualHost

ORIGIN = Origin("a.yaml", 1, "Gateway default/a")
DOMAINS = ("*", "*.example", "a.example", "b.example")
NAMES = ("a.example", "b.example", "c.example", "elsewhere", "abroad")
RULES = (TLSRules(), TLSRules(TLSVersion.TLSV1_3), TLSRules(verification=ClientVerification(True, b"ca")))
MATCHES = (
    HTTPMatch(StringMatch(Kind.PREFIX, "/a")),
    HTTPMatch(StringMatch(Kind.EXACT, "/a")),
    HTTPMatch(StringMatch(Kind.REGEX, "/a[0-9]?")),
    HTTPMatch(method=StringMatch(Kind.EXACT, "POST")),
    HTTPMatch(headers=(("x-user", StringMatch(Kind.EXACT, "qa")),)),
    HTTPMatch(without_headers=(("x-user", StringMatch(Kind.PRESENT)),)),
    HTTPMatch(authority=StringMatch(Kind.PREFIX, "a")),
    HTTPMatch(query_params=(("q", StringMatch(Kind.EXACT, "1")),)),
)
TARGETS = (b"/", b"/a", b"/a1", b"/ab", b"/?q=1", b"/a?q=1", b"/?q=2")


class Maker:
    """Makes up listeners."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def route(self) -> HTTPRoute:
        """Make a route."""
        number = self.random.randint(0, 2)
        matches = tuple(self.random.sample(MATCHES, self.random.choice((0, 1, 1, 1, 2))))
        return HTTPRoute(f"r{number}", ORIGIN, (), matches, direct=DirectResponse(200 + number))

    def host(self, domain: str) -> VirtualHost:
        """Make a virtual host."""
        routes = tuple(self.route() for _ in range(self.random.randint(0, 4)))
        return VirtualHost(domain, routes, self.random.choice((None, None, None, None, 443)))

    def table(self, domains: tuple[str, ...]) -> HostTable[VirtualHost]:
        """Make a table of some hosts."""
        found = self.random.sample(domains, self.random.randint(0, len(domains)))
        return HostTable((domain, self.host(domain)) for domain in found)

    def chain(self, *hosts: str) -> FilterChain:
        """Make what an SNI name finds."""
        tls = ServerTLS((), self.random.choice(RULES))
        if self.random.random() < 0.2:
            relayed = (TCPRoute(ORIGIN, (WeightedCluster(self.random.choice("xy"), 1),)),)
            return FilterChain("c", ORIGIN, hosts, self.random.choice((None, tls)), tcp=relayed)
        return FilterChain("c", ORIGIN, hosts, tls, self.table(hosts))

    def listener(self) -> Listener:
        """Make a listener."""
        patterns = self.random.sample(DOMAINS, self.random.randint(1, 4))
        cut = self.random.randint(1, len(patterns))
        chains = [self.chain(*part) for part in (patterns[:cut], patterns[cut:]) if part]
        secure = HostTable((pattern, chain) for chain in chains for pattern in chain.hosts)
        plain = FilterChain("p", ORIGIN, DOMAINS, http=self.table(DOMAINS))
        return Listener("l", TCPAddress("127.0.0.1", 8080), 8080, ORIGIN, plain, secure)

    def changed(self, listener: Listener) -> Listener:
        """Return a listener with one thing changed, or nothing that counts."""
        assert listener.plain is not None and listener.plain.http is not None
        choice = self.random.randint(0, 3)
        if choice == 0:
            hosts = {pattern: self._reordered(host) for pattern, host in listener.plain.http.items()}
            return replace(listener, plain=replace(listener.plain, http=HostTable(hosts.items())))
        chains = {id(chain): chain for _, chain in listener.secure.items()}
        chosen = self.random.choice(list(chains))
        if choice == 1:
            chains[chosen] = self.chain(*chains[chosen].hosts)
        elif choice == 2 and chains[chosen].tls is not None:
            chains[chosen] = replace(chains[chosen], tls=ServerTLS((), self.random.choice(RULES)))
        secure = HostTable((pattern, chains[id(chain)]) for pattern, chain in listener.secure.items())
        return replace(listener, secure=secure)

    def _reordered(self, host: VirtualHost) -> VirtualHost:
        routes = list(host.routes)
        self.random.shuffle(routes)
        return replace(host, routes=tuple(replace(route, name="other") for route in routes))


def questions() -> Iterator[Question]:
    """Yield every request that the made-up routes tell apart."""
    for tls, server_name in ((False, ""), *((True, name) for name in ("", *NAMES))):
        begun = Question(8080, tls, server_name, certificate=CERTIFICATE if tls else b"")
        for name in NAMES:
            for target in TARGETS:
                for method in (b"GET", b"POST"):
                    for headers in ((), ((b"x-user", b"qa"),), ((b"x-user", b"b"),)):
                        yield replace(begun, method=method, target=target, authority=name.encode(), headers=headers)


QUESTIONS = list(questions())
SEEDS = range(24)


def sides(seed: int) -> tuple[Side, Side]:
    """Make two sides."""
    maker = Maker(seed)
    old = maker.listener()
    return tuple(Side("s", Snapshot((each,))) for each in (old, maker.changed(old)))  # type: ignore[return-value]


def answering(hosts: dict[str, tuple[HTTPRoute, ...]], paths: str = "") -> Side:
    """Make a side that serves hosts in the clear."""
    table = HostTable((domain, VirtualHost(domain, routes)) for domain, routes in hosts.items())
    plain = FilterChain("p", ORIGIN, http=table)
    return Side(
        "s", Snapshot((Listener("l", TCPAddress("::", 80), 80, ORIGIN, plain),), proxy=ProxySettings(paths=paths))
    )


def answer(status: int, *matches: HTTPMatch) -> HTTPRoute:
    """Make a route that answers."""
    return HTTPRoute("r", ORIGIN, (), matches, direct=DirectResponse(status))


class PortTests(SynchronousTestCase):
    """A port as a whole."""

    def test_all(self) -> None:
        """Nothing is missed, nothing is made up: every request is asked of both."""
        verdicts = set()
        for seed in SEEDS:
            old, new = sides(seed)
            (pair,) = pairs(old, new, {})
            checker = Checker(pair)
            found = compare(old, new)
            self.assertEqual(found.undecided, [], seed)
            changed = [each for each in QUESTIONS if len(set(checker.behaviours(each))) > 1]
            if changed:
                self.assertNotEqual(found.differences, [], (seed, changed[0]))
            for each in found.differences:
                if each.witness is not None:
                    self.assertEqual(len(set(checker.behaviours(each.witness.question))), 2, seed)
                else:
                    self.assertEqual(each.section, Section.TLS, seed)
                    self.assertNotEqual(each.fields, ())
            told = {(each.host, each.old, each.new) for each in found.differences}
            if not changed:
                self.assertFalse([each for each in told if each[1] != each[2]], seed)
            verdicts.add(found.equal)
        self.assertEqual(verdicts, {True, False})

    def test_misdirected(self) -> None:
        """Who may be asked over whose connection is compared."""
        host = HostTable(
            [("a.example", VirtualHost("a.example", (HTTPRoute("r", ORIGIN, (), direct=DirectResponse(200)),)))]
        )
        one = FilterChain("a", ORIGIN, ("a.example",), ServerTLS((), RULES[0]), host)
        other = FilterChain("b", ORIGIN, ("b.example",), ServerTLS((), RULES[0]), HostTable())
        listeners = [
            Listener(
                "l", TCPAddress("::", 443), 443, ORIGIN, None, HostTable([("a.example", one), ("b.example", each)])
            )
            for each in (other, replace(other, tls=ServerTLS((), RULES[1])))
        ]
        found = compare(*(Side("s", Snapshot((each,))) for each in listeners))
        (terms, to_b, to_a) = sorted(found.differences, key=lambda each: (len(each.old), each.old))
        self.assertEqual([str(each) for each in terms.fields], ["minimum: TLS 1.2 -> TLS 1.3"])
        self.assertEqual(
            {(to_a.host, to_a.old), (to_b.host, to_b.old)},
            {("a.example", "answer status 200"), ("b.example", "404 (no route)")},
        )
        self.assertEqual({to_a.new, to_b.new}, {"421 (host belongs to another server)"})

    def test_trusted_proxy(self) -> None:
        """Behind a trusted proxy that ends TLS the routes of a host that is sent to HTTPS count."""
        proxy = ProxySettings(trusted_hops=1)
        pair = []
        for status in (200, 201):
            route = HTTPRoute("r", ORIGIN, (), direct=DirectResponse(status))
            table = HostTable([("a.example", VirtualHost("a.example", (route,), 443))])
            plain = FilterChain("p", ORIGIN, http=table)
            pair.append(Snapshot((Listener("l", TCPAddress("::", 80), 80, ORIGIN, plain),)))
        self.assertTrue(compare(*(Side("s", each) for each in pair)).equal)
        (found,) = compare(*(Side("s", replace(each, proxy=proxy)) for each in pair)).differences
        assert found.witness is not None
        self.assertEqual(found.witness.question.headers, ((b"x-forwarded-proto", b"https"),))
        self.assertEqual((found.old, found.new), ("answer status 200", "answer status 201"))

    def test_host_of_its_own(self) -> None:
        """What is for all hosts is compared, though all names that come to mind first are another wildcard's."""
        first, other = ({"*.example": (answer(200),), "*": (answer(status),)} for status in (200, 503))
        (found,) = compare(answering(first), answering(other)).differences
        self.assertEqual((found.host, found.old, found.new), ("*", "answer status 200", "answer status 503"))

    def test_address(self) -> None:
        """A condition on an address may meet another spelling of it."""
        spelt = HTTPMatch(authority=StringMatch(Kind.EXACT, "[0:0:0:0:0:0:0:1]"))
        old = answering({"[::1]": (answer(201, spelt), answer(200))})
        (found,) = compare(old, answering({"[::1]": (answer(200),)})).differences
        assert found.witness is not None
        self.assertEqual(found.witness.question.authority, b"[0:0:0:0:0:0:0:1]")

    def test_paths(self) -> None:
        """Paths are compared in the form in which they are matched: a request shows what changes."""
        without = {"a.example": (answer(200),)}
        for kind, value, target in (
            (Kind.REGEX, "/.*%.*", b"/%aa"),
            (Kind.PREFIX, "/a%", b"/a%aa"),
            (Kind.EXACT, "/b", b"/b"),
        ):
            asking = {"a.example": (answer(201, HTTPMatch(StringMatch(kind, value))), answer(200))}
            found = compare(answering(asking), answering(without))
            self.assertEqual(found.undecided, [])
            self.assertEqual([each.witness and each.witness.question.target for each in found.differences], [target])
        for value in ("/\u00e4", "/a b", "/a%"):
            never = {"a.example": (answer(201, HTTPMatch(StringMatch(Kind.EXACT, value))), answer(200))}
            self.assertTrue(compare(answering(never), answering(without)).equal, value)
        raw = PathNormalisation.NONE.value
        never = {"a.example": (answer(201, HTTPMatch(StringMatch(Kind.EXACT, "/a%"))), answer(200))}
        self.assertEqual(len(compare(answering(never, raw), answering(without, raw)).differences), 1)
