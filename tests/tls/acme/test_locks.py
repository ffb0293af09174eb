"""Tests of L{edgegate.tls.acme.locks}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.locks import Lock, LockLost


class LockTests(SynchronousTestCase):
    """What is known of a lock."""

    def test_values(self) -> None:
        """Locks of one name are told apart by who holds them; one that is lost is trouble with the storage."""
        self.assertNotEqual(Lock("a", "x"), Lock("a", "y"))
        self.assertTrue(issubclass(LockLost, OSError))
