"""Tests of L{edgegate.server.signals}."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from edgegate.server.signals import ENDS, Early, Signals


class ListeningReactor(MemoryReactorClock):
    """A reactor that runs, and is told of SIGINT."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.interrupts: list[int] = []

    def sigInt(self, number: int, frame: FrameType | None = None) -> None:
        """Take note of it."""
        self.interrupts.append(number)

    def callWhenRunning(self, call: Callable[[], object]) -> None:  # type: ignore[override]
        """It runs."""
        call()

    def callFromThread(self, call: Callable[[], object]) -> None:  # type: ignore[override]
        """It is its turn."""
        call()


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

    async def test_early(self) -> None:
        """A signal that comes before the start does not end the process: its action follows."""
        from twisted.internet import reactor  # noqa: PLC0415

        self.addCleanup(signal.signal, signal.SIGUSR2, signal.getsignal(signal.SIGUSR2))
        early = Early(signal.SIGUSR2)
        os.kill(os.getpid(), signal.SIGUSR2)
        came: Deferred[None] = Deferred()
        signals = Signals(reactor, {signal.SIGUSR2: lambda: came.callback(None)}, early=early)  # type: ignore[arg-type]
        signals.startService()
        await came
        signals.stopService()

    async def test_end_while_loading(self) -> None:
        """SIGTERM ends a process at once that has nothing to end in good order yet, and later as soon as it runs."""
        from twisted.internet import reactor  # noqa: PLC0415

        self.addCleanup(signal.signal, signal.SIGTERM, signal.getsignal(signal.SIGTERM))
        early = Early(signal.SIGTERM)
        ended = self.assertRaises(SystemExit, os.kill, os.getpid(), signal.SIGTERM)
        self.assertEqual((ended.code, early.came), (0, set()))
        early.loading = False
        os.kill(os.getpid(), signal.SIGTERM)
        came: Deferred[None] = Deferred()
        signals = Signals(reactor, {}, lambda: came.callback(None), early=early)  # type: ignore[arg-type]
        signals.startService()
        await came
        signals.stopService()

    async def test_interrupted_before_it_runs(self) -> None:
        """SIGINT that came before the reactor ran is heard by the reactor once it runs, and the next one hurries."""
        from twisted.internet import reactor as running  # noqa: PLC0415

        await deferLater(running, 0)  # type: ignore[arg-type]
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        early = Early(signal.SIGINT)
        early.loading = False
        os.kill(os.getpid(), signal.SIGINT)
        reactor = ListeningReactor()
        hurried: list[None] = []
        signals = Signals(reactor, {}, self.fail, lambda: hurried.append(None), early)  # type: ignore[arg-type]
        signals.startService()
        self.assertEqual((reactor.interrupts, hurried), ([signal.SIGINT], []))
        os.kill(os.getpid(), signal.SIGINT)
        self.assertEqual((reactor.interrupts, hurried), ([signal.SIGINT], [None]))
        signals.stopService()

    def test_ignored(self) -> None:
        """Who was started with SIGINT ignored, as in the background of a shell, ignores it while it starts."""
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        Early(signal.SIGINT)
        self.assertEqual(signal.getsignal(signal.SIGINT), signal.SIG_IGN)

    async def test_ends(self) -> None:
        """SIGTERM calls the function, SIGINT who listened before; the next hurries; nobody is told in the end."""
        from twisted.internet import reactor  # noqa: PLC0415

        await deferLater(reactor, 0)  # type: ignore[arg-type]
        for first, second in (ENDS, tuple(reversed(ENDS))):
            told: list[object] = []
            hurried: Deferred[None] = Deferred()
            for number in ENDS:
                original = signal.signal(number, lambda number, frame: told.append(number))  # noqa: B023
                self.addCleanup(signal.signal, number, original)
            signals = Signals(
                reactor,  # type: ignore[arg-type]
                {},
                lambda: told.append("end"),  # noqa: B023
                lambda: hurried.callback(None),  # noqa: B023
            )
            signals.startService()
            os.kill(os.getpid(), first)
            os.kill(os.getpid(), second)
            await hurried
            self.assertEqual(told, ["end"] if first == signal.SIGTERM else [signal.SIGINT])
            signals.stopService()
            self.assertEqual([signal.getsignal(number) for number in ENDS], [signal.SIG_DFL] * 2)

    async def test_never_told_to_end(self) -> None:
        """Who listened before has it again where nobody was told to end."""
        from twisted.internet import reactor  # noqa: PLC0415

        await deferLater(reactor, 0)  # type: ignore[arg-type]
        before = [signal.getsignal(number) for number in ENDS]
        signals = Signals(reactor, {}, self.fail)  # type: ignore[arg-type]
        signals.startService()
        self.assertNotEqual([signal.getsignal(number) for number in ENDS], before)
        signals.stopService()
        self.assertEqual([signal.getsignal(number) for number in ENDS], before)

    async def test_another_thread(self) -> None:
        """Where signals can't be had they are left alone."""
        signals = Signals(MemoryReactorClock(), {signal.SIGUSR2: self.fail})  # type: ignore[arg-type]
        await deferToThread(signals.startService)
        signals.stopService()
