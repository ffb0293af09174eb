"""Tests of L{edgegate.server.connections}."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.interfaces import Served
from edgegate.server.connections import most_connections, renew


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


class Broken(Channel):
    """One that can't go on."""

    def move(self, downstream: object) -> None:
        """Fail."""
        raise ZeroDivisionError


class ConnectionsTests(SynchronousTestCase):
    """Connections when the Snapshot is replaced."""

    def test_renew(self) -> None:
        """One goes on under new files where its port and its terms are there, and is nothing to the others."""
        terms = "as it is now"
        channels = [Broken(terms=terms), Channel(terms=terms), Channel(), Channel(leaving=True, terms=terms)]
        renew(cast("list[Served]", channels))
        self.assertEqual([channel.told for channel in channels], [[], [terms], ["drain"], ["retire"]])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_most(self) -> None:
        """Descriptors are left for backends."""
        self.assertGreaterEqual(most_connections(), 16)
