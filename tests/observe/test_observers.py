"""Tests of L{edgegate.observe.observers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.access_log import AccessLog
from edgegate.observe.counters import Counters
from edgegate.observe.events import Ended, Observer, RejectedConnection, RelayEnd
from edgegate.observe.log_lines import text_line
from edgegate.observe.observers import Observers
from tests.observe.test_log_lines import AnyConnection, AnyRequest


class Failing:
    """Fails whatever it is told."""

    def connection_taken(self) -> None:
        """Fail."""
        raise ZeroDivisionError

    def connection_refused(self) -> None:
        """Fail."""
        raise ZeroDivisionError

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """Fail."""
        raise ZeroDivisionError

    def request_ended(self, exchange: Ended) -> None:
        """Fail."""
        raise ZeroDivisionError

    def relay_ended(self, relay: RelayEnd) -> None:
        """Fail."""
        raise ZeroDivisionError


class ObserversTests(SynchronousTestCase):
    """Those who are told what happened."""

    def tell(self, *before: Observer) -> tuple[Counters, bytes]:
        """Tell everything, first those that are given; return what was counted and logged behind them."""
        written: list[bytes] = []
        log = AccessLog(text_line, written.append, lambda seconds: None)
        counters = Counters()
        observers = Observers([*before, counters, log])
        for _ in range(2):
            observers.connection_taken()
            observers.connection_refused()
            observers.connection_rejected(RejectedConnection("peer", "local", "timeout"))
            observers.request_ended(AnyRequest())
            observers.relay_ended(RelayEnd(AnyConnection()))
        log.flush()
        return counters, b"".join(written)

    def test_all_are_told(self) -> None:
        """Each is told of everything, once."""
        counters, lines = self.tell()
        self.assertEqual((counters.connections, counters.refused, counters.rejected), (2, 2, 2))
        self.assertEqual((counters.requests, counters.relays, lines.count(b"\n")), (2, 2, 6))

    def test_one_that_fails(self) -> None:
        """One that fails is nothing to the others, nor to who tells; its first error is logged, and no other."""
        counters, lines = self.tell(Failing())
        self.assertEqual((counters.connections, counters.refused, counters.rejected), (2, 2, 2))
        self.assertEqual((counters.requests, counters.relays, lines.count(b"\n")), (2, 2, 6))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.tell(Failing(), Failing())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
