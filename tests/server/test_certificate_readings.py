"""Tests of L{edgegate.server.certificate_readings}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.families import MANAGED, MANAGED_TIMES
from edgegate.observe.metrics.gauges import Gauges
from edgegate.server.certificate_readings import managed_rows
from edgegate.tls.acme.status import CertificateState, CertificateStatus
from tests.tls.acme.certificates import managed

NOW = 1000.0


class ManagedRowsTests(SynchronousTestCase):
    """Metrics of what is issued."""

    def test_rows(self) -> None:
        """Each issuer has its certificates by all states, with the first end, the next renewal and the last success."""
        ours = [managed(Path("/a"), f"{name}.example.com") for name in "abc"]
        other = replace(ours[0], issuer=replace(ours[0].issuer, name="default/other"))
        statuses = {
            ours[0]: CertificateStatus(True, NOW + 90, NOW + 60, issued_at=NOW - 5),
            ours[1]: CertificateStatus(True, NOW + 80, NOW + 70, failures=1, error="x", issued_at=NOW - 7),
            ours[2]: CertificateStatus(True, NOW - 1, 0.0, failures=1, error="x", issued_at=NOW - 9),
            other: CertificateStatus(False, 0.0, NOW + 5),
        }
        gauges = Gauges()
        # as two workers tell it
        for _ in range(2):
            for row in managed_rows(statuses, NOW):
                assert row is not None
                gauges.put(row)
        states = {labels: numbers[0] for labels, numbers in gauges.of(MANAGED)}
        self.assertEqual(len(states), 2 * len(CertificateState))
        there = {labels: number for labels, number in states.items() if number}
        self.assertEqual(
            there,
            {
                ("default/ca", "issued"): 1,
                ("default/ca", "renewal_failing"): 1,
                ("default/ca", "expired"): 1,
                ("default/other", "pending"): 1,
            },
        )
        self.assertEqual(
            dict(gauges.of(MANAGED_TIMES)),
            {("default/ca",): [NOW - 1, NOW, NOW - 5], ("default/other",): [None, NOW + 5, None]},
        )

    def test_steps(self) -> None:
        """Where there are many they are looked at in steps."""
        there = CertificateStatus(True, NOW + 90, NOW + 60)
        rows = list(managed_rows({managed(Path("/a"), f"h{n}.example.com"): there for n in range(1000)}, NOW))
        self.assertEqual(rows.count(None), 5)
        self.assertIn((MANAGED.name, ("default/ca", "issued"), (1000,)), rows)
