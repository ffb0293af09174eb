"""The change from this process to a new one of the program, which serves the same sockets."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger

from edgegate import __version__
from edgegate.model.addresses import Address
from edgegate.net.channel import JSON, MOST_DESCRIPTORS, Channel, Received, pair
from edgegate.net.peer import Peer
from edgegate.server.handover import Handed, NotUnderstood, Ready, ready, says, sockets_message

log = Logger(namespace=__name__)

LONGEST_START = 60.0
"""Seconds that a new process may take until it serves."""

_LAST_WORDS = 2.0
"""Seconds in which a new process that speaks no more may still say why by its end."""

STANDARD_ERROR = 2


@dataclass(frozen=True, slots=True)
class Upgrade:
    """
    What came of one.

    @ivar lines: In words; the first line says all, what comes then is what the new process said.
    """

    succeeded: bool
    lines: tuple[str, ...]


class UpgradeFailed(Exception):
    """The new process does not serve; the words say why."""


class Leaving(Protocol):
    """The gateway that is to be left."""

    def hold(self) -> str:
        """Have nothing change until L{resume}, or return why that can't be; empty: it can."""

    def resume(self) -> None:
        """Go on as before."""

    def handed(self) -> list[Handed]:
        """Return its listening sockets."""

    def hand_over(self, serves: Iterable[Address]) -> None:
        """
        Leave the ports to a new process, and have this one end once its connections have.

        @param serves: Those that the new one serves.
        """


class Companion(Protocol):
    """What changes hands besides the ports."""

    def prepare(self) -> None:
        """
        Make room for what a new process does at its start.

        @raise OSError: It can't be done.
        """

    def handed(self) -> list[Handed]:
        """Return its listening sockets."""

    def keep(self) -> None:
        """The new process has failed: have everything as it was before L{prepare}."""

    def hand_over(self, pid: int) -> Deferred[None]:
        """Leave it to the new process; fires when that can have it."""


class Started(Protocol):
    """The new process, as far as it can be seen; a L{edgegate.server.program.Launched}."""

    def said(self) -> list[str]:
        """Return the last lines that it has written to standard error."""

    def kill(self) -> None:
        """End it, whatever it does."""


Launch = Callable[[int, Callable[[str], None]], Started]
"""Starts a new process, which is told by a descriptor; calls a function with how that has ended; or raises OSError."""


class Upgrades:
    """
    Starts new processes, one at a time, until one serves; then this one leaves.

    @ivar companions: What changes hands besides the ports, in this order.
    @ivar launch: Starts a new process, or says why none can be.
    """

    def __init__(self, reactor: IReactorFDSet, gateway: Leaving) -> None:
        """
        @param reactor: Also provides C{IReactorTime}.
        """
        self.companions: list[Companion] = []
        self.launch: Launch | str = "nobody has said how this process is started anew"
        self._reactor = reactor
        self._gateway = gateway
        self._over = self._under_way = False
        self._successor: Successor | None = None

    def cancel(self) -> None:
        """This process ends: what is under way is given up, and the new process with it."""
        if self._successor is not None:
            self._successor.fail("this process ends")

    def upgrade(self) -> Deferred[Upgrade]:
        """Start a new process, and leave to it; fires with what came of it, never with a failure."""
        return Deferred.fromCoroutine(self._upgrade())

    async def _upgrade(self) -> Upgrade:
        reason = self._refusal()
        if reason:
            log.error("upgrade refused: {reason}", reason=reason)
            return Upgrade(False, (f"upgrade refused: {reason}",))
        self._under_way = True
        try:
            upgrade = await self._change()
        except Exception as error:
            # whatever is wrong with us, what serves goes on
            log.failure("the upgrade broke")
            upgrade = Upgrade(False, (f"upgrade failed: internal error: {type(error).__name__}",))
        finally:
            self._under_way, self._successor = False, None
            if not self._over:
                self._gateway.resume()
        return upgrade

    def _refusal(self) -> str:
        if self._over:
            return "another process serves in the place of this one already"
        if self._under_way:
            return "another one is under way"
        return self.launch if isinstance(self.launch, str) else self._gateway.hold()

    async def _change(self) -> Upgrade:
        assert not isinstance(self.launch, str)
        prepared: list[Companion] = []
        successor = None
        try:
            for companion in self.companions:
                companion.prepare()
                prepared.append(companion)
            successor = self._successor = Successor(self._reactor, self.launch, self._sockets())
            log.info("upgrade: a new process starts")
            serving = await successor.ready
        except Exception as error:
            # whatever it is, what serves goes on as it was
            for companion in prepared:
                try:
                    companion.keep()
                except Exception:
                    log.failure("upgrade: what changes hands can't be kept")
            if not isinstance(error, (OSError, UpgradeFailed)):
                raise
            return _failed(str(error), [] if successor is None else successor.said())
        self._over = True
        said = successor.said()
        # before anything else: were this process to end now, it would close its ports to all who share them
        self._gateway.hand_over(serving.serves)
        await gatherResults([companion.hand_over(serving.pid) for companion in self.companions])
        successor.leave()
        words = f"upgraded: pid {serving.pid}, edgegate {serving.version}, serves in the place of pid {os.getpid()}"
        log.info("{words}", words=words)
        for line in said:
            log.info("the new process said: {line}", line=line)
        return Upgrade(True, (words, *said))

    def _sockets(self) -> list[Handed]:
        return [*self._gateway.handed(), *(each for companion in self.companions for each in companion.handed())]


