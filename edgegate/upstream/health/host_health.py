# Hot path: told of each response of clusters that have outlier detection.
"""Which endpoints of a cluster are fit to be asked: what their responses and their probes tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from twisted.logger import Logger

from edgegate.model.clusters import OutlierDetection, Probe
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.health.active import ActiveHealthChecks, Watcher
from edgegate.upstream.health.outlier_detection import OutlierDetector, Record

log = Logger(namespace=__name__)


class HostHealth:
    """
    Keeps C{ejected} and C{unhealthy} of a cluster's endpoints.

    @ivar outliers: Watches their responses, where the files want that.
    """

    __slots__ = (
        "_changed",
        "_endpoints",
        "_name",
        "_probed",
        "_probing",
        "_sweep",
        "_sweeping",
        "_wheel",
        "outliers",
    )

    def __init__(self, name: str, wheel: TimerWheel, probing: ActiveHealthChecks, changed: Callable[[], None]) -> None:
        """
        @param name: The cluster's.
        @param changed: Called when it has changed which endpoints are fit.
        """
        self._name = name
        self._wheel = wheel
        self._probing = probing
        self._changed = changed
        self._endpoints: Sequence[EndpointState] = ()
        self._probed: dict[EndpointState, tuple[Probe, Watcher]] = {}
        self._sweep = Deadline(wheel, self._swept)
        self._sweeping = False
        self.outliers: OutlierDetector | None = None

    @property
    def probed(self) -> bool:
        """Whether any endpoint is."""
        return bool(self._probed)

    def watch(self, endpoints: Sequence[EndpointState], rules: OutlierDetection | None) -> None:
        """Look after these endpoints from now on, and no others. What is known of them stays."""
        self._endpoints = endpoints
        for endpoint in endpoints:
            self._probe(endpoint)
        for endpoint in self._probed.keys() - set(endpoints):
            self._unprobe(endpoint)
        if rules is None:
            self._forgive()
            return
        records = [endpoint.record for endpoint in endpoints]
        if self.outliers is None:
            self.outliers = OutlierDetector(rules, records, self._wheel.clock.seconds)
        else:
            self.outliers.rules, self.outliers.records = rules, records

    def stop(self) -> None:
        """Ask nobody any more, and call nobody; all stay as they are."""
        self._sweep.end()
        self._changed = _nothing
        for endpoint in tuple(self._probed):
            self._unprobe(endpoint)

    # What endpoints do ------------------------------------------------------------------------------------------------

    def answered(self, endpoint: EndpointState, status: int) -> None:
        """An endpoint's answer has begun."""
        outliers = self.outliers
        if outliers is not None and outliers.answered(endpoint.record, status):
            self._eject(endpoint, outliers)

    def failed(self, endpoint: EndpointState) -> None:
        """An endpoint gave no response."""
        outliers = self.outliers
        if outliers is not None and outliers.failed(endpoint.record):
            self._eject(endpoint, outliers)

    def connected(self, endpoint: EndpointState) -> None:
        """An endpoint was connected to, and no response will follow."""
        if self.outliers is not None:
            self.outliers.connected(endpoint.record)

    # ------------------------------------------------------------------------------------------------------------------

    def _eject(self, endpoint: EndpointState, outliers: OutlierDetector) -> None:
        log.warn(  # noqa: G010
            "endpoint {endpoint} of {cluster} is ejected for {seconds:g} s: it failed again and again",
            endpoint=endpoint.address,
            cluster=self._name,
            seconds=outliers.lasts(endpoint.record),
        )
        endpoint.ejected = True
        self._changed()
        if not self._sweeping:
            self._sweeping = True
            self._sweep.start(outliers.rules.interval)

    def _swept(self) -> None:
        """An interval is over. The next is waited for only while time alone can change anything."""
        self._sweeping = False
        outliers = self.outliers
        if outliers is None:
            return
        returned = outliers.sweep()
        for endpoint in self._endpoints:
            if endpoint.record in returned:
                endpoint.ejected = False
                endpoint.since = self._wheel.clock.seconds()
                log.info("endpoint {endpoint} of {cluster} is back", endpoint=endpoint.address, cluster=self._name)
        if returned:
            self._changed()
        if outliers.watching:
            self._sweeping = True
            self._sweep.start(outliers.rules.interval)

    def _forgive(self) -> None:
        """Nobody counts answers any more."""
        if self.outliers is not None:
            self.outliers = None
            self._sweep.stop()
            self._sweeping = False
            for endpoint in self._endpoints:
                endpoint.ejected = False
                endpoint.record = Record()

    def _probe(self, endpoint: EndpointState) -> None:
        """Have an endpoint asked for its health as the files want it now."""
        probe = endpoint.said.probe
        present = self._probed.get(endpoint)
        if probe is None:
            self._unprobe(endpoint)
            endpoint.unhealthy = False
        elif present is None or present[0] != probe:
            watcher = partial(self._health_changed, endpoint)
            self._probing.watch(endpoint.address, probe, watcher)
            self._unprobe(endpoint)
            self._probed[endpoint] = (probe, watcher)

    def _unprobe(self, endpoint: EndpointState) -> None:
        present = self._probed.pop(endpoint, None)
        if present is not None:
            self._probing.unwatch(endpoint.address, *present)

    def _health_changed(self, endpoint: EndpointState, healthy: bool) -> None:
        if endpoint.unhealthy is healthy:
            endpoint.unhealthy = not healthy
            if healthy:
                endpoint.since = self._wheel.clock.seconds()
            self._changed()


def _nothing() -> None:
    """Nobody is told."""
