"""Tests of L{edgegate.upstream.health.outlier_detection}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import OutlierDetection
from edgegate.upstream.health.outlier_detection import MAX_EJECTION, OutlierDetector, Record


class OutlierCase(SynchronousTestCase):
    """A cluster of some endpoints."""

    def watch(self, count: int = 3, **rules: object) -> list[Record]:
        self.clock = Clock()
        records = [Record() for _ in range(count)]
        rules = {"max_ejected": 1.0, **rules}
        self.outliers = OutlierDetector(OutlierDetection(**rules), records, self.clock.seconds)  # type: ignore[arg-type]
        return records

    def statuses(self, record: Record, *statuses: int) -> list[bool]:
        return [self.outliers.answered(record, status) for status in statuses]


class EjectionTests(OutlierCase):
    """Who is ejected."""

    def test_in_a_row(self) -> None:
        """Only errors in a row count, and with the last of them the endpoint is ejected."""
        one, two, _ = self.watch(consecutive_5xx=3)
        self.assertEqual(self.statuses(one, 500, 503, 200, 500, 599, 404, 500, 500), [False] * 8)
        self.assertEqual(self.statuses(one, 500), [True])
        self.assertEqual(self.statuses(two, 500, 500), [False, False])
        self.assertEqual(self.statuses(one, 500, 500, 500), [False] * 3)

    def test_gateway_errors(self) -> None:
        """Errors of gateways have a count of their own, which any other answer ends."""
        one, _, _ = self.watch(consecutive_5xx=0, consecutive_gateway_errors=2)
        self.assertEqual(self.statuses(one, 500, 500, 500, 502, 500, 503, 200, 504, 502), [False] * 8 + [True])

    def test_statuses(self) -> None:
        """The files may say what an error is."""
        one, _, _ = self.watch(consecutive_5xx=2, statuses=frozenset((429, 500)))
        self.assertEqual(self.statuses(one, 429, 503, 429, 500), [False, False, False, True])

    def test_local_failures(self) -> None:
        """Connects that fail are errors like others, and those of a gateway, unless they are counted apart."""
        one, two, _ = self.watch(consecutive_5xx=3, consecutive_gateway_errors=2)
        self.assertEqual(self.statuses(one, 502), [False])
        self.assertTrue(self.outliers.failed(one))
        self.outliers.failed(two)
        self.outliers.connected(two)
        self.assertFalse(self.outliers.failed(two))

    def test_split(self) -> None:
        """Counted apart, local failures have a count and a limit of their own."""
        one, two, _ = self.watch(consecutive_5xx=2, split=True, consecutive_local_failures=3)
        self.assertEqual([self.outliers.failed(one) for _ in range(3)], [False, False, True])
        self.outliers.failed(two)
        self.outliers.failed(two)
        self.assertEqual(self.statuses(two, 500), [False])
        self.assertEqual([self.outliers.failed(two), self.outliers.failed(two)], [False, False])
        self.assertEqual(self.statuses(two, 500), [True])
        off = self.watch(split=True, consecutive_local_failures=0)[0]
        self.assertFalse(any(self.outliers.failed(off) for _ in range(100)))

    def test_one_may_always_be(self) -> None:
        """However small the share that may be ejected, one endpoint may be; the next one only as far as it goes."""
        one, two, three = self.watch(consecutive_5xx=1, max_ejected=0.1)
        self.assertEqual(self.statuses(one, 500), [True])
        self.assertEqual(self.statuses(two, 500, 500), [False, False])
        self.outliers.rules = OutlierDetection(consecutive_5xx=1, max_ejected=0.67)
        self.assertEqual(self.statuses(two, 500), [True])
        self.assertEqual(self.statuses(three, 500), [False])

    def test_gone(self) -> None:
        """An endpoint that left is nobody's to eject."""
        one, two, three = self.watch(consecutive_5xx=1)
        self.outliers.records = [two, three]
        self.assertEqual(self.statuses(one, 500), [False])

    @given(
        st.integers(1, 12),
        st.floats(0, 1),
        st.lists(st.tuples(st.integers(0, 11), st.sampled_from((200, 503, 0, -1))), max_size=200),
    )
    def test_never_more_than_the_share(self, count: int, share: float, events: list[tuple[int, int]]) -> None:
        """Whatever happens, no more are ejected than may be, or one."""
        records = self.watch(count, consecutive_5xx=2, max_ejected=share, base_ejection=15.0)
        for index, status in events:
            record = records[index % count]
            if status > 0:
                self.outliers.answered(record, status)
            elif status == 0:
                self.outliers.failed(record)
            else:
                self.clock.advance(10)
                self.outliers.sweep()
            ejected = sum(record.ejected_at is not None for record in records)
            self.assertLessEqual(ejected, max(1, share * count))


class ReturnTests(OutlierCase):
    """Who comes back."""

    def eject(self, record: Record) -> None:
        self.assertTrue(self.outliers.answered(record, 500))

    def after(self, seconds: float) -> list[Record]:
        self.clock.advance(seconds)
        return self.outliers.sweep()

    def test_after_its_time(self) -> None:
        """An endpoint is back at the first look after its time, and begins anew."""
        one, _, _ = self.watch(consecutive_5xx=1, base_ejection=30.0)
        self.assertFalse(self.outliers.watching)
        self.eject(one)
        self.assertTrue(self.outliers.watching)
        self.assertEqual([self.after(10), self.after(19), self.after(1)], [[], [], [one]])
        self.assertEqual(self.after(10), [])

    def test_longer_each_time(self) -> None:
        """Each further time it stays out for longer, up to five minutes."""
        one, _, _ = self.watch(consecutive_5xx=1, base_ejection=100.0)
        lasted = []
        for _ in range(5):
            self.eject(one)
            lasted.append(self.outliers.lasts(one))
            self.assertEqual(self.after(lasted[-1]), [one])
        self.assertEqual(lasted, [100, 200, MAX_EJECTION, MAX_EJECTION, MAX_EJECTION])
        self.assertEqual(one.ejections, 3)  # as many intervals forgive it

    def test_long_base(self) -> None:
        """A first ejection that is to last longer than the limit does."""
        one, _, _ = self.watch(consecutive_5xx=1, base_ejection=1000.0)
        self.eject(one)
        self.assertEqual(self.outliers.lasts(one), 1000)

    def test_forgiven(self) -> None:
        """For each interval that it behaves well, one ejection is forgotten; then nothing is left to look at."""
        one, _, _ = self.watch(consecutive_5xx=1, base_ejection=10.0, interval=10.0)
        self.eject(one)
        self.after(10)
        self.eject(one)
        self.after(20)
        self.assertEqual(one.ejections, 2)
        self.after(5)
        self.assertEqual(one.ejections, 2)
        self.after(5)
        self.assertEqual((one.ejections, self.outliers.watching), (1, True))
        self.after(10)
        self.assertEqual((one.ejections, self.outliers.watching), (0, False))

    def test_on_trial(self) -> None:
        """One that comes back and breaks off at once is ejected at once; after an answer it counts as any other."""
        one, two, _ = self.watch(consecutive_5xx=3, base_ejection=10.0)
        for record in (one, two):
            for _ in range(3):
                self.outliers.failed(record)
        self.assertEqual(self.after(10), [one, two])
        self.assertTrue(self.outliers.failed(one))
        self.outliers.answered(two, 200)
        self.assertFalse(self.outliers.failed(two))
