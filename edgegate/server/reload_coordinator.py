"""
When files are read again, who waits for it, and what comes of it.

There is one reading at a time. Who asks while one is under way gets the next
one, which has seen what made them ask.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from enum import Enum
from typing import Generic, Protocol, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger, LogLevel

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.config.report import summary
from edgegate.server.reload import Outcome, Reload
from edgegate.sources.source import Watched

log = Logger(namespace=__name__)

_LEVELS = {Severity.ERROR: LogLevel.error, Severity.WARNING: LogLevel.warn, Severity.INFO: LogLevel.info}


class State(Enum):
    """Where the reloads of a gateway are."""

    IDLE = "idle"
    """What was read last is served, or was refused."""

    UNDER_WAY = "under way"
    """Files are being read, or what was read is being installed and told of."""

    DUE = "under way, and the next is due"
    """So they are, and somebody has asked since that began."""

    HELD = "held"
    """Nothing begins until that is over."""

    HELD_DUE = "held, and the next is due"
    """So it is, and somebody has asked since that began."""

    ENDED = "ended"
    """Nothing is installed any more."""


class Event(Enum):
    """What moves them on."""

    ASKED = "asked"
    """Somebody wants files to be read, or they may have changed."""

    DONE = "done"
    """What was under way is over."""

    HOLD = "hold"
    """What is served is to stay as it is for a while."""

    RESUME = "resume"
    """That is over."""

    END = "end"
    """The gateway ends."""


TRANSITIONS = {
    (State.IDLE, Event.ASKED): State.UNDER_WAY,
    (State.IDLE, Event.END): State.ENDED,
    (State.UNDER_WAY, Event.ASKED): State.DUE,
    (State.UNDER_WAY, Event.DONE): State.IDLE,
    (State.UNDER_WAY, Event.END): State.ENDED,
    (State.DUE, Event.ASKED): State.DUE,
    (State.DUE, Event.DONE): State.UNDER_WAY,
    (State.DUE, Event.END): State.ENDED,
    (State.IDLE, Event.HOLD): State.HELD,
    (State.HELD, Event.ASKED): State.HELD_DUE,
    (State.HELD, Event.RESUME): State.IDLE,
    (State.HELD, Event.END): State.ENDED,
    (State.HELD_DUE, Event.ASKED): State.HELD_DUE,
    (State.HELD_DUE, Event.RESUME): State.UNDER_WAY,
    (State.HELD_DUE, Event.END): State.ENDED,
    (State.ENDED, Event.RESUME): State.ENDED,
    (State.ENDED, Event.ASKED): State.ENDED,
    (State.ENDED, Event.DONE): State.ENDED,
    (State.ENDED, Event.END): State.ENDED,
}
"""Whichever event leads to L{State.UNDER_WAY} begins a reading. A pair that is not here can't be."""


class Read(Protocol):
    """What was read."""

    @property
    def problems(self) -> Problems:
        """What is wrong with it."""

    @property
    def changes(self) -> tuple[str, ...]:
        """What is different with it; see L{Reload}."""

    @property
    def watched(self) -> Watched:
        """Where a change of it would be seen."""


R = TypeVar("R", bound=Read)


class ReadingFailed(Exception):
    """The process that was to read the files has died; the reason is in one line."""


class Steps(Protocol[R]):
    """The two steps of a reload; an L{edgegate.server.candidate.Candidates}."""

    @property
    def latest(self) -> R:
        """What was read last."""

    def read(self, anyway: bool) -> Deferred[R | None]:
        """
        Read the files; fires with L{None} where they are what they were, and need not be read anyway. Fails with
        L{ReadingFailed} where nothing is known of them.
        """

    def install(self, read: R) -> Deferred[bool]:
        """Serve what was read; fires with whether it is served. Where it is not, its problems tell why."""


