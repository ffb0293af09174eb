"""Tests of L{edgegate.access_log.time_values}."""

from __future__ import annotations

from tests.access_log.records import RecordCase


class TimeValuesTests(RecordCase):
    """What operators of times stand for."""

    def test_times(self) -> None:
        """Times are those of the end of the request, not of the moment in which its line is made."""
        self.assertEqual(self.text("%START_TIME%"), "2026-03-01T12:00:00.082Z")
        self.assertEqual(self.text("%START_TIME(%Y/%m %s.%3f)%"), "2026/03 1772366400.082")
        self.assertEqual(self.text("%DURATION% %REQUEST_DURATION% %RESPONSE_DURATION%"), "15 0 11")
        self.assertEqual(self.text("%REQUEST_TX_DURATION% %RESPONSE_TX_DURATION%"), "1 3")
        self.assertEqual(self.text("%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%"), "9765")
        self.assertEqual(self.text("%COMMON_DURATION(US_RX_BEG:US_TX_BEG)% %COMMON_DURATION(X:Y)%"), "- -")
