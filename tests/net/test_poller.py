"""Tests of L{edgegate.net.poller}."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from time import monotonic
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface.verify import verifyObject

from edgegate.net.loop_lag import LoopLag
from edgegate.net.pace import SHARE
from edgegate.net.poller import Poller, paced, poller
from tests.net.pairs import tcp_pair, until


class Watched:
    """A descriptor that writes down what it is told."""

    def __init__(self, sock: socket.socket, fails: bool = False) -> None:
        self.sock = sock
        self.fails = fails
        self.told: list[str] = []
        self.client: str | None = None

    def fileno(self) -> int:
        return self.sock.fileno()

    def logPrefix(self) -> str:
        return "watched"

    def doRead(self) -> None:
        self.told.append("read")
        if self.fails:
            raise ZeroDivisionError
        self.sock.recv(100)

    def doWrite(self) -> None:
        self.told.append("write")

    def connectionLost(self, reason: Failure) -> None:
        self.told.append("lost")


def fail(*_: object) -> None:
    """Do what no descriptor should."""
    raise IndexError


class PollerTests(TestCase):
    """Watching in place of the reactor."""

    if not hasattr(select, "epoll"):
        skip = "there is no epoll"

    def setUp(self) -> None:
        """Watch nothing."""
        self.poller: Any = Poller(reactor)  # type: ignore[arg-type]

    def watched(self, fails: bool = False) -> tuple[Watched, socket.socket]:
        """Make a descriptor, and its other end."""
        ours, theirs = tcp_pair()
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        # before they are closed
        self.addCleanup(self.poller.removeAll)
        return Watched(ours, fails), theirs

    async def test_reading(self) -> None:
        """Who can read is told, until it is watched no more."""
        watched, theirs = self.watched()
        verifyObject(IReactorFDSet, self.poller)
        self.poller.addReader(watched)
        theirs.send(b"x")
        await until(lambda: watched.told == ["read"])
        self.assertEqual(self.poller.getReaders(), [watched])
        self.poller.removeReader(watched)
        theirs.send(b"x")
        other, others = self.watched()
        self.poller.addReader(other)
        others.send(b"x")
        await until(lambda: other.told)
        self.assertEqual(watched.told, ["read"])

    async def test_writing(self) -> None:
        """Who can write is told."""
        watched, _ = self.watched()
        self.poller.addWriter(watched)
        await until(lambda: watched.told)
        self.poller.removeWriter(watched)
        self.assertEqual((watched.told[0], self.poller.getWriters()), ("write", []))

    async def test_one_reader(self) -> None:
        """For the reactor it is one reader, and none when it watches nothing."""
        both = [self.watched()[0] for _ in range(2)]
        before = set(reactor.getReaders())  # type: ignore[attr-defined]
        for each in both:
            self.poller.addReader(each)
        self.assertEqual(set(reactor.getReaders()) - before, {self.poller})  # type: ignore[attr-defined]
        for each in both:
            self.poller.removeReader(each)
        self.assertEqual(set(reactor.getReaders()), before)  # type: ignore[attr-defined]

    async def test_failing(self) -> None:
        """What a descriptor raises is logged, and ends that one."""
        bad, theirs = self.watched(fails=True)
        good, others = self.watched()
        for each in (bad, good):
            self.poller.addReader(each)
        theirs.send(b"x")
        others.send(b"x")
        await until(lambda: good.told and "lost" in bad.told)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.poller.getReaders(), [good])

    async def test_exiting(self) -> None:
        """What is to end a process ends one descriptor, as in the reactor's own turns: the others are called on."""
        bad, theirs = self.watched()
        good, others = self.watched()

        def leave() -> None:
            raise SystemExit(1)

        bad.doRead = leave  # type: ignore[method-assign]
        for each in (bad, good):
            self.poller.addReader(each)
        theirs.send(b"x")
        await until(lambda: bad.told)
        others.send(b"x")
        await until(lambda: good.told)
        self.assertEqual(len(self.flushLoggedErrors(SystemExit)), 1)
        self.assertEqual(self.poller.getReaders(), [good])

    async def test_failing_behind_the_one_who_owns_it(self) -> None:
        """One that has handed its socket on before it fails ends with it: nobody else knows that it broke."""
        first, theirs = self.watched(fails=True)
        second = Watched(first.sock)

        def hand_on() -> None:
            self.poller.rest(first.fileno())
            self.poller.addReader(second)
            raise ZeroDivisionError

        first.doRead = hand_on  # type: ignore[method-assign]
        self.poller.addReader(first)
        theirs.send(b"x")
        await until(lambda: second.told)
        self.assertEqual((first.told, second.told, self.poller.getReaders()), (["lost"], ["lost"], []))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_failing_at_the_end_too(self) -> None:
        """Neither that nor what one that was to be called soon raises keeps the others from being called."""
        bad, theirs = self.watched(fails=True)
        worse, good = self.watched()[0], self.watched()
        for each in (bad, worse):
            each.connectionLost = fail  # type: ignore[method-assign]
        worse.doWrite = fail  # type: ignore[method-assign]
        self.poller.addReader(bad)
        self.poller.addReader(good[0])
        theirs.send(b"x")
        await until(lambda: "read" in bad.told)
        self.poller.soon(worse)
        await until(lambda: not self.poller._turning)
        good[1].send(b"x")
        await until(lambda: "read" in good[0].told)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(self.flushLoggedErrors(IndexError)), 3)

    async def test_dropped(self) -> None:
        """Whoever watches one that is dropped is told, once."""
        watched, _ = self.watched()
        self.assertFalse(self.poller.drop(watched.fileno(), Failure(ZeroDivisionError())))
        self.poller.addReader(watched)
        self.assertTrue(self.poller.drop(watched.fileno(), Failure(ZeroDivisionError())))
        self.assertEqual((watched.told, self.poller._watched), (["lost"], {}))

    async def test_number_used_again(self) -> None:
        """A descriptor's number that is used again in the same turn is another one's."""
        first, _ = self.watched()
        self.poller.addReader(first)
        self.poller.removeReader(first)
        first.sock.close()
        second, others = self.watched()
        self.poller.addReader(second)
        others.send(b"x")
        await until(lambda: second.told == ["read"])
        self.assertEqual(first.told, [])

    async def test_at_rest(self) -> None:
        """Who is at rest is not called, and the kernel is told so once it has something to say."""
        watched, theirs = self.watched()
        self.poller.addReader(watched)
        self.poller.rest(watched.fileno())
        self.assertEqual((self.poller.getReaders(), list(self.poller._watched)), ([], [watched.fileno()]))
        theirs.send(b"x")
        await until(lambda: not self.poller._watched)
        self.assertEqual(watched.told, [])
        self.poller.addReader(watched)
        await until(lambda: watched.told == ["read"])

    async def test_watched_after_another(self) -> None:
        """Who comes after another on the same socket is called in its place, and the kernel is not asked."""
        first, theirs = self.watched()
        second = Watched(first.sock)
        self.poller.addReader(first)
        self.poller.rest(first.fileno())
        self.poller.addReader(second)
        theirs.send(b"x")
        await until(lambda: second.told == ["read"])
        self.assertEqual(first.told, [])

    async def test_settled(self) -> None:
        """One that was at rest may be closed by anybody after that; its number is another's then."""
        first, _ = self.watched()
        self.poller.addReader(first)
        self.poller.rest(first.fileno())
        self.poller.settle(first.fileno())
        self.assertEqual(self.poller._watched, {})
        first.sock.close()
        second, others = self.watched()
        self.poller.addReader(second)
        others.send(b"x")
        await until(lambda: second.told == ["read"])

    async def test_forgotten(self) -> None:
        """One that is forgotten and closed leaves its number to another, also with others being watched."""
        other, _ = self.watched()
        self.poller.addReader(other)
        first, _ = self.watched()
        number = first.fileno()
        self.poller.addReader(first)
        self.poller.forget(number)
        first.sock.close()
        second, others = self.watched()
        self.assertEqual(second.fileno(), number)
        self.poller.addReader(second)
        others.send(b"x")
        await until(lambda: second.told == ["read"])
        self.assertEqual((first.told, self.poller.getReaders()), ([], [other, second]))

    async def test_soon(self) -> None:
        """Who is to be called soon is called once, whether anything is read meanwhile or not."""
        watched, theirs = self.watched()
        self.poller.soon(watched)
        self.assertEqual(watched.told, [])
        await until(lambda: watched.told)
        self.assertEqual(watched.told, ["write"])
        reader, other = Watched(watched.sock), self.watched()[0]

        def read() -> None:
            self.poller.soon(other)
            self.poller.soon(reader)
            reader.sock.recv(100)

        reader.doRead = read  # type: ignore[method-assign]
        reader.doWrite = lambda: self.assertEqual(other.told, ["write"])  # type: ignore[method-assign]
        self.poller.addReader(reader)
        theirs.send(b"x")
        await until(lambda: other.told)

    async def test_at_turn_end(self) -> None:
        """A call comes once, when all that came in the turn was read; those behind one that fails come all the same."""
        one, one_end = self.watched()
        two, two_end = self.watched()
        told: list[str] = []

        def read(which: Watched, name: str) -> None:
            which.sock.recv(100)
            told.append(name)
            self.poller.at_turn_end(lambda: told.append(f"after {name}"))

        one.doRead = lambda: read(one, "one")  # type: ignore[method-assign]
        two.doRead = lambda: read(two, "two")  # type: ignore[method-assign]
        self.poller.at_turn_end(lambda: 1 / 0)
        for each, end in ((one, one_end), (two, two_end)):
            end.send(b"x")
            self.poller.addReader(each)
        await until(lambda: len(told) == 4)
        self.assertEqual(sorted(told[:2]), ["one", "two"])
        self.assertEqual(told[2:], [f"after {name}" for name in told[:2]])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_put_off_again(self) -> None:
        """What is put off again and again is called in later turns, who was called in turn with who is new."""
        told: list[str] = []

        def work(name: str, left: int) -> None:
            told.append(name)
            self.poller.at_turn_end(lambda: told.append("end"))
            if left:
                self.poller.put_off(lambda: work(name, left - 1), name)

        self.poller.put_off(lambda: work("one", 3), "one")
        self.poller.put_off(lambda: 1 / 0, "bad")
        self.poller.put_off(lambda: work("two", 1), "two")
        self.assertEqual(told, [])
        await until(lambda: told.count("end") == 6)
        # who is new comes in between; one of them fails
        self.assertEqual([each for each in told if each != "end"], ["one", "one", "one", "two", "one", "two"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        # also after nothing was left
        self.poller.put_off(lambda: told.append("again"), "one")
        await until(lambda: told[-1] == "again")

    async def test_put_off_is_passed(self) -> None:
        """Whoever can be read is, before all is done that was put off; nothing is waited for."""
        self.poller = Poller(reactor, 5.0)  # type: ignore[arg-type]
        told: list[str] = []

        def work(left: int) -> None:
            until = monotonic() + 0.003
            while monotonic() < until:
                pass
            told.append("work")
            if left:
                self.poller.put_off(lambda: work(left - 1), "a")

        reader, theirs = self.watched()
        reader.doRead = lambda: told.append(reader.sock.recv(100).decode())  # type: ignore[method-assign]
        self.poller.addReader(reader)
        self.poller.put_off(lambda: work(20), "a")
        theirs.send(b"read")
        await until(lambda: len(told) == 22)
        self.assertLess(told.index("read"), 4)

    async def reads_before_others(self, hurries: bool = False) -> int:
        """Return how often one that has always something to read is called before the reactor's next call."""
        watched, theirs = self.watched()
        told: list[str] = []

        def read() -> None:
            watched.sock.recv(100)
            if not told:
                if hurries:
                    self.poller.hurry()
                reactor.callLater(0, lambda: told.append("later"))  # type: ignore[attr-defined]
            told.append("read")
            if "later" not in told:
                theirs.send(b"x")

        watched.doRead = read  # type: ignore[method-assign]
        self.poller.addReader(watched)
        theirs.send(b"x")
        await until(lambda: "later" in told)
        return told.index("later")

    def crowd(self, count: int, told: list[str]) -> None:
        """Have so many connections of one client ready, each of which takes a millisecond."""
        for _ in range(count):
            self.ready("greedy", told)

    def ready(
        self,
        name: str,
        told: list[str],
        again: bool = False,
        client: str = "",
        then: Callable[[], object] = lambda: None,
    ) -> None:
        """Have one connection of a client ready, or none's, of which it is written down that it was called."""
        watched, theirs = self.watched()

        def read() -> None:
            until = monotonic() + 0.001
            while monotonic() < until:
                pass
            told.append(name)
            then()
            if not again:
                watched.sock.recv(100)
                self.poller.removeReader(watched)

        watched.doRead = read  # type: ignore[method-assign]
        watched.client = client or name or None
        self.poller.addReader(watched)
        theirs.send(b"x")

    async def test_clients_in_turn(self) -> None:
        """Where more are ready than one turn has room for, clients have their turns, and backends before them."""
        lag = LoopLag(1e9)
        self.poller = Poller(reactor, lag=lag)  # type: ignore[arg-type]
        told: list[str] = []
        self.crowd(300, told)
        self.ready("good", told)
        crowded: list[bool] = []
        self.ready("", told, then=lambda: crowded.append(lag.crowded))
        await until(lambda: len(told) == 302)
        self.assertEqual(told[:4], ["", "greedy", "good", "greedy"])
        self.assertEqual(crowded, [True])
        # the last of them was so late, whoever else had come meanwhile
        self.assertGreater(lag.longest(monotonic()), 0.3)

    async def test_client_comes_meanwhile(self) -> None:
        """One that becomes ready while many others are called does not wait for all of those."""
        told: list[str] = []
        self.crowd(300, told)
        reactor.callLater(0.02, lambda: self.ready("good", told))  # type: ignore[attr-defined]
        await until(lambda: len(told) == 301)
        self.assertLess(told.index("good"), 100)

    async def test_one_client_that_is_always_ready(self) -> None:
        """All connections of a client have their turns, also where each has always something to read."""
        told: list[str] = []
        for number in range(300):
            self.ready(f"greedy {number}", told, again=True, client="greedy")
        await until(lambda: len(set(told)) == 300)
        self.assertLess(len(told), 1000)

    async def test_lag_of_many(self) -> None:
        """The loop is late where some are always ready, and never all of them are called in one turn."""
        lag = LoopLag(1e9)
        self.poller = Poller(reactor, lag=lag)  # type: ignore[arg-type]
        told: list[str] = []
        for number in range(300):
            self.ready(f"greedy {number}", told, again=True, client="greedy")
        await until(lambda: lag.longest(monotonic()))
        self.assertGreater(lag.longest(monotonic()), 0.1)

    async def test_lag_of_many_that_are_all_called(self) -> None:
        """The loop is late also where many are always ready and all of them are called each time."""
        lag = LoopLag(0.05)
        self.poller = Poller(reactor, lag=lag)  # type: ignore[arg-type]
        told: list[str] = []
        for _ in range(300):
            self.ready("", told, again=True)
        # each round takes more than 0.3 seconds
        await until(lambda: lag.late or len(told) > 3000)
        self.assertTrue(lag.late)

    async def test_backends_that_are_always_ready(self) -> None:
        """Clients have turns also where more comes from backends than there is time for."""
        told: list[str] = []
        for _ in range(300):
            self.ready("", told, again=True)
        for _ in range(2):
            self.ready("good", told)
        await until(lambda: told.count("good") == 2)
        self.assertLess(len(told), 1000)

    async def test_one_turn(self) -> None:
        """What comes during a turn is for the next, after the reactor's others."""
        self.assertEqual(await self.reads_before_others(), 1)

    async def test_waiting(self) -> None:
        """One that waits for more has it before the reactor's others have their turn, and these have it in the end."""
        self.poller = Poller(reactor, 5.0)  # type: ignore[arg-type]
        self.assertGreater(await self.reads_before_others(), 3)

    async def test_hurrying(self) -> None:
        """It does not wait where the reactor has something to call at once."""
        self.poller = Poller(reactor, 5.0)  # type: ignore[arg-type]
        self.assertEqual(await self.reads_before_others(hurries=True), 1)

    async def test_paced(self) -> None:
        """Expensive work is called at once while the turn has time for it, and the rest in turns of its own."""
        done: list[int] = []

        def work(number: int) -> None:
            done.append(number)
            over = monotonic() + SHARE
            while monotonic() < over:
                pass

        self.assertTrue(paced(self.poller, lambda: work(0), "a"))
        self.assertFalse(paced(self.poller, lambda: work(1), "a"))
        self.assertFalse(paced(self.poller, lambda: work(2), "a"))
        self.assertEqual(done, [0])
        await until(lambda: len(done) == 3)
        self.assertEqual(done, [0, 1, 2])

    async def test_put_off(self) -> None:
        """What is put off is called in a later turn, however much time there is in this one."""
        done: list[int] = []
        self.poller.put_off(lambda: done.append(1), "a")
        self.poller.put_off(lambda: done.append(2), "a")
        self.assertEqual(done, [])
        await until(lambda: done == [1, 2])

    async def test_paced_between(self) -> None:
        """Who is ready has a turn between two pieces of such work, and nobody is waited for meanwhile."""
        patient: Any = Poller(reactor, 5.0)  # type: ignore[arg-type]
        mine, other = tcp_pair()
        self.addCleanup(mine.close)
        self.addCleanup(other.close)
        watched = Watched(mine)
        patient.addReader(watched)
        self.addCleanup(patient.removeAll)
        done: list[int] = []

        def work() -> None:
            done.append(len(watched.told))
            over = monotonic() + SHARE
            while monotonic() < over:
                pass

        other.send(b"a")
        for _ in range(5):
            paced(patient, work, "a")
        began = monotonic()
        await until(lambda: len(done) == 5)
        self.assertLess(monotonic() - began, 4.0)
        self.assertEqual(done[-1], 1)

    async def test_lag(self) -> None:
        """It tells how long its turns take; who is ready after a long quiet does not find the loop late."""
        lag = LoopLag(1.0)
        lag.late = True
        patient: Any = poller(reactor, lag=lag)  # type: ignore[arg-type]
        mine, other = tcp_pair()
        self.addCleanup(mine.close)
        self.addCleanup(other.close)
        watched = Watched(mine)

        def slow() -> None:
            late.append(lag.late)
            over = monotonic() + 0.02
            while monotonic() < over:
                pass
            mine.recv(100)

        late: list[bool] = []

        watched.doRead = slow  # type: ignore[method-assign]
        patient.addReader(watched)
        self.addCleanup(patient.removeAll)
        other.send(b"a")
        await until(lambda: lag.longest(monotonic()))
        self.assertGreaterEqual(lag.longest(monotonic()), 0.02)
        self.assertEqual(late, [False])

    def test_elsewhere(self) -> None:
        """Where there is no poller such work is done at once."""
        done: list[int] = []
        self.assertTrue(paced(reactor, lambda: done.append(1), "a"))  # type: ignore[arg-type]
        self.assertEqual(done, [1])

    async def test_soon_failing(self) -> None:
        """What it raises is logged, and ends it; the others are called."""
        bad, good = self.watched()[0], self.watched()[0]
        bad.doWrite = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
        self.poller.soon(bad)
        self.poller.soon(good)
        await until(lambda: good.told)
        self.assertEqual((bad.told, good.told), (["lost"], ["write"]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class ChoiceTests(SynchronousTestCase):
    """Where there is no epoll."""

    def test_reactor(self) -> None:
        """The reactor itself does it."""
        plain = MemoryReactor()
        self.assertIsInstance(poller(plain), Poller)
        self.assertIs(poller(plain, epoll=False), plain)
