"""What operators tell a running process by signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, cast

from twisted.application.service import Service
from twisted.internet.base import ReactorBase
from twisted.internet.error import ReactorNotRunning
from twisted.internet.interfaces import IReactorCore, IReactorFromThreads
from twisted.logger import Logger

log = Logger(namespace=__name__)

ENDS = (signal.SIGTERM, signal.SIGINT)
"""What ends the process: by SIGTERM with exit status 0, by SIGINT with the signal, as shells ask."""


def stop(reactor: object) -> None:
    """Have a reactor that runs stop, and with it the process end in good order; one that stops already goes on so."""
    with suppress(ReactorNotRunning):
        cast(IReactorCore, reactor).stop()


class Early:
    """
    Takes note of signals that come while a process starts, which would end it, or as process 1 of a container not even
    that. As long as there is nothing to be ended in good order, SIGTERM ends it with exit status 0, and it dies of
    SIGINT.

    @ivar came: Those that came.
    @ivar loading: Whether that is so.
    """

    def __init__(self, *numbers: signal.Signals) -> None:
        self.came: set[signal.Signals] = set()
        self.loading = True
        with suppress(ValueError):  # not in the main thread: signals are left alone
            for number in numbers:
                # who ignores SIGINT, or listens to it, goes on so: as for the reactor
                if number != signal.SIGINT or signal.getsignal(number) == signal.default_int_handler:
                    signal.signal(number, self.note)

    def note(self, number: int, frame: FrameType | None) -> None:
        """Take note of one that came."""
        if number == signal.SIGTERM and self.loading:
            raise SystemExit(0)
        if number == signal.SIGINT and self.loading:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        self.came.add(signal.Signals(number))


class Signals(Service):
    """
    Calls functions in the reactor's turn when signals come, from its start to its end.

    What listened to a signal before is called too, and has it alone again afterwards.
    """

    def __init__(
        self,
        reactor: IReactorFromThreads,
        actions: Mapping[signal.Signals, Callable[[], object]],
        end: Callable[[], object] | None = None,
        hurry: Callable[[], object] | None = None,
        early: Early | None = None,
    ) -> None:
        """
        @param end: Ends the process in good order, at SIGTERM. The reactor would do so as well, and have the process
            die of the signal in the end. L{None}: L{ENDS} are left alone.
        @param hurry: Called from the second of L{ENDS} on.
        @param early: Has taken note of signals until now: what is to be done for them is, once the reactor runs.
        """
        self._reactor = reactor
        self._actions = actions
        self._end = end
        self._hurry = hurry
        self._early = early
        self._before: dict[signal.Signals, Any] = {}
        self._ends: dict[signal.Signals, Any] = {}
        self._told = False

    def startService(self) -> None:
        """Listen."""
        super().startService()  # type: ignore[no-untyped-call]
        try:
            self._before = {number: signal.signal(number, self._came) for number in self._actions}
        except ValueError:
            log.info("not in the main thread: signals are left alone")
            return
        for number, action in self._actions.items():
            if self._early is not None and number in self._early.came:
                cast(IReactorCore, self._reactor).callWhenRunning(action)
        if self._end is not None:
            # the reactor listens to them itself, from when it runs
            cast(IReactorCore, self._reactor).callWhenRunning(self._listen_to_ends)

    def stopService(self) -> None:
        """Listen no more. What should end this process from now on does so at once, were it told before."""
        super().stopService()  # type: ignore[no-untyped-call]
        before, self._before = self._before, {}
        ends, self._ends = self._ends, {}
        if self._told:
            ends = dict.fromkeys(ends, signal.SIG_DFL)
        for number, handler in (*before.items(), *ends.items()):
            signal.signal(number, handler)

    def _listen_to_ends(self) -> None:
        if not self.running:
            return
        self._ends = {number: signal.signal(number, self._end_came) for number in ENDS}
        if self._early is None:
            return
        if self._ends[signal.SIGINT] == self._early.note:
            # the reactor does not listen to what somebody listens to already
            self._ends[signal.SIGINT] = cast(ReactorBase, self._reactor).sigInt
        for number in ENDS:
            if number in self._early.came:
                self._end_came(number, None)

    def _came(self, number: int, frame: FrameType | None) -> None:
        caught = signal.Signals(number)
        before = self._before.get(caught)
        if callable(before):
            before(number, frame)
        self._reactor.callFromThread(self._actions[caught])

    def _end_came(self, number: int, frame: FrameType | None) -> None:
        before = self._ends.get(signal.Signals(number))
        first, self._told = not self._told, True
        if first and number == signal.SIGINT and callable(before):
            before(number, frame)
        elif first and self._end is not None:
            self._reactor.callFromThread(self._end)
        elif self._hurry is not None:
            self._reactor.callFromThread(self._hurry)
