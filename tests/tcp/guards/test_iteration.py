"""Tests for L{edgegate.tcp.guards.iteration}."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECTION_DENIED, GUARD_FAILED, Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.tcp.guards.interfaces import WAITING, ConnectionFilter, Decided, Waiting
from edgegate.tcp.guards.iteration import ConnectionIteration
from tests.tcp.test_routes import downstream


class Told(ConnectionFilter):
    """Says what it is told."""

    name = "told"

    def __init__(self, says: Fault | Waiting | Exception | None) -> None:
        self.says = says
        self.decided: list[Callable[[Fault | None], None]] = []

    def judge(self, connection: ConnectionInfo, decided: Decided) -> Fault | Waiting | None:
        """Say it."""
        self.decided.append(decided)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


class IterationTests(SynchronousTestCase):
    """Connections and their guards."""

    def begin(self, *filters: Told) -> ConnectionIteration:
        """Let a connection begin."""
        self.found: list[Fault | None] = []
        iteration = ConnectionIteration(filters, downstream(), self.found.append)
        iteration.start()
        return iteration

    def test_at_once(self) -> None:
        """It passes where all let it, and the first that refuses it is the last."""
        self.begin(Told(None), Told(None))
        self.assertEqual(self.found, [None])
        never = Told(None)
        self.begin(Told(None), Told(CONNECTION_DENIED), never)
        self.assertEqual((self.found, never.decided), ([CONNECTION_DENIED], []))
        self.begin()
        self.assertEqual(self.found, [None])

    def test_later(self) -> None:
        """One may ask somebody; only its first answer counts."""
        asking, last = Told(WAITING), Told(None)
        self.begin(asking, last)
        self.assertEqual(self.found, [])
        asking.decided[0](None)
        self.assertEqual(self.found, [None])
        asking.decided[0](CONNECTION_DENIED)
        self.assertEqual(self.found, [None])
        asking = Told(WAITING)
        self.begin(asking, Told(None))
        asking.decided[0](CONNECTION_DENIED)
        asking.decided[0](None)
        self.assertEqual(self.found, [CONNECTION_DENIED])

    def test_gone(self) -> None:
        """Of a connection that is gone nothing is told."""
        asking = Told(WAITING)
        self.begin(asking).cancel()
        asking.decided[0](None)
        self.assertEqual(self.found, [])
        cancelled: list[str] = []
        asked, asking = (
            Told(Waiting(lambda: cancelled.append("asked"))),
            Told(Waiting(lambda: cancelled.append("asks"))),
        )
        iteration = self.begin(asked, asking)
        asked.decided[0](None)
        iteration.cancel()
        iteration.cancel()
        self.assertEqual(cancelled, ["asks"])

    def test_broken(self) -> None:
        """One that fails refuses."""
        self.begin(Told(ZeroDivisionError()), Told(None))
        self.assertEqual(self.found, [GUARD_FAILED])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
