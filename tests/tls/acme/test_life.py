"""Tests of L{edgegate.tls.acme.life}."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.life import (
    FIRST_DELAY,
    LONGEST_DELAY,
    LONGEST_RETRY_AFTER,
    SETTLED,
    SPENT,
    Action,
    Life,
    Record,
    Step,
)

DAY = 86400.0


class LifeTests(SynchronousTestCase):
    """When something is done for a certificate."""

    def setUp(self) -> None:
        self.now = 1_000_000.0
        self.life = Life(lambda: self.now, Random(1))

    def test_first(self) -> None:
        """One that was never issued is at once."""
        self.assertEqual(self.life.next(Record()), Action(Step.ISSUE, self.now))

    def test_two_thirds(self) -> None:
        """Without a window it is renewed after two thirds of its life, be that months or hours."""
        for days in (90.0, 6.0, 0.25):
            life = days * DAY
            record = Record(self.now, self.now + life, ask_at=self.now + DAY)
            self.assertEqual(self.life.next(record), Action(Step.WAIT, self.now + min(life * 2 / 3, DAY)))
            self.assertEqual(self.life.renewal(record), self.now + life * 2 / 3)
            begin, self.now = self.now, self.now + life * 2 / 3 + 1
            self.assertEqual(self.life.next(record).step, Step.ISSUE)
            self.now = begin

    def test_apart(self) -> None:
        """Certificates of one day are not all renewed in one moment, and none later than after two thirds."""
        record = Record(self.now, self.now + 90 * DAY)
        times = [Life(lambda: self.now, Random(1), each / 10).renewal(record) for each in range(11)]
        self.assertEqual(sorted(set(times), reverse=True), times)
        self.assertEqual(times[0] - self.now, 60 * DAY)
        self.assertAlmostEqual((times[0] - times[-1]) / DAY, 4.5)

    def test_window(self) -> None:
        """A time in the window that the authority suggests is drawn once, and kept as long as the window is."""
        record = self.life.issued(self.now, self.now + 90 * DAY)
        window = self.now + 70 * DAY, self.now + 72 * DAY
        record = self.life.informed(record, window)
        self.assertTrue(window[0] <= self.life.renewal(record) <= window[1])
        again = self.life.informed(record, window)
        self.assertEqual(again.renew_at, record.renew_at)
        self.now += 73 * DAY
        self.assertEqual(self.life.next(record).step, Step.ISSUE)

    def test_window_in_the_past(self) -> None:
        """One that is over already, as before a revocation, has it renewed at once."""
        record = Record(self.now - DAY, self.now + 89 * DAY, ask_at=self.now)
        self.assertEqual(self.life.next(record).step, Step.ASK)
        record = self.life.informed(record, (self.now - 100, self.now - 50))
        self.assertEqual(self.life.next(record), Action(Step.ISSUE, self.now))

    def test_window_is_no_reason_to_expire(self) -> None:
        """One beyond the certificate's end, or that ends before it begins, is none to go by."""
        record = Record(self.now, self.now + 90 * DAY)
        late = self.life.informed(record, (self.now + 100 * DAY, self.now + 101 * DAY))
        self.assertEqual(self.life.renewal(late), self.now + 85.5 * DAY)
        self.assertIsNone(self.life.informed(record, (self.now + 9, self.now + 8)).window)

    def test_asked_again(self) -> None:
        """The window is asked for when the authority says, within a minute and a day."""
        record = Record(self.now, self.now + 90 * DAY)
        for said, waits in ((0.0, 6 * 3600.0), (1.0, 60.0), (7200.0, 7200.0), (9e9, DAY)):
            informed = self.life.informed(record, None, said)
            self.assertEqual(informed.ask_at - self.now, waits)
            self.assertEqual(self.life.next(informed), Action(Step.WAIT, self.now + waits))

    def test_expired(self) -> None:
        """Of one that has ended no window is asked for (RFC 9773 section 4.3.1): it is renewed, when that may be."""
        record = Record(self.now - 90 * DAY, self.now - 1, not_before=self.now + 50)
        self.assertEqual(self.life.next(record), Action(Step.WAIT, self.now + 50))
        self.now += 50
        self.assertEqual(self.life.next(record).step, Step.ISSUE)

    def test_failures(self) -> None:
        """Each failure puts off the next try: five in the first hour, and one in six hours at last."""
        record, tries, begin = Record(), [], self.now
        for _ in range(12):
            record = self.life.failed(record, "no")
            action = self.life.next(record)
            self.assertEqual(action.step, Step.WAIT)
            tries.append(action.at - self.now)
            self.now = action.at
        self.assertTrue(FIRST_DELAY <= tries[0] <= FIRST_DELAY * 1.25)
        self.assertTrue(all(LONGEST_DELAY <= each <= LONGEST_DELAY * 1.25 for each in tries[-3:]))
        self.assertEqual(sum(sum(tries[:n]) < 3600 for n in range(len(tries))), 5)
        self.assertGreater(self.now - begin, DAY)
        self.assertEqual(record.failures, 12)
        self.assertEqual(self.life.failed(Record(failures=10**9), "no").failures, 10**9 + 1)

    def test_retry_after(self) -> None:
        """What the authority says is kept to, unless it is more than any limit of its own."""
        for said, waits in ((1.0, FIRST_DELAY), (7 * DAY, 7 * DAY), (1e12, LONGEST_RETRY_AFTER), (-5.0, FIRST_DELAY)):
            delay = self.life.failed(Record(), "no", said).not_before - self.now
            self.assertTrue(waits <= delay <= waits * 1.25, (said, delay))

    def test_success_forgets_failures(self) -> None:
        """What is issued begins anew."""
        record = self.life.issued(self.now, self.now + 90 * DAY)
        self.assertEqual((record.failures, record.error), (0, ""))

    def test_never_a_hot_loop(self) -> None:
        """Whatever dates a certificate has, and whatever window comes with it: the next one has to wait."""
        for begin, end in ((-90 * DAY, -1.0), (0.0, 0.0), (-10.0, 5.0), (-DAY, 60.0), (0.0, 90 * DAY), (DAY, 2 * DAY)):
            record = self.life.issued(self.now + begin, self.now + end)
            self.assertEqual(self.life.next(record).step, Step.WAIT, (begin, end))
            record = self.life.informed(record, (self.now - 9, self.now - 8))
            action = self.life.next(record)
            self.assertEqual(action.step, Step.WAIT, (begin, end))
            self.assertGreaterEqual(action.at - self.now, 1.0)
            self.assertGreaterEqual(record.not_before - self.now, FIRST_DELAY / 2)
        self.assertEqual(record.not_before - self.now, SETTLED)

    def test_spent_when_it_comes(self) -> None:
        """Where all that is issued is due at once, as where this clock is a year ahead, the waits grow."""
        record, waits = Record(), []
        for _ in range(8):
            begin = self.now - 365 * DAY
            record = self.life.issued(begin, begin + 90 * DAY, record.failures)
            action = self.life.next(record)
            self.assertEqual((action.step, record.error), (Step.WAIT, SPENT))
            waits.append(action.at - self.now)
            self.now = action.at
        self.assertTrue(FIRST_DELAY <= waits[0] <= FIRST_DELAY * 1.25, waits)
        self.assertTrue(LONGEST_DELAY <= waits[-1] <= LONGEST_DELAY * 1.25, waits)
        record = self.life.issued(self.now, self.now + 90 * DAY, record.failures)
        self.assertEqual((record.failures, record.error), (0, ""))

    def test_revoked(self) -> None:
        """One that was revoked is due, but for what failed meanwhile, and the next one is as any."""
        record = self.life.issued(self.now, self.now + 90 * DAY)
        record = self.life.informed(record, (self.now + 60 * DAY, self.now + 61 * DAY))
        revoked = self.life.revoked(record)
        self.assertEqual(self.life.next(revoked), Action(Step.ISSUE, self.now))
        failed = self.life.failed(revoked, "no")
        self.assertEqual(self.life.next(failed), Action(Step.WAIT, failed.not_before))
        self.assertEqual(self.life.revoked(failed).not_before, failed.not_before)
        self.assertFalse(self.life.issued(self.now, self.now + DAY).revoked)

    def test_wrong_clock(self) -> None:
        """What a clock that was years ahead has put off is done, once that is put right."""
        self.now += 3650 * DAY
        record = self.life.failed(Record(), "no", 1e12)
        self.assertEqual(self.life.next(record).step, Step.WAIT)
        self.now -= 3650 * DAY
        self.assertEqual(self.life.next(record).step, Step.ISSUE)

    def test_wrong_clock_of_questions(self) -> None:
        """Nor is the authority left unasked until then: it tells of what is revoked."""
        record = Record(self.now, self.now + 90 * DAY)
        self.now += 30 * DAY
        record = self.life.informed(record, None)
        self.now -= 30 * DAY
        self.assertEqual(self.life.next(record).step, Step.ASK)
        self.assertEqual(self.life.next(self.life.informed(record, None)).step, Step.WAIT)

    def test_short_lived(self) -> None:
        """Those of six days, and of three minutes, are renewed long before their end, also where a try fails first."""
        for life in (6 * DAY, 180.0):
            begin = self.now
            record = self.life.issued(begin, begin + life)
            for fails in (False, True):
                while (action := self.life.next(record)).step is not Step.ISSUE:
                    if action.step is Step.ASK:
                        record = self.life.informed(record, None)
                    else:
                        self.now = action.at
                left = begin + life - self.now
                self.assertGreater(left, 0.0 if fails else life / 4, life)
                record = self.life.failed(record, "no")
            self.now = begin
