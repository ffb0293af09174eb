"""Tests of L{edgegate.signals}."""

from __future__ import annotations

import os
import signal

from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.signals import Signals


class SignalsTests(TestCase):
    """Signals of this process."""

    async def test_action(self) -> None:
        """A signal calls its action in the reactor's turn; who listened before is called too, and alone afterwards."""
        from twisted.internet import reactor  # noqa: PLC0415

        came: Deferred[None] = Deferred()
        before: list[int] = []
        original = signal.signal(signal.SIGUSR2, lambda number, frame: before.append(number))
        self.addCleanup(signal.signal, signal.SIGUSR2, original)
        signals = Signals(reactor, {signal.SIGUSR2: lambda: came.callback(None)})  # type: ignore[arg-type]
        signals.startService()
        os.kill(os.getpid(), signal.SIGUSR2)
        await came
        self.assertEqual(before, [signal.SIGUSR2])
        signals.stopService()
        os.kill(os.getpid(), signal.SIGUSR2)
        self.assertEqual(before, [signal.SIGUSR2] * 2)

    async def test_another_thread(self) -> None:
        """Where signals can't be had they are left alone."""
        signals = Signals(MemoryReactorClock(), {signal.SIGUSR2: self.fail})  # type: ignore[arg-type]
        await deferToThread(signals.startService)
        signals.stopService()