class Successor:
    """
    The new process, from its start until it serves.

    @ivar ready: Fires with what it says then, or fails with L{UpgradeFailed}.
    """

    def __init__(self, reactor: IReactorFDSet, launch: Launch, sockets: Sequence[Handed]) -> None:
        """
        Start it, and hand it sockets.

        @param sockets: Copies of them are sent.
        @raise OSError: It can't be started.
        """
        self.ready: Deferred[Ready] = Deferred()
        self._clock = cast(IReactorTime, reactor)
        self._over = False
        ours, theirs = pair()
        self._peer = Peer(reactor, Channel(ours, codec=JSON), self._told, self._gone)
        try:
            self._started = launch(theirs.fileno(), self._ended)
        except OSError:
            self._peer.close()
            raise
        finally:
            theirs.close()
        self._peer.start()
        self._limit: IDelayedCall = self._clock.callLater(LONGEST_START, self._too_late)
        for first in range(0, len(sockets), MOST_DESCRIPTORS):
            some = sockets[first : first + MOST_DESCRIPTORS]
            self._peer.send(sockets_message(some), tuple(each.descriptor for each in some))
        self._peer.send({"begin": {"version": __version__}}, (STANDARD_ERROR,))

    def said(self) -> list[str]:
        """Return what it has written to standard error."""
        return self._started.said()

    def leave(self) -> None:
        """This process has left the sockets to it."""
        self._peer.send({"left": {}})
        self._peer.close()

    def fail(self, reason: str) -> None:
        """Give it up, unless it serves."""
        if self._over:
            return
        self._over = True
        if self._limit.active():
            self._limit.cancel()
        self._peer.send({"cancel": {}})
        self._peer.close()
        self._started.kill()
        self.ready.errback(UpgradeFailed(reason))

    def _told(self, received: Received) -> None:
        if not says(received.value, "ready") or self._over:
            return
        try:
            serving = ready(received.value)
        except NotUnderstood as error:
            self.fail(str(error))
            return
        self._over = True
        self._limit.cancel()
        self.ready.callback(serving)

    def _ended(self, how: str) -> None:
        if how:
            self.fail(f"the new process was not ready when {how}")

    def _gone(self) -> None:
        # what it wrote, and its status, may be on their way
        self._clock.callLater(_LAST_WORDS, self.fail, "the new process has ended before it was ready")

    def _too_late(self) -> None:
        self.fail(f"the new process was not ready within {LONGEST_START:g} s")


def _failed(reason: str, said: Sequence[str]) -> Upgrade:
    words = f"upgrade failed: {reason}; this process goes on"
    log.error("{words}", words=words)
    for line in said:
        log.error("the new process said: {line}", line=line)
    return Upgrade(False, (words, *said))
