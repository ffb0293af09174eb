"""Tests of L{edgegate.http.guards.oidc.refreshes}."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.provider import Refused
from edgegate.access.oidc.session import Session
from edgegate.http.guards.oidc.refreshes import MOST_REMEMBERED, REMEMBERED, Outcome, Refreshes

OLD = Session("id", {"sub": "ali"}, 0, 0, 300, refresh_token="one")
NEW = replace(OLD, given=300, fresh_until=600, refresh_token="two")


class RefreshesTests(SynchronousTestCase):
    """Sessions whose tokens end."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.asked: list[Deferred[Session]] = []
        self.told: list[Outcome | Exception] = []
        self.refreshes = Refreshes(self.refresh, self.clock.seconds)

    def refresh(self, session: Session) -> Deferred[Session]:
        """Take note of it."""
        self.asked.append(Deferred())
        return self.asked[-1]

    def test_once(self) -> None:
        """All requests of a session wait for one answer; later ones with the old cookie get it, too, for a while."""
        for _ in range(3):
            self.refreshes.ask(OLD, self.told.append)
        self.assertEqual((len(self.asked), self.told), (1, []))
        self.assertIs(self.refreshes.known(OLD), False)
        self.asked[0].callback(NEW)
        self.assertEqual(self.told, [NEW] * 3)
        self.assertEqual(self.refreshes.known(OLD), NEW)
        self.assertIs(self.refreshes.known(NEW), False)
        self.clock.advance(REMEMBERED + 1)
        self.assertIs(self.refreshes.known(OLD), False)

    def test_same_token(self) -> None:
        """Where the provider gives the same refresh token again the new session is one of its own."""
        new = replace(NEW, refresh_token="one")
        newest = replace(new, given=600, fresh_until=900)
        self.refreshes.ask(OLD, self.told.append)
        self.asked[0].callback(new)
        self.assertEqual((self.refreshes.known(OLD), self.refreshes.known(new)), (new, False))
        self.refreshes.ask(new, self.told.append)
        self.asked[1].callback(newest)
        self.assertEqual((self.refreshes.known(OLD), self.refreshes.known(new)), (newest, newest))

    def test_refused(self) -> None:
        """A token that the provider takes no more is not sent again."""
        self.refreshes.ask(OLD, self.told.append)
        self.asked[0].errback(Refused("invalid_grant"))
        self.assertEqual((self.told, self.refreshes.known(OLD)), ([None], None))

    def test_away(self) -> None:
        """Where the provider does not answer nothing is known, and the next request asks again."""
        error = ConnectionError("refused")
        self.refreshes.ask(OLD, self.told.append)
        self.asked[0].errback(error)
        self.assertEqual((self.told, self.refreshes.known(OLD)), ([error], False))
        self.refreshes.ask(OLD, self.told.append)
        self.assertEqual(len(self.asked), 2)

    def test_room(self) -> None:
        """There is room for so many."""
        for number in range(MOST_REMEMBERED + 1):
            self.refreshes.ask(replace(OLD, identifier=str(number)), self.told.append)
            self.asked[-1].callback(NEW)
        self.assertIs(self.refreshes.known(replace(OLD, identifier="0")), False)
        self.assertEqual(self.refreshes.known(replace(OLD, identifier="1")), NEW)
