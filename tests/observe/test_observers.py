"""Tests of L{edgegate.observe.observers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.access_log import AccessLog, LineOutput, line_of
from edgegate.observe.events import Connection, Ended, RejectedConnection, RelayEnd, UpstreamTry
from edgegate.observe.log_lines import text_line
from edgegate.observe.observer import Observer
from edgegate.observe.observers import Observers
from tests.observe.counters import Counters
from tests.observe.test_log_lines import AnyConnection, AnyRequest


class Recording:
    """
    Wants to be told of everything.

    @ivar told: The events, in order.
    """

    def __init__(self) -> None:
        self.told: list[str] = []

    def connection_taken(self) -> None:
        """Write it down."""
        self.note("taken")

    def connection_refused(self) -> None:
        """Write it down."""
        self.note("refused")

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """Write it down."""
        self.note(f"rejected: {rejected.reason}")

    def connection_began(self, connection: Connection) -> None:
        """Write it down."""
        self.note(f"{connection.peer} began")

    def connection_ended(self, connection: Connection) -> None:
        """Write it down."""
        self.note(f"{connection.peer} ended")

    def request_began(self, exchange: Ended) -> None:
        """Write it down."""
        self.note("request began")

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """Write it down."""
        self.note(f"try {tried.number} of {tried.endpoint}: {tried.status}")

    def request_ended(self, exchange: Ended) -> None:
        """Write it down."""
        self.note("request ended")

    def relay_began(self, connection: Connection) -> None:
        """Write it down."""
        self.note("relay began")

    def relay_ended(self, relay: RelayEnd) -> None:
        """Write it down."""
        self.note("relay ended")

    def note(self, event: str) -> None:
        """Write an event down."""
        self.told.append(event)


class Failing(Recording):
    """Fails whatever it is told."""

    def note(self, event: str) -> None:
        """Fail."""
        raise ZeroDivisionError


class Exiting(Recording):
    """Would end the process."""

    def note(self, event: str) -> None:
        """Leave."""
        raise SystemExit(1)


class Tries:
    """
    Wants to be told of tries, and of nothing else.

    @ivar told: Those that were.
    """

    def __init__(self) -> None:
        self.told: list[UpstreamTry] = []

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """Write it down."""
        self.told.append(tried)


def tell(observers: Observers) -> None:
    """Tell everything."""
    connection, request = AnyConnection(), AnyRequest()
    observers.connection_taken()
    observers.connection_refused()
    observers.connection_rejected(RejectedConnection("peer", "local", "timeout"))
    observers.connection_began(connection)
    observers.request_began(request)
    observers.upstream_tried(UpstreamTry(request, 1, "backend", 0.0, 0.1, 200))
    observers.request_ended(request)
    observers.connection_ended(connection)
    observers.relay_began(connection)
    observers.relay_ended(RelayEnd(connection))


class Leaving:
    """
    Is removed as soon as it is told.

    @ivar told: How often it was.
    """

    def __init__(self, observers: Observers) -> None:
        self._observers = observers
        self.told = 0

    def request_ended(self, exchange: Ended) -> None:
        """Leave."""
        self.told += 1
        self._observers.remove(self)


class ObserversTests(SynchronousTestCase):
    """Those who are told what happened."""

    def tell(self, *before: Observer) -> tuple[Counters, bytes]:
        """Tell everything twice, first those that are given; return what was counted and logged behind them."""
        written: list[bytes] = []
        log = AccessLog([LineOutput(line_of(text_line), written.append)], lambda seconds: None)
        counters = Counters()
        observers = Observers([*before, counters, log])
        for _ in range(2):
            tell(observers)
        log.flush()
        return counters, b"".join(written)

    def test_all_are_told(self) -> None:
        """Each is told of everything that it wants, once."""
        counters, lines = self.tell()
        self.assertEqual((counters.connections, counters.refused, counters.rejected), (2, 2, 2))
        self.assertEqual((counters.requests, counters.relays, lines.count(b"\n")), (2, 2, 6))

    def test_events(self) -> None:
        """An observer with all methods is told of all events."""
        recording = Recording()
        tell(Observers([recording]))
        peer = AnyConnection().peer
        self.assertEqual(
            recording.told,
            [
                "taken",
                "refused",
                "rejected: timeout",
                f"{peer} began",
                "request began",
                "try 1 of backend: 200",
                "request ended",
                f"{peer} ended",
                "relay began",
                "relay ended",
            ],
        )

    def test_wanted(self) -> None:
        """What nobody wants need not be told; one who wants an event has a method for it."""
        tries, recording = Tries(), Recording()
        wanted = [
            (each.wants_connections, each.wants_requests_begun, each.wants_tries)
            for each in (Observers([]), Observers([Counters()]), Observers([tries]), Observers([tries, recording]))
        ]
        self.assertEqual(wanted, [(False,) * 3, (False,) * 3, (False, False, True), (True,) * 3])
        tell(Observers([tries]))
        self.assertEqual([each.endpoint for each in tries.told], ["backend"])

    def test_one_that_fails(self) -> None:
        """One that fails is nothing to the others, nor to who tells; its first error is logged, and no other."""
        counters, lines = self.tell(Failing())
        self.assertEqual((counters.connections, counters.refused, counters.rejected), (2, 2, 2))
        self.assertEqual((counters.requests, counters.relays, lines.count(b"\n")), (2, 2, 6))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.tell(Exiting())
        self.assertEqual(len(self.flushLoggedErrors(SystemExit)), 1)
        self.tell(Failing(), Failing())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_added(self) -> None:
        """One that is added is told of what ends until it is removed, be it while it is told; others as ever."""
        counters, recording = Counters(), Recording()
        observers = Observers([])
        leaving = Leaving(observers)
        for each in (leaving, counters, recording):
            observers.add(each)
        tell(observers)
        observers.remove(leaving)
        observers.remove(recording)
        tell(observers)
        ends = ["rejected: timeout", "relay ended", "request ended"]
        self.assertEqual((leaving.told, counters.requests, sorted(recording.told)), (1, 2, sorted(ends)))

    def test_added_again(self) -> None:
        """The first error of one that is added is logged, whoever had its place in memory before."""
        observers, failing = Observers([]), Failing()
        for _ in range(2):
            observers.add(failing)
            tell(observers)
            tell(observers)
            observers.remove(failing)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
