"""Tests of L{edgegate.http.guards.oidc.state}."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.session import Session
from edgegate.http.guards.oidc.provider import Provider
from edgegate.http.guards.oidc.state import MOST_ENDED, EndedSessions, OIDCState
from tests.http.guards.oidc.providing import SAYS, HeldProvider, guard

SESSION = Session("id", {"sub": "ali"}, 0, 0, 300)


class OIDCStateTests(SynchronousTestCase):
    """What is kept for a policy."""

    def test_ended(self) -> None:
        """Sessions that are over are remembered, so many of them; whatever became of their tokens meanwhile."""
        state = OIDCState(guard(), Provider(SAYS, HeldProvider(), Clock()))
        self.assertFalse(state.has_ended(SESSION))
        state.end(SESSION)
        self.assertTrue(state.has_ended(replace(SESSION, given=100, refresh_token="new")))
        for number in range(MOST_ENDED):
            state.end(replace(SESSION, identifier=str(number)))
        self.assertFalse(state.has_ended(SESSION))
        state.stop()

    def test_ended_of_all(self) -> None:
        """A policy that changes revives no session that was over before."""
        ended = EndedSessions()
        before, after = (OIDCState(guard(), Provider(SAYS, HeldProvider(), Clock()), ended=ended) for _ in range(2))
        before.end(SESSION)
        before.stop()
        self.assertTrue(after.has_ended(SESSION))
        ended.stop()
        self.assertFalse(after.has_ended(SESSION))
