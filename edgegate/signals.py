"""What operators tell a running process by signals."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from twisted.application.service import Service
from twisted.internet.interfaces import IReactorFromThreads
from twisted.logger import Logger

log = Logger(namespace=__name__)


class Signals(Service):
    """
    Calls functions in the reactor's turn when signals come, from its start to its end.

    What listened to a signal before is called too, and has it alone again afterwards.
    """

    def __init__(self, reactor: IReactorFromThreads, actions: Mapping[signal.Signals, Callable[[], object]]) -> None:
        self._reactor = reactor
        self._actions = actions
        self._before: dict[signal.Signals, Any] = {}

    def startService(self) -> None:
        """Listen."""
        super().startService()  # type: ignore[no-untyped-call]
        try:
            self._before = {number: signal.signal(number, self._came) for number in self._actions}
        except ValueError:
            log.info("not in the main thread: signals are left alone")

    def stopService(self) -> None:
        """Listen no more."""
        super().stopService()  # type: ignore[no-untyped-call]
        before, self._before = self._before, {}
        for number, handler in before.items():
            signal.signal(number, handler)

    def _came(self, number: int, frame: FrameType | None) -> None:
        caught = signal.Signals(number)
        before = self._before.get(caught)
        if callable(before):
            before(number, frame)
        self._reactor.callFromThread(self._actions[caught])
