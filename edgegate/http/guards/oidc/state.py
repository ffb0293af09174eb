"""What is kept for a login policy while it stays as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import time

from edgegate.access.oidc.login import Login
from edgegate.access.oidc.session import Session
from edgegate.http.guards.oidc.cookie_box import CookieBox
from edgegate.http.guards.oidc.provider import Provider
from edgegate.http.guards.oidc.refreshes import Refreshes
from edgegate.model.guards.oidc import OIDC

MOST_ENDED = 10_000
"""Sessions that are remembered to be over."""


class EndedSessions:
    """
    Sessions of all policies whose users have logged out: a policy that changes revives none.

    Logins that were answered are kept likewise, by their states.
    """

    def __init__(self) -> None:
        self._ended: dict[str, None] = {}

    def add(self, identifier: str) -> None:
        """One is over."""
        if len(self._ended) >= MOST_ENDED:
            del self._ended[next(iter(self._ended))]
        self._ended[identifier] = None

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._ended

    def stop(self) -> None:
        """See L{edgegate.access.state.GuardState.stop}."""
        self._ended.clear()


class OIDCState:
    """
    The cookies of one policy, and its provider.

    @ivar now: Seconds since 1970.
    @ivar refreshes: Those under way; made with the first filter.
    """

    def __init__(
        self,
        guard: OIDC,
        provider: Provider,
        now: Callable[[], float] = time,
        random: Callable[[int], bytes] = os.urandom,
        left: Callable[[], None] | None = None,
        ended: EndedSessions | None = None,
    ) -> None:
        """
        @param ended: Those of all policies; L{None}: this one has its own.
        @param left: Called when the policy is no more.
        """
        self._left = left
        self.guard = guard
        self.provider = provider
        self.now = now
        self.random = random
        self.cookies = CookieBox(guard, random)
        self.refreshes: Refreshes | None = None
        self._ended = EndedSessions() if ended is None else ended
        self._answered = EndedSessions()

    def end(self, session: Session) -> None:
        """A user has logged out: to this process cookies that were copied before are no session any more."""
        self._ended.add(session.identifier)

    def has_ended(self, session: Session) -> bool:
        """Whether its user has logged out."""
        return session.identifier in self._ended

    def answers(self, login: Login) -> bool:
        """Whether an answer to a login is the first one; those that follow it are none, whoever has kept its cookie."""
        if login.state in self._answered:
            return False
        self._answered.add(login.state)
        return True

    def stop(self) -> None:
        """The policy is no more; its provider may be another one's, too."""
        left, self._left = self._left, None
        if left is not None:
            left()
