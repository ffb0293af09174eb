"""Tests of L{edgegate.observe.live.tally}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    BODY_TOO_LARGE,
    CLIENT_GONE,
    CONNECT_REFUSED,
    INTERNAL,
    NO_ROUTE,
    UPSTREAM_CUT_SHORT,
    Fault,
    aborted,
)
from edgegate.observe.live.latencies import slot_of
from edgegate.observe.live.tally import Tally, is_client_failure, is_failure


class FailureTests(SynchronousTestCase):
    """Whose fault it was."""

    def test_whose(self) -> None:
        """The backend's and the gateway's are failures, be they behind a good head; a client's are its own."""
        cases: list[tuple[int, Fault | None, bool, bool]] = [
            (200, None, False, False),
            (302, None, False, False),
            (404, None, False, True),
            (500, None, True, False),
            (503, CONNECT_REFUSED, True, False),
            (200, UPSTREAM_CUT_SHORT, True, False),
            (200, INTERNAL, True, False),
            (404, NO_ROUTE, False, True),
            (0, CLIENT_GONE, False, True),
            (200, CLIENT_GONE, False, True),
            (413, BODY_TOO_LARGE, False, True),
            (418, aborted(418, None), False, True),
            (503, aborted(503, None), True, False),
        ]
        for status, fault, failure, client in cases:
            self.assertEqual(is_failure(status, fault), failure, (status, fault))
            self.assertEqual(is_client_failure(status, fault) and not failure, client, (status, fault))


class TallyTests(SynchronousTestCase):
    """Requests, counted."""

    def test_count(self) -> None:
        """Each request is counted once, a failure as one kind only; a tunnel has no latency."""
        tally = Tally()
        tally.count(1000, 1, 200, None)
        tally.count(2000, -1, 503, CONNECT_REFUSED)
        tally.count(500, -1, 404, NO_ROUTE)
        tally.count(-1, 3, 101, None)
        tally.count_flags(["URX", "UF"])
        self.assertEqual((tally.requests, tally.failures, tally.client_failures), (4, 1, 1))
        self.assertEqual(tally.slots, {slot_of(1000): 1, slot_of(2000): 1, slot_of(500): 1})
        self.assertEqual(tally.backend_slots, {slot_of(1000): 1, slot_of(3000): 1})
        self.assertEqual(tally.flags, {"URX": 1, "UF": 1})

    def test_relays(self) -> None:
        """Relays are no requests; they fail as those do, and what they carry adds up."""
        tally, other = Tally(), Tally()
        tally.count_relay(None)
        tally.count_relay(CONNECT_REFUSED)
        tally.count_relay(CLIENT_GONE)
        tally.count_bytes(1, 2)
        other.count_bytes(10, 20)
        tally.add(other)
        self.assertEqual((tally.requests, tally.relays, tally.failures, tally.client_failures), (0, 3, 1, 1))
        self.assertEqual((tally.received, tally.sent, tally.slots), (11, 22, {}))

    def test_add(self) -> None:
        """What was counted here and there adds up, and what was added stays what it was."""
        one, other = Tally(), Tally()
        one.count(1000, 1, 200, None)
        other.count(1000, 1, 503, CONNECT_REFUSED)
        other.count_flags(["UF"])
        one.add(other)
        one.add_told(other.told())
        self.assertEqual((one.requests, one.failures, one.flags), (3, 2, {"UF": 2}))
        self.assertEqual((one.slots, one.backend_slots), ({slot_of(1000): 3}, {slot_of(1000): 3}))
        self.assertEqual((other.requests, other.flags, other.slots), (1, {"UF": 1}, {slot_of(1000): 1}))
