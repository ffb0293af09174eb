"""
Sessions whose tokens are refreshed: once, whoever asks for it at the time.

A provider may take a refresh token once only. So all requests of a session wait for one answer, and for a while those
that still show the old cookie get what it was.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.access.oidc.provider import Refused
from edgegate.access.oidc.session import Session

log = Logger(namespace=__name__)

REMEMBERED = 60.0
"""Seconds that the outcome of a refresh is kept."""
MOST_REMEMBERED = 1_000
_MOST_STEPS = 8
"""Refreshes of one session that may follow each other within that time."""

Outcome = Session | None
"""The session with new tokens; L{None}: the provider takes the old one's no more."""

Told = Callable[[Outcome | Exception], None]
"""Told what came of it; an exception: the provider has not answered."""


class Refreshes:
    """Those of one policy. Belongs to the reactor's thread."""

    def __init__(self, refresh: Callable[[Session], Deferred[Session]], clock: Callable[[], float]) -> None:
        """
        @param refresh: Has the provider give new tokens.
        @param clock: Seconds of a clock that is never set back.
        """
        self._refresh = refresh
        self._clock = clock
        self._waiting: dict[bytes, list[Told]] = {}
        self._over: dict[bytes, tuple[float, Outcome]] = {}

    def known(self, session: Session) -> Outcome | bool:
        """
        Return the outcome for a session, the last one where its tokens were refreshed again; L{False}: there is none
        yet.
        """
        found: Outcome | bool = False
        last: Outcome | bool = session
        for _ in range(_MOST_STEPS):
            if not isinstance(last, Session):
                break
            last = self._outcome(last)
            if last is not False:
                found = last
        return found

    def _outcome(self, session: Session) -> Outcome | bool:
        found = self._over.get(_key(session))
        if found is None or found[0] + REMEMBERED < self._clock():
            return False
        return found[1]

    def ask(self, session: Session, told: Told) -> None:
        """Refresh a session, and tell what came of it, once."""
        key = _key(session)
        waiting = self._waiting.get(key)
        if waiting is not None:
            waiting.append(told)
            return
        self._waiting[key] = [told]
        self._refresh(session).addCallbacks(
            lambda found: self._ended(key, found), lambda failure: self._failed(key, failure)
        ).addErrback(lambda failure: log.failure("a refresh can't go on", failure))

    def _failed(self, key: bytes, failure: Failure) -> None:
        if failure.check(Refused):
            self._ended(key, None)
        else:
            value = failure.value
            self._tell(key, value if isinstance(value, Exception) else RuntimeError(str(value)))

    def _ended(self, key: bytes, outcome: Outcome) -> None:
        if len(self._over) >= MOST_REMEMBERED:
            del self._over[next(iter(self._over))]
        self._over[key] = self._clock(), outcome
        self._tell(key, outcome)

    def _tell(self, key: bytes, outcome: Outcome | Exception) -> None:
        for told in self._waiting.pop(key):
            told(outcome)


def _key(session: Session) -> bytes:
    """Return what tells a session from what it was: a provider may give the same refresh token again."""
    times = f"{session.given} {session.fresh_until}"
    return sha256(f"{session.identifier}\0{times}\0{session.refresh_token}".encode()).digest()
