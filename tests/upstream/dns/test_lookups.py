from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.exchange import Ask, DNSExchanges, NoAnswer
from edgegate.upstream.dns.lookups import GRACE, MOST_AT_ONCE, MOST_CALLS, Answer, DNSLookups, SystemLookups, find
from edgegate.upstream.dns.name_files import NameFiles
from tests.net.name_server import NameServer, address, alias
from tests.upstream.resolving import ResolvingReactor

ONE, TWO = TCPAddress("192.0.2.1", 53), TCPAddress("192.0.2.2", 53)
RESOLV_CONF = "nameserver 192.0.2.1\nnameserver 192.0.2.2\nsearch shop.test corp.test\n"


class FakeServers:
    """
    Questions that a test answers by hand.

    @ivar asked: Those under way.
    @ivar log: All that there were: server, name, kind and seconds.
    @ivar down: Whether nothing can be sent.
    """

    def __init__(self) -> None:
        self.asked: dict[tuple[TCPAddress, str, int], Deferred[dns.Message]] = {}
        self.log: list[tuple[TCPAddress, str, int, float]] = []
        self.down = False

    def __call__(self, server: TCPAddress, name: str, kind: int, timeout: float) -> Deferred[dns.Message]:
        self.log.append((server, name, kind, timeout))
        if self.down:
            return fail(NoAnswer())
        self.asked[server, name, kind] = made = Deferred(lambda _: self.asked.pop((server, name, kind)) and None)
        return made

    def answer(self, name: str, kind: int, *records: dns.RRHeader, server: TCPAddress = ONE, rcode: int = 0) -> None:
        """Answer a question."""
        message = dns.Message(1, answer=1, rCode=rcode)
        message.queries = [dns.Query(name, kind, dns.IN)]
        message.answers = list(records)
        self.asked.pop((server, name, kind)).callback(message)

    def silent(self, name: str, kind: int, server: TCPAddress = ONE) -> None:
        """Let a question have no answer."""
        self.asked.pop((server, name, kind)).errback(NoAnswer())

    @property
    def names(self) -> list[str]:
        """The names that were asked for, each once, in order."""
        return list(dict.fromkeys(name for _, name, _, _ in self.log))


class LookupsCase(SynchronousTestCase):
    """Look-ups with two name servers and two domains."""

    only_dns = False

    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "resolv.conf").write_text(RESOLV_CONF)
        (self.folder / "hosts").write_text("10.9.9.9 known.example\n")
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)
        self.servers = FakeServers()
        ask: Ask = self.servers
        self.reactor = ResolvingReactor()
        self.system = self.reactor.nameResolver
        given = (ONE, TWO) if self.only_dns else ()
        files = NameFiles("edge", given, str(self.folder))
        self.lookups = DNSLookups(ask, files, self.wheel, SystemLookups(self.reactor), self.only_dns, self.reaches)
        self.told: list[Answer] = []
        self.unreached = ""

    def reaches(self, host: str) -> bool:
        return host != self.unreached

    def nothing(self, name: str, rcode: int = dns.ENAME, server: TCPAddress = ONE) -> None:
        """Let a server know no addresses."""
        for kind in (dns.A, dns.AAAA):
            self.servers.answer(name, kind, rcode=rcode, server=server)


