"""Tests of L{edgegate.net.pace}."""

from __future__ import annotations

from time import monotonic

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.pace import SHARE, Pace


class PaceTests(SynchronousTestCase):
    """Expensive work."""

    def setUp(self) -> None:
        """Have done nothing."""
        self.pace = Pace()
        self.done: list[str] = []

    def work(self, name: str) -> None:
        """Take all the time of a turn."""
        self.done.append(name)
        until = monotonic() + SHARE
        while monotonic() < until:
            pass

    def test_one_turn(self) -> None:
        """A turn takes some work, and no more once its time is used up."""
        self.assertTrue(self.pace.takes())
        self.pace.do(lambda: None)
        self.assertTrue(self.pace.takes())
        self.pace.do(lambda: self.work("a"))
        self.assertFalse(self.pace.takes())
        self.pace.turn()
        self.assertTrue(self.pace.takes())

    def test_clients_take_turns(self) -> None:
        """Each turn does one of what waits: of a new client, then of one of the others, who take turns, too."""
        for name in ("a1", "a2", "a3", "b1", "c1", "b2"):
            self.pace.put_off(lambda name=name: self.work(name), name[0])  # type: ignore[misc]
        self.assertEqual((self.pace.waiting, self.pace.takes()), (6, False))
        for waiting in (5, 4, 3, 2, 1, 0):
            self.pace.turn()
            self.assertEqual(self.pace.waiting, waiting)
        self.assertEqual(self.done, ["a1", "a2", "b1", "a3", "c1", "b2"])

    def test_seldom(self) -> None:
        """Who comes now and then does not wait for those who always have something waiting; nobody stays new."""
        for name in ("a1", "a2", "a3", "b1", "b2", "b3"):
            self.pace.put_off(lambda name=name: self.work(name), name[0])  # type: ignore[misc]
        for _ in range(3):
            self.pace.turn()
        for name in ("c1", "b4"):
            self.pace.put_off(lambda name=name: self.work(name), name[0])  # type: ignore[misc]
        for _ in range(2):
            self.pace.turn()
        # c has had its turn, and has to wait for the others now
        self.pace.put_off(lambda: self.work("c2"), "c")
        while self.pace.waiting:
            self.pace.turn()
        self.assertEqual(self.done, ["a1", "a2", "b1", "a3", "c1", "b2", "c2", "b3", "b4"])

    def test_flood_of_new_clients(self) -> None:
        """However many new clients come, and however often, those of before get every other turn, each in its turn."""
        for name in ("a1", "a2", "a3", "b1", "b2", "b3"):
            self.pace.put_off(lambda name=name: self.work(name), name[0])  # type: ignore[misc]
        for _ in range(3):
            self.pace.turn()
        self.done.clear()
        for number in range(12):
            for each in (2 * number, 2 * number + 1):
                self.pace.put_off(lambda each=each: self.work(str(each)), each)  # type: ignore[misc]
            self.pace.turn()
        self.assertEqual(self.done[:6], ["a3", "0", "b2", "1", "b3", "2"])

    def test_failure(self) -> None:
        """What fails takes nothing else with it."""
        self.pace.put_off(lambda: 1 / 0, "a")  # type: ignore[arg-type, return-value]
        self.pace.put_off(lambda: self.work("b"), "b")
        # to log a failure may take all the time of a turn
        for _ in range(2):
            self.pace.turn()
        self.assertEqual((self.done, self.pace.waiting), (["b"], 0))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_end_of_the_process(self) -> None:
        """What would end the process is no other failure: the time counts, and what else waits is done."""

        def leave() -> None:
            self.work("a")
            raise SystemExit

        self.pace.do(leave)
        self.assertFalse(self.pace.takes())
        self.pace.put_off(leave, "a")
        self.pace.put_off(lambda: self.work("b"), "b")
        for _ in range(2):
            self.pace.turn()
        self.assertEqual((self.done, self.pace.waiting), (["a", "a", "b"], 0))
        self.assertEqual(len(self.flushLoggedErrors(SystemExit)), 2)
