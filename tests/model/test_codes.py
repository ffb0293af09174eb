"""Tests of L{edgegate.model.codes}."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model import codes


class CodesTests(SynchronousTestCase):
    """The codes by themselves; L{tests.istio.analysis} has what stands behind them."""

    def test_distinct(self) -> None:
        """Every code is one of Istio's or of ours, and no two names stand for one."""
        found = [value for name, value in vars(codes).items() if name.isupper()]
        self.assertGreater(len(found), 50)
        self.assertEqual(sorted(found), sorted(set(found)))
        self.assertEqual([code for code in found if not re.fullmatch("IST0[0-9]{3}|EG[0-9]{3}", code)], [])
