# Hot path: told of each response of clusters that have outlier detection.
"""
Who of a cluster's endpoints fails too often, and how long it is left alone (Istio's C{OutlierDetection}).

Pure: it is told what happened and answers who is ejected and who comes back. The rules are Envoy's
(U{https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier}).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegate.model.clusters import OutlierDetection

MAX_EJECTION = 300.0
"""Seconds that an ejection lasts at most, unless the first one is to last longer (Envoy's C{max_ejection_time})."""


class Record:
    """
    How one endpoint answered of late.

    @ivar errors: In a row.
    @ivar gateway_errors: In a row.
    @ivar local_failures: In a row, where they are counted apart.
    @ivar ejections: How often it was ejected; one less for each interval that it behaves well.
    @ivar ejected_at: The clock's seconds; L{None}: it is not ejected.
    @ivar returned_at: The clock's seconds when it came back last.
    @ivar on_trial: Whether it came back and was not heard of since.
    """

    __slots__ = ("ejected_at", "ejections", "errors", "gateway_errors", "local_failures", "on_trial", "returned_at")

    def __init__(self) -> None:
        self.errors = self.gateway_errors = self.local_failures = self.ejections = 0
        self.ejected_at: float | None = None
        self.returned_at = 0.0
        self.on_trial = False

    def forget(self) -> None:
        """Begin to count anew."""
        self.errors = self.gateway_errors = self.local_failures = 0
        self.on_trial = False


class OutlierDetector:
    """
    Watches the endpoints of a cluster.

    @ivar rules: What the files say; may be set anew.
    @ivar records: Of the endpoints that the cluster has now; may be set anew.
    """

    __slots__ = ("_seconds", "records", "rules")

    def __init__(self, rules: OutlierDetection, records: Sequence[Record], seconds: Callable[[], float]) -> None:
        """
        @param seconds: Tells the time.
        """
        self.rules = rules
        self.records = records
        self._seconds = seconds

    @property
    def watching(self) -> bool:
        """Whether time alone can change anything: somebody is ejected, or was."""
        return any(record.ejections for record in self.records)

    def answered(self, record: Record, status: int) -> bool:
        """
        An endpoint answered.

        @return: Whether it is ejected for that.
        """
        rules = self.rules
        record.local_failures = 0
        record.on_trial = False
        if status not in rules.statuses if rules.statuses else status < 500:
            record.errors = record.gateway_errors = 0
            return False
        return self._erred(record, 502 <= status <= 504)

    def failed(self, record: Record) -> bool:
        """
        An endpoint could not be connected to, or broke off, or was too slow: to Envoy as bad as a status of 503.

        One that has just come back is ejected again at once, before more clients are to suffer from it. (Envoy waits
        for as many failures as the first time.)

        @return: Whether it is ejected for that.
        """
        rules = self.rules
        if record.on_trial:
            return self._eject(record)
        if not rules.split:
            return self._erred(record, True)
        record.local_failures += 1
        return 0 < rules.consecutive_local_failures <= record.local_failures and self._eject(record)

    def connected(self, record: Record) -> None:
        """An endpoint was connected to, and no status will tell how it does: a relay begins."""
        record.forget()

    def sweep(self) -> list[Record]:
        """An interval is over: return who comes back now."""
        now = self._seconds()
        returned = []
        for record in self.records:
            if record.ejected_at is None:
                if record.ejections and now - record.returned_at >= self.rules.interval:
                    record.ejections -= 1
            elif now - record.ejected_at >= self.lasts(record):
                record.ejected_at = None
                record.returned_at = now
                record.forget()
                record.on_trial = True
                returned.append(record)
        return returned

    def lasts(self, record: Record) -> float:
        """Return how many seconds an ejection lasts."""
        base = self.rules.base_ejection
        return min(base * record.ejections, max(MAX_EJECTION, base))

    def _erred(self, record: Record, gateway: bool) -> bool:
        rules = self.rules
        record.errors += 1
        record.gateway_errors = record.gateway_errors + 1 if gateway else 0
        if 0 < rules.consecutive_5xx <= record.errors or (
            0 < rules.consecutive_gateway_errors <= record.gateway_errors
        ):
            return self._eject(record)
        return False

    def _eject(self, record: Record) -> bool:
        """Eject an endpoint, unless it is ejected, has left, or would be one too many."""
        records = self.records
        if record.ejected_at is not None or record not in records:
            return False
        ejected = sum(other.ejected_at is not None for other in records)
        if ejected and ejected + 1 > self.rules.max_ejected * len(records):
            return False
        if record.ejections * self.rules.base_ejection < max(MAX_EJECTION, self.rules.base_ejection):
            record.ejections += 1
        record.ejected_at = self._seconds()
        return True
