"""Tests of L{edgegate.http.guards.password_checks}."""

from __future__ import annotations

from threading import Thread

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from edgegate.http.guards.password_checks import PasswordChecks


class PasswordChecksTests(TestCase):
    """Checks in threads."""

    async def test_made(self) -> None:
        """A check is made elsewhere, and told in the reactor's turn; one that fails lets nobody in."""
        checks = PasswordChecks(reactor)  # type: ignore[arg-type]

        def fail() -> bool:
            raise ZeroDivisionError

        for work, expected in ((lambda: True, True), (lambda: False, False), (fail, None)):
            told: Deferred[bool | None] = Deferred()
            checks.queue.ask(b"x", b"me", work, told.callback)
            self.assertEqual(await told, expected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        checks.stop()

    async def test_no_thread(self) -> None:
        """Where there can be no thread for it a check fails, and takes nobody's turn after that."""
        checks = PasswordChecks(reactor)  # type: ignore[arg-type]

        def start(thread: Thread) -> None:
            raise RuntimeError("can't start new thread")

        patched = self.patch(Thread, "start", start)
        for number in range(3):
            told: Deferred[bool | None] = Deferred()
            checks.queue.ask(b"%d" % number, "me", lambda: True, told.callback)
            self.assertIsNone(await told)
        patched.restore()
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 3)
        told = Deferred()
        checks.queue.ask(b"x", "me", lambda: True, told.callback)
        self.assertTrue(await told)
