"""
Calls of the system that may never return: opening and reading files.

On a network file system whose server is gone such a call lasts for ever, and
nothing can end it. So it is made in a thread that is waited for only as long as
patience lasts. The threads are daemons: none holds up the end of the process.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Thread
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure

PATIENCE = 10.0
"""Seconds that a call may take."""

HURRY = 0.1
"""The part of that which is left to each call once another one hangs."""

MOST_HANGING = 8
"""Calls that hang at one time; from then on there are no more until one returns."""

T = TypeVar("T")


class FileReader:
    """
    Makes calls one after the other, each with a deadline. Belongs to one thread at a time.

    Its own thread is there from the first call to L{close}, so that none is when the process forks.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        """
        @param patience: Seconds.
        """
        self._patience = patience
        self._worker: _Worker | None = None
        self._hanging: list[_Worker] = []

    def __call__(self, work: Callable[[], T]) -> T:
        """
        Do something with files, and return what it returns.

        @raise OSError: What it raises, or that it takes too long.
        """
        self._hanging = [worker for worker in self._hanging if worker.alive]
        patience = self._patience * HURRY if self._hanging else self._patience
        if len(self._hanging) >= MOST_HANGING:
            raise TimeoutError(errno.ETIMEDOUT, "other files hang: does their file system answer?")
        if self._worker is None:
            self._worker = _Worker()
        call = _Call(work)
        self._worker.give(call)
        if not call.ended.wait(patience):
            self._worker.give(None)
            self._hanging.append(self._worker)
            self._worker = None
            raise TimeoutError(errno.ETIMEDOUT, f"nothing came for {patience:g} s: does its file system answer?")
        return call.outcome()

    def close(self) -> None:
        """End the thread, unless it hangs. It is begun again where it is needed."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.give(None)
            worker.join()


class _Call(Generic[T]):
    """One call, and what came of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: list[T] = []
        self._error: BaseException | None = None
        self.ended = Event()

    def make(self) -> None:
        """Make it."""
        try:
            self._result.append(self._work())
        except BaseException as error:
            self._error = error
        self.ended.set()

    def outcome(self) -> T:
        """Return the result, or raise the error."""
        error, self._error = self._error, None
        if error is None:
            return self._result[0]
        try:
            raise error
        finally:
            # it knows this frame
            del error


class _Worker:
    """A thread that makes calls until it is given none."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[_Call[object] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="edgegate files", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def give(self, call: _Call[T] | None) -> None:
        self._calls.put(call)  # type: ignore[arg-type]

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while True:
            call = self._calls.get()
            if call is None:
                return
            call.make()
            # what it returned is the caller's alone
            del call


def defer_to_daemon(reactor: IReactorFromThreads, work: Callable[[], T]) -> Deferred[T]:
    """
    Do something in a thread that is made for it, and that the end of the process does not wait for.

    @return: Fires in the reactor's turn.
    """
    done: Deferred[T] = Deferred()

    def run() -> None:
        try:
            result = work()
        except BaseException:
            reactor.callFromThread(done.errback, Failure())
        else:
            reactor.callFromThread(done.callback, result)

    Thread(target=run, name="edgegate reload", daemon=True).start()
    return done
