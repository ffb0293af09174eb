"""Tests of L{edgegate.http.guards.password_checks}."""

from __future__ import annotations

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

        for work, expected in ((lambda: True, True), (lambda: False, False), (fail, False)):
            told: Deferred[bool] = Deferred()
            checks.queue.ask(b"x", b"me", work, told.callback)
            self.assertEqual(await told, expected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        checks.stop()