class DNSTests(LookupsCase):
    def test_both_kinds(self) -> None:
        """IPv4 and IPv6 addresses are asked for at once, and found with the shorter of their times."""
        self.lookups.begin("a.example", self.told.append)
        self.servers.answer("a.example", dns.AAAA, address("a.example", "2001:db8::1", 9))
        self.servers.answer("a.example", dns.A, address("a.example", "10.0.0.1", 30))
        self.assertEqual(self.told, [Answer(("10.0.0.1", "2001:db8::1"), 9)])
        self.assertEqual(self.system.asked, [])

    def test_one_kind(self) -> None:
        """That there is no address of one kind is no failure."""
        self.lookups.begin("a.example", self.told.append)
        self.servers.answer("a.example", dns.AAAA)
        self.servers.answer("a.example", dns.A, address("a.example", "10.0.0.1", 30))
        self.assertEqual(self.told, [Answer(("10.0.0.1",), 30)])

    def test_no_way(self) -> None:
        """Addresses of a kind that no way leads to come last: where one is used at a time it is not one of them."""
        self.unreached = "10.0.0.1"
        self.lookups.begin("a.example", self.told.append)
        self.servers.answer("a.example", dns.AAAA, address("a.example", "2001:db8::1"))
        self.servers.answer("a.example", dns.A, address("a.example", "10.0.0.1"))
        self.assertEqual(self.told[0].addresses, ("2001:db8::1", "10.0.0.1"))

    def test_hosts_win(self) -> None:
        """A name in hosts is asked of nobody."""
        self.lookups.begin("Known.example.", self.told.append)
        self.assertEqual((self.told, self.servers.log), ([Answer(("10.9.9.9",))], []))

    def test_servers_in_order(self) -> None:
        """The second server is asked when the first does not answer or can't tell, and then again, more patiently."""
        self.lookups.begin("a.example", self.told.append)
        self.servers.silent("a.example", dns.A)
        self.servers.answer("a.example", dns.A, rcode=dns.ESERVER, server=TWO)
        self.servers.answer("a.example", dns.A, address("a.example", "10.0.0.1"))
        self.servers.answer("a.example", dns.AAAA)
        asked = [(server, seconds) for server, _, kind, seconds in self.servers.log if kind == dns.A]
        self.assertEqual(asked, [(ONE, 2), (TWO, 2), (ONE, 4)])
        self.assertEqual(self.told[0].addresses, ("10.0.0.1",))

    def test_slow_kind(self) -> None:
        """A server that never answers for IPv6 keeps nobody waiting; what it did not say is told to be missing."""
        self.lookups.begin("a.example", self.told.append)
        self.servers.answer("a.example", dns.A, address("a.example", "10.0.0.1", 30))
        self.assertEqual(self.told, [])
        self.clock.pump([0.5] * int(GRACE * 2 + 3))
        self.assertEqual(self.told, [Answer(("10.0.0.1",), 30, frozenset({dns.AAAA}))])
        self.assertEqual(self.servers.asked, {})

    def test_aliases(self) -> None:
        """An alias that the server does not follow is followed here, and counts for the time."""
        self.lookups.begin("a.example", self.told.append)
        self.nothing_but_alias("a.example", "b.example", 7)
        self.nothing_but_alias("b.example", "c.example", 60)
        self.servers.answer("c.example", dns.A, address("c.example", "10.0.0.1", 30))
        self.servers.answer("c.example", dns.AAAA)
        self.assertEqual(self.told, [Answer(("10.0.0.1",), 7)])

    def nothing_but_alias(self, name: str, target: str, ttl: int) -> None:
        for kind in (dns.A, dns.AAAA):
            self.servers.answer(name, kind, alias(name, target, ttl))

    def test_endless_aliases(self) -> None:
        """Aliases without an end are given up, and so are those that lead to what is no name."""
        self.lookups.begin("a.example", self.told.append)
        for n in range(8):
            self.nothing_but_alias("a.example" if n == 0 else f"n{n}.example", f"n{n + 1}.example", 60)
        self.assertEqual((self.servers.asked, self.system.asked), ({}, ["a.example"]))
        self.lookups.begin("b.example", self.told.append)
        self.nothing_but_alias("b.example", "not a name", 60)
        self.assertEqual((self.servers.asked, self.system.asked), ({}, ["a.example", "b.example"]))

    def test_search(self) -> None:
        """A short name is tried in each domain until it exists."""
        self.lookups.begin("web", self.told.append)
        self.nothing("web.shop.test")
        self.nothing("web.corp.test", rcode=dns.OK)
        self.servers.answer("web", dns.A, address("web", "10.0.0.1"))
        self.servers.answer("web", dns.AAAA)
        self.assertEqual(self.servers.names, ["web.shop.test", "web.corp.test", "web"])
        self.assertEqual(self.told[0].addresses, ("10.0.0.1",))

    def test_no_search_without_an_answer(self) -> None:
        """While no server answers a name must not come to mean another one."""
        self.lookups.begin("web", self.told.append)
        for _ in range(2):
            for server in (ONE, TWO):
                for kind in (dns.A, dns.AAAA):
                    self.servers.silent("web.shop.test", kind, server)
        self.assertEqual(self.servers.names, ["web.shop.test"])
        self.assertEqual(self.servers.asked, {})

    def test_system_knows(self) -> None:
        """What DNS does not know is asked of the system, which may."""
        self.lookups.begin("a.example", self.told.append)
        for name in ("a.example", "a.example.shop.test", "a.example.corp.test"):
            self.nothing(name)
        self.assertEqual(self.told, [])
        self.system.answer("a.example", "10.0.0.5", "10.0.0.5")
        self.assertEqual(self.told, [Answer(("10.0.0.5",))])

    def test_nobody_knows(self) -> None:
        """What the system does not know either does not resolve."""
        self.lookups.begin("a.example.", self.told.append)
        self.nothing("a.example")
        self.system.answer("a.example.")
        self.assertEqual(self.told, [Answer()])

    def test_systems_names(self) -> None:
        """Names of this machine are the system's from the beginning."""
        self.lookups.begin("localhost", self.told.append)
        self.assertEqual((self.system.asked, self.servers.log), (["localhost"], []))

    def test_many(self) -> None:
        """Only so many names are asked for at one time; the others follow."""
        for n in range(MOST_AT_ONCE + 5):
            self.lookups.begin(f"n{n}.example", self.told.append)
        self.assertEqual(len(self.servers.names), MOST_AT_ONCE)
        for n in range(5):
            self.servers.answer(f"n{n}.example", dns.A, address(f"n{n}.example", "10.0.0.1"))
            self.servers.answer(f"n{n}.example", dns.AAAA)
        self.assertEqual((len(self.told), len(self.servers.names)), (5, MOST_AT_ONCE + 5))

    def test_all_fail_at_once(self) -> None:
        """Where nothing can be sent any more, those who wait fail one after the other, however many they are."""
        names = [f"n{n}.example." for n in range(MOST_AT_ONCE + 1000)]
        for name in names:
            self.lookups.begin(name, self.told.append)
        waiting = tuple(self.servers.asked.values())
        self.servers.down = True
        for question in waiting:
            question.errback(NoAnswer())
        self.assertCountEqual(self.system.asked, names)

    def test_forgotten(self) -> None:
        """A look-up that is forgotten asks nobody any more, whether it was under way, waited, or was the system's."""
        cancels = [self.lookups.begin(f"n{n}.example.", self.told.append) for n in range(MOST_AT_ONCE + 2)]
        cancels[-1]()
        self.nothing("n0.example")
        for cancel in cancels:
            cancel()
        self.assertEqual(self.servers.asked, {})
        self.assertNotIn(f"n{MOST_AT_ONCE + 1}.example", self.servers.names)
        self.system.answer("n0.example.", "10.0.0.1")
        self.assertEqual((self.told, self.system.asked), ([], ["n0.example."]))

    def test_changed(self) -> None:
        """A change of the files counts once it is looked for."""
        self.assertFalse(self.lookups.changed())
        (self.folder / "hosts").write_text("10.0.0.77 a.example\n")
        self.assertTrue(self.lookups.changed())
        self.lookups.begin("a.example", self.told.append)
        self.assertEqual(self.told, [Answer(("10.0.0.77",))])


