"""Tests of L{edgegate.tls.acme.demand.waiting}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.demand.waiting import MOST_OF_CLIENT, MOST_WAITING, Sought, Waiting, WaitingRoom
from tests.downstream.arriving import SECURE
from tests.model.test_on_demand import on_demand
from tests.tls.acme.certificates import managed


class WaitingTests(SynchronousTestCase):
    """Who waits."""

    def setUp(self) -> None:
        self.room = WaitingRoom()
        self.sought = Sought(on_demand(), managed(Path("/nowhere")))

    def enter(self, client: object) -> Waiting:
        """Have one wait."""
        return self.room.enter(self.sought, "l", SECURE, client, lambda found: None)

    def test_clients(self) -> None:
        """A client has its share of what is to be issued; who leaves makes room, once."""
        self.room.stay(self.sought)
        mine = [self.enter("me") for _ in range(MOST_OF_CLIENT)]
        self.assertFalse(self.room.has_room("me", True))
        self.assertTrue(self.room.has_room("you", True))
        self.assertTrue(self.room.has_room("me", False))
        mine[0].leave()
        mine[0].leave()
        self.assertTrue(self.room.has_room("me", True))
        self.enter("me")
        self.assertFalse(self.room.has_room("me", True))

    def test_all(self) -> None:
        """All together have theirs, whatever they wait for."""
        all_waiting = [self.enter("me") for _ in range(MOST_WAITING)]
        self.assertFalse(self.room.has_room("you", False))
        all_waiting[3].leave()
        self.assertTrue(self.room.has_room("you", False))

    def test_stay(self) -> None:
        """Where the store has nothing, those go that are too many of one client."""
        all_waiting = [self.enter("me") for _ in range(MOST_OF_CLIENT + 2)]
        yours = self.enter("you")
        self.assertEqual(self.room.stay(self.sought), all_waiting[MOST_OF_CLIENT:])
        self.assertEqual(self.room.waiting, MOST_OF_CLIENT + 1)
        self.assertIn(yours, self.sought.waiting)

    def test_dismiss(self) -> None:
        """All that wait for a name go at once, in order, and nothing is left of them."""
        first, second = self.enter("me"), self.enter("you")
        self.assertEqual(self.sought.dismiss(), [first, second])
        self.assertEqual((self.sought.dismiss(), self.room.waiting, len(self.room._clients)), ([], 0, 0))
