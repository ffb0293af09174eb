"""An access log that goes to a collector, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_paths import collected_at
from edgegate.observe.export.exporter import BatchExporter
from edgegate.observe.export.otlp import CONTENT_TYPE, Attribute, OTLPBatches

INTERVAL = 1.0
"""Seconds that a record waits for others, as in Envoy."""

TIMEOUT = 10.0
"""Seconds that a collector has for a batch."""


class CollectedLog:
    """Has records sent, from L{open} to L{close}; what the collector does not take is lost, and counted."""

    def __init__(self, reactor: IReactorTime, wanted: AccessLogFile, resource: Sequence[Attribute]) -> None:
        """
        @param resource: What the gateway says of itself.
        @raise ValueError: Its path names no collector.
        """
        # what few need is not loaded by all
        from edgegate.observe.export.collector import HTTPCollector  # noqa: PLC0415

        collector = HTTPCollector(reactor, collected_at(wanted.path), CONTENT_TYPE, TIMEOUT)
        batches = OTLPBatches([("log_name", wanted.log_name), *resource])
        self._exporter = BatchExporter(reactor, collector, batches, INTERVAL, "the access log", "lines")
        self._end: Deferred[None] | None = None
        self.ended = False

    def open(self) -> None:
        """Send from now on. Nobody is connected to yet: a collector that is not there costs lines and nothing else."""
        self._exporter.startService()  # type: ignore[no-untyped-call]

    def add(self, record: bytes) -> None:
        """Take a record; one too many is lost."""
        self._exporter.add(record)

    @property
    def lost(self) -> int:
        """Lines that the collector did not take, or never got."""
        return self._exporter.failed + self._exporter.dropped

    def close(self) -> Deferred[None]:
        """Send what waits. May be called again; each of what it returns fires once that is over."""
        if self._end is None:
            self._end = self._exporter.stopService().addCallback(self._is_over)
        over: Deferred[None] = Deferred()
        self._end.addCallback(lambda _: over.callback(None))
        return over

    def _is_over(self, _: None) -> None:
        self.ended = True
