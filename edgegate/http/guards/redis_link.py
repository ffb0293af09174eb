"""
A connection to a Redis, which is made again whenever it is lost, and shared by all policies that ask the same.

Questions are sent as they come, one behind the other, without waiting for answers. Nobody waits for a connection that
was just tried in vain: what is asked then fails at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from random import Random
from typing import Any, Final

from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.observe.log_throttle import LogThrottle

log = Logger(namespace=__name__)

CONNECT_SECONDS: Final = 5.0
"""Until a connection is made and Redis has taken the password, at most."""

FIRST_PAUSE: Final = 0.1
LAST_PAUSE: Final = 10.0
"""Seconds between two tries: the first, and then twice as many each time, up to the last."""

STALLED_SECONDS: Final = 1.0
"""After which a question without an answer means that the connection is of no use."""

MOST_ASKED: Final = 10_000
"""Questions that may be without an answer on a connection."""


_ELSEWHERE: Final = frozenset({"READONLY", "MASTERDOWN"})
"""What a Redis says first that copies another one: the name may lead elsewhere by now."""


class LinkFailed(Exception):
    """A question got no answer: C{str} says why, in words for the log."""


class LinkState(Enum):
    """How far the connection is."""

    CONNECTING = "connecting"
    READY = "ready"
    PAUSED = "paused"
    STOPPED = "stopped"


class RedisLink:
    """
    A connection to a Redis.

    @ivar state: How far it is.
    @ivar lost: How often a connection was lost or could not be made.
    """

    def __init__(self, clock: IReactorTime, server: str, connect: Callable[[], Deferred[Any]], random: Random) -> None:
        """
        @param server: What the log calls it.
        @param connect: Makes a connection; its result is a ready protocol of C{txredisapi}, which calls back its
            C{whenDisconnected}.
        """
        self._clock = clock
        self._server = server
        self._connect = connect
        self._random = random
        self._protocol: Any = None
        self._attempt: Deferred[Any] | None = None
        self._later: IDelayedCall | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._asked: deque[float] = deque()
        self._throttle = LogThrottle()
        self._why = ""
        self._tries = self.lost = 0
        self.state = LinkState.PAUSED
        self._begin()

    @property
    def usable(self) -> bool:
        """Whether it is worth while to ask: there is a connection, or one is being made."""
        return self.state is LinkState.READY or self.state is LinkState.CONNECTING

    def evaluate(self, script: bytes, keys: Sequence[bytes], arguments: Sequence[int]) -> Deferred[object]:
        """
        Have Redis run a script; the result is its answer.

        @raise LinkFailed: By the L{Deferred}: there is no connection, or it was lost before the answer came, or the
            script failed. A L{Deferred} may be cancelled: the answer is thrown away then.
        """
        if self.state is LinkState.READY:
            return self._send(script, keys, arguments)
        if self.state is not LinkState.CONNECTING or len(self._waiting) >= MOST_ASKED:
            return fail(LinkFailed("no connection"))
        result: Deferred[object] = Deferred()

        def go_on() -> None:
            if result.called:
                return
            if self.state is LinkState.READY:
                self._send(script, keys, arguments).addBoth(_pass_on, result)
            else:
                result.errback(LinkFailed("no connection"))

        self._waiting.append(go_on)
        return result

    def timed_out(self) -> None:
        """Somebody waits no longer for an answer. Where none has come for a while the connection is given up."""
        held_back = self._throttle.due("late", self._clock.seconds())
        if held_back is not None:
            again = f", nor {held_back} before that" if held_back else ""
            log.warn("a request got no answer from Redis at {server} in time{again}", server=self._server, again=again)  # noqa: G010
        if self._asked and self._clock.seconds() - self._asked[0] > STALLED_SECONDS and self._protocol is not None:
            log.warn("Redis at {server} does not answer: connecting anew", server=self._server)  # noqa: G010
            self._protocol.transport.abortConnection()

    def stop(self) -> None:
        """End the connection, and make none any more."""
        self.state = LinkState.STOPPED
        if self._later is not None and self._later.active():
            self._later.cancel()
        if self._attempt is not None:
            self._attempt.cancel()
        if self._protocol is not None:
            self._protocol.transport.abortConnection()
        self._flush()

    # ------------------------------------------------------------------------------------------------------------------

    def _send(self, script: bytes, keys: Sequence[bytes], arguments: Sequence[int]) -> Deferred[object]:
        asked = self._asked
        if len(asked) >= MOST_ASKED:
            return fail(LinkFailed("too many questions without an answer"))
        asked.append(self._clock.seconds())
        sent: Deferred[object] = maybeDeferred(self._protocol.eval, script, keys, arguments)
        sent.addBoth(self._answered, asked)
        result: Deferred[object] = Deferred(lambda cancelled: None)
        sent.addBoth(_pass_on, result)
        return result

    def _answered(self, answer: object, asked: deque[float]) -> object:
        asked.popleft()
        if not isinstance(answer, Failure):
            return answer
        why = answer.getErrorMessage()
        if self.state is LinkState.READY:
            self._refused(why)
        raise LinkFailed(why)

    def _refused(self, why: str) -> None:
        """Redis says that it can't: tell it, and where another one may have taken its place look for that."""
        word = why.split(maxsplit=1)[0] if why.split() else ""
        if self._throttle.due(word, self._clock.seconds()) is not None:
            log.warn("Redis at {server} refuses to count: {why}", server=self._server, why=why)  # noqa: G010
        if word in _ELSEWHERE and self._protocol is not None:
            self._protocol.transport.abortConnection()

    def _begin(self) -> None:
        self._later = None
        self.state = LinkState.CONNECTING
        attempt = self._attempt = maybeDeferred(self._connect)
        attempt.addTimeout(CONNECT_SECONDS, self._clock)
        attempt.addCallbacks(self._made, self._failed)
        attempt.addErrback(self._broke)

    def _made(self, protocol: Any) -> None:
        self._attempt = None
        if self.state is LinkState.STOPPED:
            protocol.transport.abortConnection()
            return
        if self._tries:
            log.info("Redis at {server} is there again", server=self._server)
        self._tries, self._why = 0, ""
        self._protocol = protocol
        self._asked = deque()
        self.state = LinkState.READY
        protocol.whenDisconnected().addCallback(self._disconnected)
        self._flush()

    def _failed(self, failure: Failure) -> None:
        self._attempt = None
        if self.state is LinkState.STOPPED:
            return
        why = failure.getErrorMessage()
        if why != self._why:
            log.warn("no connection to Redis at {server}: {why}", server=self._server, why=why)  # noqa: G010
            self._why = why
        self._pause()

    def _disconnected(self, protocol: object) -> None:
        self._protocol = None
        if self.state is not LinkState.STOPPED:
            log.warn("the connection to Redis at {server} was lost", server=self._server)  # noqa: G010
            self._pause()

    def _broke(self, failure: Failure) -> None:
        """What was told of the connection raised: that is an error of ours."""
        log.failure("an error beside the connection to Redis at {server}", failure, server=self._server)

    def _pause(self) -> None:
        self.lost += 1
        self.state = LinkState.PAUSED
        pause = min(FIRST_PAUSE * 2 ** min(self._tries, 20), LAST_PAUSE)
        self._tries += 1
        self._later = self._clock.callLater(pause * self._random.uniform(0.5, 1.0), self._begin)
        self._flush()

    def _flush(self) -> None:
        """Who has waited for the connection goes on."""
        waiting, self._waiting = self._waiting, deque()
        for go_on in waiting:
            go_on()


def _pass_on(answer: object, result: Deferred[object]) -> None:
    """Give an answer to who asked, unless nobody waits for it any more."""
    if not result.called:
        result.callback(answer)
