"""Tests of L{edgegate.overload.connections}."""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.net.client_counts import NOBODY, ClientCounts
from edgegate.overload.connections import ConnectionCounts, Port, client_of
from edgegate.overload.limits import NO_LIMIT, OverloadLimits


class Gate:
    """A port that remembers how often it was told to go on."""

    def __init__(self) -> None:
        self.taken = self.resumed = 0

    def resume(self) -> None:
        """Go on."""
        self.resumed += 1


class ConnectionCountsTests(SynchronousTestCase):
    """Counting connections."""

    def setUp(self) -> None:
        """Have no connection, of which none will be idle."""
        self.clock = Clock()
        self.looked: list[tuple[int, Port | None, Hashable]] = []
        self.idle = 0
        self.took = 0.0
        self.port = Gate()

    def introduced(self, counts: ConnectionCounts, client: Hashable) -> ClientCounts:
        """A client has connected that may."""
        found = counts.introduce(client)
        assert found is not None
        return found

    def counts(
        self, connections: int = 2, port: int = NO_LIMIT, client: int = NO_LIMIT, requests: int = NO_LIMIT
    ) -> ConnectionCounts:
        """Make the count."""

        def end_idle(count: int, port: Port | None, client: Hashable) -> int:
            self.looked.append((count, port, client))
            self.clock.advance(self.took)
            return self.idle

        limits = OverloadLimits(connections, port, client, client_requests=requests)
        return ConnectionCounts(limits, self.clock, end_idle)

    def test_room(self) -> None:
        """There is room until the limit is reached; then idle ones are to end, and who waits is told of room."""
        counts = self.counts()
        for _ in range(2):
            self.assertTrue(counts.has_room(self.port))
            counts.take(self.port)
        self.assertTrue(counts.full(self.port))
        with capturedLogs() as events:
            self.assertFalse(counts.has_room(self.port))
            self.assertFalse(counts.has_room(self.port))
        self.assertEqual((self.looked, counts.waits, len(events)), ([(1, None, None)], 1, 1))
        self.assertEqual(counts.port_waits, 0)
        self.assertIn("in all", str(formatEvent(events[0])))
        counts.release(self.port, NOBODY)
        self.assertEqual((self.port.resumed, counts.total, self.port.taken), (1, 1, 1))
        self.assertTrue(counts.has_room(self.port))
        counts.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_looks_again(self) -> None:
        """Where none was idle it is looked again a little later; not each time that one comes."""
        counts = self.counts(1)
        counts.take(self.port)
        for _ in range(3):
            counts.has_room(self.port)
        self.assertEqual(len(self.looked), 1)
        self.clock.advance(0.05)
        self.assertEqual(self.port.resumed, 1)
        counts.has_room(self.port)
        self.assertEqual(len(self.looked), 2)
        counts.stop()

    def test_port(self) -> None:
        """A port that has its fill looks among its own, and is nothing to another."""
        counts = self.counts(10, port=1)
        other = Gate()
        counts.take(self.port)
        self.assertFalse(counts.has_room(self.port))
        self.assertTrue(counts.has_room(other))
        self.assertEqual((self.looked, counts.waits, counts.port_waits), ([(1, self.port, None)], 0, 1))
        # what ends elsewhere is no room for it
        counts.take(other)
        counts.release(other, NOBODY)
        self.assertEqual(self.port.resumed, 0)
        counts.forget(self.port)
        counts.release(self.port, NOBODY)
        self.assertEqual(self.port.resumed, 0)
        counts.stop()

    def test_each_port_looks(self) -> None:
        """Where one port has none that lies idle, another may have some."""
        counts = self.counts(1000, port=64)
        other = Gate()
        for port in (self.port, other):
            for _ in range(64):
                counts.take(port)
            for _ in range(2):
                self.assertFalse(counts.has_room(port))
        self.assertEqual(self.looked, [(8, self.port, None), (8, other, None)])
        counts.make_room()
        self.assertEqual(self.looked[2:], [(8, None, None)])
        counts.forget(other)
        counts.has_room(other)
        self.assertEqual(self.looked[3:], [(8, other, None)])
        counts.stop()

    def test_many_at_once(self) -> None:
        """Where there are many, some end at once."""
        for there, ended in ((6400, 100), (320, 8), (24, 3), (7, 1)):
            self.looked.clear()
            port = Gate()
            counts = self.counts(there)
            for _ in range(there):
                counts.take(port)
            counts.has_room(port)
            self.assertEqual(self.looked, [(ended, None, None)])
            counts.stop()

    def test_client(self) -> None:
        """Who has too many is refused, unless some of the client's own lie idle; others are not concerned."""
        counts = self.counts(10, client=1)
        found = []
        for client in ("192.0.2.1", "192.0.2.2", None, None):
            counts.take(self.port)
            found.append(self.introduced(counts, client))
        self.assertEqual([each.client for each in found], ["192.0.2.1", "192.0.2.2", None, None])
        counts.take(self.port)
        self.assertIsNone(counts.introduce("192.0.2.1"))
        counts.release(self.port, NOBODY)
        self.assertIsNone(counts.introduce("192.0.2.1"))
        self.assertEqual((self.looked, counts.refused, counts.greediest), ([(1, None, "192.0.2.1")], 2, 1))
        self.clock.advance(0.05)
        self.idle = 1
        counts.take(self.port)
        again = self.introduced(counts, "192.0.2.1")
        self.assertEqual((again is found[0], counts.greediest), (True, 2))
        for each in (*found, again):
            counts.release(self.port, each)
        self.assertEqual((counts.greediest, counts.total, NOBODY.connections), (0, 0, 0))

    def test_client_with_many_idle(self) -> None:
        """As many as end make room for as many, without looking through all for each."""
        counts = self.counts(1000, client=80)
        for _ in range(80):
            counts.take(self.port)
            known = self.introduced(counts, "192.0.2.1")
        self.idle = 8
        for number in range(1, 17):
            counts.take(self.port)
            self.assertIs(counts.introduce("192.0.2.1"), known)
            self.assertEqual(len(self.looked), (number + 7) // 8)
        for _ in range(20):
            counts.release(self.port, known)
        self.idle = 0
        for expected in (known, known, known, known, None):
            self.assertIs(counts.introduce("192.0.2.1"), expected)

    def test_requests_of_a_client(self) -> None:
        """Connections of a client share how many requests it may have, with or without a limit for connections."""
        for connections in (NO_LIMIT, 9):
            counts = self.counts(10, client=connections, requests=3)
            first, second, other = (self.introduced(counts, client) for client in ("a", "a", "b"))
            self.assertEqual((first is second, first is other, first.most_requests), (True, False, 3))
            second.requests += 2
            self.assertEqual(counts.most_asking, 2)
        self.assertIs(self.counts(10).introduce("a"), NOBODY)

    def test_looks_that_take_long(self) -> None:
        """Looking for connections of clients takes a small part of the time, however many clients have too many."""
        counts = self.counts(1000, client=1)
        for client in ("192.0.2.1", "192.0.2.2"):
            counts.take(self.port)
            counts.introduce(client)
        self.idle, self.took = 1, 0.01
        self.assertTrue(counts.introduce("192.0.2.1"))
        self.assertFalse(counts.introduce("192.0.2.2"))
        self.clock.advance(0.19)
        self.assertFalse(counts.introduce("192.0.2.2"))
        self.clock.advance(0.02)
        self.assertTrue(counts.introduce("192.0.2.2"))
        self.assertEqual([client for _, _, client in self.looked], ["192.0.2.1", "192.0.2.2"])

    def test_whose(self) -> None:
        """A client has one address of IPv4, or a /64 of IPv6; who connects to a file has none."""
        self.assertEqual(client_of(TCPAddress("192.0.2.1", 1)), client_of(TCPAddress("192.0.2.1", 2)))
        self.assertNotEqual(client_of(TCPAddress("192.0.2.1", 1)), client_of(TCPAddress("192.0.2.2", 1)))
        self.assertEqual(client_of(TCPAddress("2001:db8::1", 1)), client_of(TCPAddress("2001:db8::2:0:0:1%eth0", 1)))
        self.assertNotEqual(client_of(TCPAddress("2001:db8::1", 1)), client_of(TCPAddress("2001:db8:0:1::1", 1)))
        self.assertIsNone(client_of(UNIXAddress("/run/web")))
