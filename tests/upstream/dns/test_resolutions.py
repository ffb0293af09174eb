from __future__ import annotations

from collections.abc import Callable
from random import Random

from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IResolutionReceiver
from twisted.internet.task import Clock
from twisted.logger import LogLevel, capturedLogs
from twisted.names import dns
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.answers import MAX_ADDRESSES
from edgegate.upstream.dns.lookups import Answer, Lookups, SystemLookups
from edgegate.upstream.dns.resolutions import LEAST_TTL, LOOK, LOST, MOST_TTL, REFRESH, RETRY, ResolvedName, Resolver
from tests.upstream.resolving import ResolvingReactor


class ResolverTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.reactor = ResolvingReactor()
        self.names = self.reactor.nameResolver
        self.resolver = Resolver(SystemLookups(self.reactor), TimerWheel(self.clock, 0.5), Random(1))
        self.changes: list[str] = []

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def changed(self) -> None:
        self.changes.append("changed")

    def test_fakes(self) -> None:
        """The resolver of these tests is what Twisted's interfaces say."""
        self.assertTrue(verifyObject(IReactorPluggableNameResolver, self.reactor))
        self.assertTrue(verifyObject(IHostnameResolver, self.names))
        self.resolver.watch("a.example", self.changed)
        self.assertTrue(verifyObject(IResolutionReceiver, self.names.pending[0][1]))

    def test_first_answer(self) -> None:
        """A name is asked at once; all its addresses of both families are kept, each once, in the answer's order."""
        name = self.resolver.watch("a.example", self.changed)
        self.assertEqual((name.addresses, name.answered), ((), False))
        self.names.answer("a.example", "2001:db8::1", "10.0.0.2", "10.0.0.1", "10.0.0.2")
        self.assertEqual(name.addresses, ("2001:db8::1", "10.0.0.2", "10.0.0.1"))
        self.assertTrue(name.answered)
        self.assertEqual(self.changes, ["changed"])

    def test_answered_at_once(self) -> None:
        """An answer that comes before the asking returned is in the result, and nobody is called."""
        self.names.at_once["a.example"] = ("10.0.0.1",)
        name = self.resolver.watch("a.example", self.changed)
        self.assertEqual((name.addresses, name.answered, self.changes), (("10.0.0.1",), True, []))

    def test_refresh(self) -> None:
        """A name is asked again every minute or so, one query at a time, and only a change is told."""
        name = self.resolver.watch("a.example", self.changed)
        self.advance(100)
        self.assertEqual(len(self.names.asked), 1)
        self.names.answer("a.example", "10.0.0.1")
        self.advance(REFRESH * 0.9 - 1)
        self.assertEqual(len(self.names.asked), 1)
        self.advance(REFRESH * 0.2 + 2)
        self.assertEqual(len(self.names.asked), 2)
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.changes, ["changed"])
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", "10.0.0.7", "10.0.0.1")
        self.assertEqual(self.changes, ["changed"] * 2)
        self.assertEqual(set(name.addresses), {"10.0.0.1", "10.0.0.7"})

    def test_rotation_is_no_change(self) -> None:
        """Name servers rotate their answers: another order of the same addresses changes but the first one."""
        name = self.resolver.watch("a.example", self.changed)
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", "10.0.0.2", "10.0.0.1")
        self.assertEqual(name.addresses, ("10.0.0.1", "10.0.0.2"))
        self.assertEqual(name.first, "10.0.0.2")

    def test_failure_keeps_the_old(self) -> None:
        """When DNS fails the old addresses are kept, it is asked again soon, and the log says so once."""
        name = self.resolver.watch("a.example", self.changed)
        self.names.answer("a.example", "10.0.0.1")
        self.advance(REFRESH * 1.1 + 1)
        with capturedLogs() as captured:
            self.names.answer("a.example")
            self.advance(RETRY * 1.1 + 1)
            self.names.answer("a.example")
            self.advance(2 * RETRY * 1.1 + 1)
            self.assertEqual(name.addresses, ("10.0.0.1",))
            self.names.answer("a.example", "10.0.0.1")
        self.assertEqual([event["log_level"] for event in captured], [LogLevel.warn, LogLevel.info])
        self.assertEqual(self.changes, ["changed"])

    def test_first_failure(self) -> None:
        """That a name does not resolve is an outcome too, and those who wait are told."""
        name = self.resolver.watch("a.example", self.changed)
        self.names.answer("a.example")
        self.assertEqual((name.addresses, name.answered, self.changes), ((), True, ["changed"]))

    def test_retries_grow_rarer(self) -> None:
        """A name that never resolves is asked more and more rarely, down to once a minute."""
        self.resolver.watch("a.example", self.changed)
        waits = []
        for _ in range(8):
            self.names.answer("a.example")
            start = self.clock.seconds()
            while not self.names.pending:
                self.advance(0.5)
            waits.append(self.clock.seconds() - start)
        for wait, expected in zip(waits, (5, 10, 20, 40, 60, 60, 60, 60), strict=True):
            self.assertTrue(expected * 0.9 <= wait <= expected * 1.1 + 1.5, waits)

    def test_lost_query(self) -> None:
        """A query that never ends is taken for failed after two minutes, and what it still brings is passed over."""
        name = self.resolver.watch("a.example", self.changed)
        self.advance(LOST + 1)
        self.assertTrue(name.answered)
        self.advance(RETRY * 1.1 + 1)
        self.assertEqual(len(self.names.asked), 2)
        self.names.answer("a.example", "10.0.0.9")
        self.assertEqual(name.addresses, ())
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(name.addresses, ("10.0.0.1",))

    def test_shared(self) -> None:
        """Two who watch a name share its queries; it is at rest once neither watches any more."""
        others: list[str] = []

        def other() -> None:
            others.append("changed")

        one = self.resolver.watch("a.example", self.changed)
        self.assertIs(self.resolver.watch("a.example", other), one)
        self.assertEqual(self.names.asked, ["a.example"])
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual((self.changes, others), (["changed"], ["changed"]))
        self.resolver.unwatch("a.example", self.changed)
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", "10.0.0.2")
        self.assertEqual((self.changes, others), (["changed"], ["changed"] * 2))
        self.resolver.unwatch("a.example", other)
        self.advance(REFRESH * 2)
        self.assertEqual(len(self.names.asked), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """After the stop nothing is asked, nobody is called, and no timer is left."""
        self.resolver.watch("a.example", self.changed)
        self.resolver.watch("b.example", self.changed)
        self.names.answer("b.example", "10.0.0.1")
        self.resolver.stop()
        self.names.answer("a.example", "10.0.0.1")
        self.advance(LOST + REFRESH * 2)
        self.assertEqual(self.names.asked, ["a.example", "b.example"])
        self.assertEqual(self.changes, ["changed"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.resolver.unwatch("a.example", self.changed)

    def test_unaskable(self) -> None:
        """What cannot be a host name is never asked for: it does not resolve."""
        for host in ("a" * 64 + ".example", "a..b", "nul\0.example", "b\u00fccher.example", "", "a b", "x." * 130):
            name = self.resolver.watch(host, self.changed)
            self.assertEqual((name.addresses, name.answered), ((), True))
        self.assertEqual(self.names.asked, [])

    def test_askable(self) -> None:
        """Names of one label, with underscores, and with the final dot are asked for as they are."""
        hosts = ["localhost", "_web.my_service", "example.org.", "A.Example"]
        for host in hosts:
            self.resolver.watch(host, self.changed)
        self.assertEqual(self.names.asked, hosts)

    def test_too_many_addresses(self) -> None:
        """Of a name with countless addresses a bounded number is kept."""
        name = self.resolver.watch("a.example", self.changed)
        self.names.answer("a.example", *[f"10.0.{n // 250}.{n % 250}" for n in range(1000)])
        self.assertEqual(len(name.addresses), MAX_ADDRESSES)

    def test_repr(self) -> None:
        """Its state can be read in a log or a test's failure."""
        name = self.resolver.watch("a.example", self.changed)
        self.assertEqual(repr(name), "<ResolvedName a.example: no address>")
        self.names.answer("a.example", "10.0.0.1", "::1")
        self.assertEqual(repr(name), "<ResolvedName a.example: 10.0.0.1, ::1>")


class FakeLookups:
    """
    Look-ups that a test answers by hand.

    @ivar asked: Those under way, by name.
    @ivar cancelled: Names that were forgotten.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, Callable[[Answer], None]]] = []
        self.cancelled: list[str] = []
        self.differs = False

    def begin(self, name: str, tell: Callable[[Answer], None]) -> Callable[[], None]:
        entry = (name, tell)
        self.asked.append(entry)

        def cancel() -> None:
            if entry in self.asked:
                self.asked.remove(entry)
                self.cancelled.append(name)

        return cancel

    def changed(self) -> bool:
        differs, self.differs = self.differs, False
        return differs

    def answer(self, *addresses: str, ttl: float | None = None, missing: tuple[int, ...] = ()) -> None:
        self.asked.pop(0)[1](Answer(addresses, ttl, frozenset(missing)))


class TimesTests(SynchronousTestCase):
    """How long answers are relied on, and what becomes of those that know only a part."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.lookups = FakeLookups()
        fake: Lookups = self.lookups
        self.resolver = Resolver(fake, TimerWheel(self.clock, 0.5), Random(1))
        self.changes: list[str] = []

    def watch(self) -> ResolvedName:
        return self.resolver.watch("a.example", lambda: self.changes.append("changed"))

    def wait(self) -> float:
        """Return the seconds until the name is asked for again."""
        start = self.clock.seconds()
        while not self.lookups.asked:
            self.clock.advance(0.5)
        return self.clock.seconds() - start

    def test_times(self) -> None:
        """A name is asked again when its answer has grown old: not before, but within bounds."""
        self.watch()
        for ttl, seconds in ((0, LEAST_TTL), (1, 1), (30, 30), (300, 300), (86400, MOST_TTL)):
            self.lookups.answer("10.0.0.1", ttl=ttl)
            wait = self.wait()
            self.assertTrue(seconds <= wait <= seconds * 1.1 + 1.5, (ttl, wait))

    def test_no_time(self) -> None:
        """Where nobody says how long, it is a minute or so."""
        self.watch()
        self.lookups.answer("10.0.0.1")
        self.assertTrue(REFRESH * 0.9 <= self.wait() <= REFRESH * 1.1 + 1.5)

    def test_part(self) -> None:
        """Where the query for one kind failed, the addresses of that kind are those from before."""
        name = self.watch()
        self.lookups.answer("10.0.0.1", "10.0.0.2", "2001:db8::1", ttl=1)
        self.wait()
        self.lookups.answer("10.0.0.1", ttl=1, missing=(dns.AAAA,))
        self.assertEqual(set(name.addresses), {"10.0.0.1", "2001:db8::1"})
        self.wait()
        self.lookups.answer("10.0.0.1", ttl=1)
        self.assertEqual(name.addresses, ("10.0.0.1",))

    def test_files_change(self) -> None:
        """When names may be found in another way all are asked for at once, and what was under way is given up."""
        self.watch()
        self.lookups.answer("10.0.0.1", ttl=300)
        self.resolver.watch("b.example", lambda: None)
        self.lookups.differs = True
        self.clock.pump([0.5] * int(LOOK * 2 + 4))
        self.assertEqual([name for name, _ in self.lookups.asked], ["a.example", "b.example"])
        self.assertEqual(self.lookups.cancelled, ["b.example"])

    def test_end(self) -> None:
        """A look-up that nobody waits for any more is given up, and no timer is left."""
        one = self.watch()
        changed = self.changes.clear
        self.resolver.watch("b.example", changed)
        self.resolver.unwatch("b.example", changed)
        self.assertEqual(self.lookups.cancelled, ["b.example"])
        self.resolver.stop()
        self.assertEqual(self.lookups.cancelled, ["b.example", "a.example"])
        self.clock.pump([0.5] * 100)
        self.assertEqual((one.answered, self.clock.getDelayedCalls()), (False, []))