class SystemTests(SynchronousTestCase):
    """The system's own resolver, whose calls can't be given up."""

    def test_never_answered(self) -> None:
        """Only a few calls for a name wait for an answer; whoever asks then is told with the latest of them."""
        reactor = ResolvingReactor()
        lookups = SystemLookups(reactor)
        told: list[list[Answer]] = [[] for _ in range(2 * MOST_CALLS)]
        forget = [lookups.begin("a.example", each.append) for each in told]
        lookups.begin("b.example", told[0].append)
        self.assertEqual(reactor.nameResolver.asked, ["a.example"] * MOST_CALLS + ["b.example"])
        forget[-1]()
        for _ in range(MOST_CALLS):
            reactor.nameResolver.answer("a.example", "10.0.0.1")
        self.assertEqual(told, [[Answer(("10.0.0.1",))] for _ in told[:-1]] + [[]])
        lookups.begin("a.example", told[-1].append)
        self.assertEqual(reactor.nameResolver.asked.count("a.example"), MOST_CALLS + 1)


class FindTests(SynchronousTestCase):
    """A look-up as a Deferred, by the system."""

    def setUp(self) -> None:
        self.reactor = ResolvingReactor()
        self.lookups = SystemLookups(self.reactor)

    def test_found(self) -> None:
        """It fires with the answer, also where that is known at once."""
        found = find(self.lookups, "a.example")
        self.assertNoResult(found)
        self.reactor.nameResolver.answer("a.example", "10.0.0.1")
        self.assertEqual(self.successResultOf(found), Answer(("10.0.0.1",)))
        self.reactor.nameResolver.at_once["b.example"] = ("10.0.0.2",)
        self.assertEqual(self.successResultOf(find(self.lookups, "b.example")), Answer(("10.0.0.2",)))

    def test_cancelled_by_another(self) -> None:
        """Where the first who is told gives up for the others, they are not told, and who comes after them is."""
        cancelled: list[Deferred[Answer]] = []
        for _ in range(MOST_CALLS - 1):
            find(self.lookups, "a.example")
        first, second, third = (find(self.lookups, "a.example") for _ in range(3))
        first.addCallback(lambda _: cancelled.append(second) or second.cancel())
        for _ in range(MOST_CALLS):
            self.reactor.nameResolver.answer("a.example", "10.0.0.1")
        self.assertEqual(cancelled, [second])
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.successResultOf(third), Answer(("10.0.0.1",)))


