"""Tests of L{edgegate.access.check_queue}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.check_queue import MOST_FOR_CHECK, MOST_OF_CLIENT, Admission, Check, CheckQueue


class CheckQueueTests(SynchronousTestCase):
    """How many slow checks there may be."""

    def setUp(self) -> None:
        self.started: list[Check] = []
        self.told: list[tuple[bytes, bool]] = []
        self.queue = CheckQueue(self.started.append, at_once=2, most_waiting=3)

    def ask(self, digest: bytes, client: bytes = b"") -> Admission:
        """Ask for a check, as a client of its own unless told otherwise."""
        return self.queue.ask(digest, client or digest, lambda: True, lambda fits: self.told.append((digest, fits)))

    def test_at_once(self) -> None:
        """A few run, a few wait, in their order; more are refused."""
        found = [self.ask(b"%d" % number) for number in range(6)]
        self.assertEqual(found, [Admission.TAKEN] * 5 + [Admission.FULL])
        self.assertEqual([check.digest for check in self.started], [b"0", b"1"])
        self.assertEqual(self.queue.waiting, 3)
        self.queue.ended(self.started[1], False)
        self.assertEqual([check.digest for check in self.started], [b"0", b"1", b"2"])
        self.assertEqual(self.told, [(b"1", False)])
        self.assertIs(self.ask(b"6"), Admission.TAKEN)

    def test_same(self) -> None:
        """All requests with the same credentials wait for one check, as those of one page do."""
        for client in (b"a", b"a", b"b"):
            self.assertIs(self.ask(b"x", client), Admission.TAKEN)
        self.assertEqual(len(self.started), 1)
        self.queue.ended(self.started[0], True)
        self.assertEqual(self.told, [(b"x", True)] * 3)

    def test_same_many(self) -> None:
        """Not so many that their bodies fill the memory."""
        found = [self.ask(b"x") for _ in range(MOST_FOR_CHECK + 1)]
        self.assertEqual(found.count(Admission.TAKEN), MOST_FOR_CHECK)
        self.assertIs(found[-1], Admission.FULL)

    def test_client(self) -> None:
        """One client does not take all places; when its checks are over it may ask again."""
        queue = CheckQueue(self.started.append, at_once=100)
        found = [queue.ask(b"%d" % n, b"me", lambda: False, lambda fits: None) for n in range(MOST_OF_CLIENT + 1)]
        self.assertEqual(found, [Admission.TAKEN] * MOST_OF_CLIENT + [Admission.CLIENT_FULL])
        for check in self.started:
            queue.ended(check, False)
        self.assertIs(queue.ask(b"y", b"me", lambda: False, lambda fits: None), Admission.TAKEN)
        self.assertEqual(queue._clients, {b"me": 1})

    def test_raises(self) -> None:
        """One who is told and fails takes nobody's turn."""

        def fail(fits: bool) -> None:
            raise ZeroDivisionError

        self.queue.ask(b"x", b"x", lambda: True, fail)
        for digest in (b"y", b"z"):
            self.ask(digest)
        self.assertRaises(ZeroDivisionError, self.queue.ended, self.started[0], True)
        self.assertEqual([check.digest for check in self.started], [b"x", b"y", b"z"])
