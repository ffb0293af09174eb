"""Tests of L{edgegate.server.connections}."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.listener import DownstreamListener
from edgegate.http.interfaces import Served
from edgegate.http.overdue import Overdue
from edgegate.model.addresses import TCPAddress
from edgegate.overload.idle import LongestIdle
from edgegate.server.connections import end_idle, end_idle_of, end_overdue, most_connections, renew


class Port:
    """
    A port under a new Snapshot.

    @ivar leaving: Whether it is in the files no longer.
    @ivar terms: What becomes of a connection.
    """

    def __init__(self, leaving: bool, terms: object) -> None:
        self.leaving = leaving
        self.terms = terms

    def current(self, downstream: object) -> object:
        """Return a connection as it is to be served."""
        return self.terms


class Channel:
    """
    A connection that came by a port.

    @ivar told: What it was told to do.
    """

    def __init__(self, leaving: bool = False, terms: object = None) -> None:
        self.downstream = self
        self.entry = Port(leaving, terms)
        self.told: list[object] = []

    def move(self, downstream: object) -> None:
        """Go on."""
        self.told.append(downstream)

    def retire(self) -> None:
        """End with the next answer."""
        self.told.append("retire")

    def drain(self) -> None:
        """End with what is under way."""
        self.told.append("drain")

    def end_overdue(self, overdue: object) -> None:
        """End what has taken too long."""
        self.told.append(overdue)


class Broken(Channel):
    """One that can't go on."""

    def move(self, downstream: object) -> None:
        """Fail."""
        raise ZeroDivisionError

    def end_overdue(self, overdue: object) -> None:
        """Fail."""
        raise ZeroDivisionError


class Lying(Channel):
    """
    One that lies idle.

    @ivar ends: Whether it ends when it is to give way; L{None}: it fails.
    """

    def __init__(self, since: float, ends: bool | None, host: str = "192.0.2.1") -> None:
        super().__init__()
        self.since = since
        self.ends = ends
        self.peer = TCPAddress(host, 1)

    def idle_since(self) -> float:
        """Return since when."""
        return self.since

    def give_way(self) -> bool:
        """Remember it."""
        self.told.append("give way")
        if self.ends is None:
            raise ZeroDivisionError
        return self.ends


class Listening:
    """A port with connections that are not told apart yet."""

    def __init__(self, *pending: Lying) -> None:
        self.pending = set(pending)


class ConnectionsTests(SynchronousTestCase):
    """Connections when the Snapshot is replaced."""

    def test_renew(self) -> None:
        """One goes on under new files where its port and its terms are there, and is nothing to the others."""
        terms = "as it is now"
        channels = [Broken(terms=terms), Channel(terms=terms), Channel(), Channel(leaving=True, terms=terms)]
        renew(cast("list[Served]", channels))
        self.assertEqual([channel.told for channel in channels], [[], [terms], ["drain"], ["retire"]])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_idle(self) -> None:
        """Those are counted that end when they are told to; those that are busy, or another's, are not told."""
        pending = Lying(5.0, True)
        port = Listening(pending)
        lying = [
            Lying(1.0, True),
            Lying(2.0, False),
            Lying(3.0, None),
            Lying(11.0, True),
            Lying(0.0, True, "192.0.2.2"),
        ]
        for each in lying:
            each.entry = cast(Port, port)
        channels, ports = cast("list[Served]", lying), cast("list[DownstreamListener]", [port])
        self.assertEqual(end_idle_of(channels, ports, 10.0, 10, "192.0.2.1"), 2)
        self.assertEqual([len(each.told) for each in (*lying, pending)], [1, 1, 1, 0, 0, 1])
        self.assertEqual(end_idle_of(channels, ports, 10.0, 3), 2)
        self.assertEqual([len(each.told) for each in (*lying, pending)], [2, 2, 1, 0, 1, 1])
        idle, everybody = LongestIdle(), set(channels)
        self.assertEqual(end_idle(everybody, ports, 10.0, 3, idle), 2)
        everybody.discard(channels[2])
        port.pending.clear()
        self.assertEqual(end_idle(everybody, ports, 10.0, 3, idle), 2)
        self.assertEqual([len(each.told) for each in (*lying, pending)], [4, 4, 1, 0, 3, 1])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_overdue(self) -> None:
        """Each is asked for what has taken too long; one that fails is nothing to the others."""
        overdue = Overdue(0.0, 0.0, 0.0)
        channels = [Broken(), Channel()]
        end_overdue(cast("list[Served]", channels), overdue)
        self.assertEqual([channel.told for channel in channels], [[], [overdue]])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_most(self) -> None:
        """Descriptors are left for backends."""
        self.assertGreaterEqual(most_connections(), 16)