class GivenServersTests(LookupsCase):
    """Name servers of C{--dns-server}."""

    only_dns = True

    def test_nobody_else(self) -> None:
        """Who names servers wants nobody else to be asked: they may know other addresses."""
        self.lookups.begin("a.example.", self.told.append)
        self.nothing("a.example")
        self.lookups.begin("localhost.", self.told.append)
        self.nothing("localhost")
        self.assertEqual((self.told, self.system.asked), ([Answer(), Answer()], []))


class RealTests(TestCase):
    """With a real name server."""

    async def test_found(self) -> None:
        """Addresses of both kinds, behind an alias, with their time."""
        server = NameServer(reactor)
        server.start()
        self.addCleanup(server.stop)
        server.records = [
            alias("web.example", "a.example", 20),
            address("a.example", "10.0.0.1", 30),
            address("a.example", "2001:db8::1", 40),
        ]
        wheel = TimerWheel(reactor, 0.05)
        self.addCleanup(wheel.stop)
        files = NameFiles("edge", (TCPAddress("127.0.0.1", server.port),), self.mktemp())
        names: Any = reactor
        lookups = DNSLookups(DNSExchanges(reactor, wheel), files, wheel, SystemLookups(names), only_dns=True)
        told: Deferred[Answer] = Deferred()
        lookups.begin("web.example", told.callback)
        answer = await told
        self.assertEqual((set(answer.addresses), answer.ttl), ({"10.0.0.1", "2001:db8::1"}, 20))