class ReloadCoordinator(Generic[R]):
    """
    Reads files again when it is asked to, and has them served.

    @ivar state: Where it is.
    @ivar last: What came of the last reading of the files; at first of the one at the start.
    @ivar followers: Called after each reading, with where a change of what was read would be seen. One that raises is
        logged, and no matter of the others or the next reading.
    @ivar reporters: Called with L{None} when a reading begins, and with what came of it when it is over.
    """

    def __init__(self, steps: Steps[R], clock: IReactorTime) -> None:
        self.state = State.IDLE
        self.last = Reload(Outcome.INSTALLED, _now(), steps.latest.problems)
        self.followers: list[Callable[[Watched], None]] = []
        self.reporters: list[Callable[[Reload | None], None]] = []
        self._steps = steps
        self._clock = clock
        self._waiting: list[Deferred[Reload]] = []
        self._under_way: list[Deferred[Reload]] = []
        self._broke = False

    def reload(self) -> Deferred[Reload]:
        """
        Read the files again, and serve what they say now; what is wrong with them keeps what runs.

        @return: Fires with what came of it, never with a failure.
        """
        asked: Deferred[Reload] = Deferred()
        if self.state is State.ENDED:
            asked.callback(self._unchanged())
        else:
            self._waiting.append(asked)
            self._move(Event.ASKED)
        return asked

    def files_changed(self) -> None:
        """Files may have changed: reload if they have. Nobody waits for the outcome."""
        self._move(Event.ASKED)

    def hold(self) -> bool:
        """Begin no reading until L{resume}, who asks waits; return whether that can be: none is under way."""
        if self.state is not State.IDLE:
            return False
        self._move(Event.HOLD)
        return True

    def resume(self) -> None:
        """Read the files again if somebody has asked since L{hold}."""
        self._move(Event.RESUME)

    def end(self) -> None:
        """Install nothing any more. Who waits is told that nothing has changed, when what is under way is over."""
        held = self.state in (State.HELD, State.HELD_DUE)
        self._move(Event.END)
        if held:
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(self._unchanged())

    def follow(self) -> None:
        """Tell who follows of what was read last."""
        for follower in self.followers:
            try:
                follower(self._steps.latest.watched)
            except Exception:
                log.failure("what follows the reading of files broke")

    def _move(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state, event]
        if self.state is State.UNDER_WAY:
            self._under_way, self._waiting = self._waiting, []
            # who asks for what was refused is told once more why, and a port may have become free; what broke has left
            # nothing to compare with
            asked_again = self.last.outcome is Outcome.REFUSED and bool(self._under_way)
            anyway = asked_again or self._broke
            Deferred.fromCoroutine(self._reload(anyway))

    async def _reload(self, anyway: bool) -> None:
        since = self._clock.seconds()
        self._report(None)
        try:
            reload = await self._install(await self._steps.read(anyway))
            self._broke = False
        except ReadingFailed as error:
            reload = self._broken(str(error))
        except Exception as error:
            # whatever is wrong with us, what runs goes on
            log.failure("the reload broke")
            reload = self._broken(f"internal error: {type(error).__name__}")
        self._reloaded(replace(reload, seconds=self._clock.seconds() - since))

    def _broken(self, reason: str) -> Reload:
        if self.state is State.ENDED:
            return self._unchanged()
        self._broke = True
        problems = Problems()
        problems.add(Problem("edgegate", 1, 1, Severity.ERROR, "", reason))
        return Reload(Outcome.REFUSED, _now(), problems)

    async def _install(self, read: R | None) -> Reload:
        if read is None or self.state is State.ENDED:
            return self._unchanged()
        installed = await self._steps.install(read)
        if not installed:
            return Reload(Outcome.REFUSED, _now(), read.problems)
        return Reload(Outcome.INSTALLED, _now(), read.problems, read.changes)

    def _report(self, reload: Reload | None) -> None:
        for reporter in self.reporters:
            try:
                reporter(reload)
            except Exception:
                log.failure("what is told of reloads broke")

    def _unchanged(self) -> Reload:
        return Reload(Outcome.UNCHANGED, _now(), self.last.problems)

    def _reloaded(self, reload: Reload) -> None:
        unchanged = reload.outcome is Outcome.UNCHANGED
        if not unchanged:
            self.last = reload
        asked, self._under_way = self._under_way, []
        try:
            if asked or not unchanged:
                _say_what_changed(reload)
            if not unchanged:
                self.follow()
        finally:
            self._report(reload)
            # whatever happens, who waits is told and the next one begins
            self._move(Event.DONE)
            if self.state is State.ENDED:
                asked += self._waiting
                self._waiting = []
            for each in asked:
                each.callback(reload)


def _say_what_changed(reload: Reload) -> None:
    if reload.outcome is Outcome.UNCHANGED:
        log.info("reload: nothing has changed")
        return
    for problem in reload.problems:
        log.emit(_LEVELS[problem.severity], "{problem}", problem=str(problem))
    if reload.outcome is Outcome.REFUSED:
        log.error("reload refused: what was served before goes on ({problems})", problems=summary(reload.problems))
        return
    log.info("reloaded in {seconds:.3f} seconds", seconds=reload.seconds)
    for change in reload.changes:
        log.info("reload: {change}", change=change)


def _now() -> datetime:
    return datetime.now(timezone.utc)
