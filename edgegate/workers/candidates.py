"""What zygotes read and generations of workers may serve next."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from edgegate.config.problems import Problem, Severity
from edgegate.server.ports import CannotBind
from edgegate.workers.generation import CannotServe
from edgegate.workers.generations import Generations
from edgegate.workers.listening_sockets import ListeningSockets
from edgegate.workers.zygotes import Files, Zygotes


class Candidates:
    """
    Has zygotes read files, and generations serve them; L{edgegate.server.reload_coordinator.Steps}.

    @ivar latest: What was read last, whatever came of it.
    """

    def __init__(
        self,
        first: Files,
        zygotes: Zygotes,
        generations: Generations,
        sockets: ListeningSockets,
        ending: Callable[[], bool],
    ) -> None:
        """
        @param first: What was read at the start.
        @param ending: Whether the gateway ends, and no generation is to begin any more.
        """
        self.latest = first
        self._zygotes = zygotes
        self._generations = generations
        self._sockets = sockets
        self._ending = ending
        self._refused = False

    def read(self, anyway: bool) -> Deferred[Files | None]:
        """Have the next zygote read the files."""
        current = self._generations.current
        assert current is not None
        # what is served is what it compares with, and not what was refused since
        zygote = self._zygotes.after(current.zygote, anyway or self._refused)
        return zygote.read.addCallback(lambda read: None if read is None else Files(zygote, read))

    def install(self, read: Files) -> Deferred[bool]:
        """Have a new generation serve what was read."""
        return Deferred.fromCoroutine(self._install(read))

    async def _install(self, files: Files) -> bool:
        self.latest = files
        problem = await self._begin(files) if files.read.sound else None
        if problem is not None:
            files.problems.add(problem)
        self._refused = problem is not None or not files.read.sound
        return not self._refused

    async def _begin(self, files: Files) -> Problem | None:
        """Have files served; return why they can't be."""
        try:
            change = self._sockets.change(files.read.openings)
        except CannotBind as error:
            files.zygote.end()
            origin = error.listener.origin
            return Problem(origin.file, origin.line, 1, Severity.ERROR, "", str(error))
        try:
            generation = self._generations.make(files.zygote)
        except CannotServe as error:
            change.undo()
            files.zygote.end()
            return _cannot_serve(error)
        try:
            await generation.start(change.sockets, self._sockets.passed(change.sockets))
        except BaseException as error:
            change.undo()
            generation.drain(0.0)
            if not isinstance(error, CannotServe):
                raise
            return _cannot_serve(error)
        if self._ending():
            change.undo()
            generation.drain(0.0)
        else:
            self._generations.take_over(generation, change.finish())
        return None


def _cannot_serve(error: CannotServe) -> Problem:
    origin = error.origin
    if origin is not None:
        return Problem(origin.file, origin.line, 1, Severity.ERROR, "", str(error))
    return Problem("edgegate", 1, 1, Severity.ERROR, "", f"no worker can serve these files: {error}")
