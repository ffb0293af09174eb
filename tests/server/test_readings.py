"""Tests of L{edgegate.server.readings}."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import cast

from twisted.internet.interfaces import IReactorFDSet
from twisted.trial.unittest import SynchronousTestCase, TestCase

from edgegate import __version__
from edgegate.config.problems import Problems
from edgegate.http.guards.concurrency import UnderWay
from edgegate.model.addresses import TCPAddress
from edgegate.model.guards.concurrency import ConcurrencyGuard, ConcurrencyLimit
from edgegate.observe.metrics.families import (
    BUILD,
    CERTIFICATES,
    CHALLENGES,
    CLUSTER_GAUGES,
    CONCURRENCY,
    CONCURRENCY_GAUGES,
    CONFIGURATION,
    ISSUING,
    LIMIT_GAUGES,
    LIMITS,
    LISTENER_GAUGES,
    OWN,
    RATE_LIMIT_REDIS,
    RATE_LIMITS,
    READ,
    RELOADS,
    SERVER,
    SPANS,
    TOKENS,
    Kind,
)
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.meters import Meters
from edgegate.routing.snapshot import Snapshot
from edgegate.server.data_plane import DataPlane
from edgegate.server.readings import GatewayReadings, PlaneReadings
from edgegate.server.reload import Outcome, Reload
from edgegate.sources.loading import Configuration
from edgegate.sources.named import source_named
from edgegate.tls.acme.status import Outcome as Tried
from edgegate.tls.secrets import expiry
from tests.acceptance.manifests import GATEWAY, filled
from tests.acceptance.processes import free_ports
from tests.http.guards.guards import ORIGIN
from tests.server.test_data_plane import listener, redirecting
from tests.tls.handshakes import naming, secrets, server_tls

ROUTE = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - route: [{destination: {host: web.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 127.0.0.1}]
"""

AT = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def values(gauges: Gauges, kind: Kind, labels: tuple[str, ...] = ()) -> dict[str, float | None]:
    """Return the numbers of a row by the names of its families."""
    numbers = dict(gauges.of(kind))[labels]
    return {family.name: numbers[family.offset] for family in kind.families}


class FakeGateway:
    """A gateway whose reloads the test makes."""

    def __init__(self) -> None:
        self.ready, self.waiting = True, False
        self.last_reload = Reload(Outcome.INSTALLED, AT, Problems(), (), 0.25)
        self.reporters: list[Callable[[Reload | None], None]] = []


class GatewayReadingsTests(SynchronousTestCase):
    """A gateway of whatever processes."""

    def setUp(self) -> None:
        self.gateway, self.meters = FakeGateway(), Meters()
        self.readings = GatewayReadings(self.gateway, self.meters)

    def read(self) -> Gauges:
        """Read it."""
        gauges = Gauges()
        for row in self.readings.rows():
            gauges.put(row)
        return gauges

    def test_state(self) -> None:
        """It lives until it ends, with its first certificates or without, and says its version."""
        self.assertEqual(values(self.read(), BUILD, ("proxy", __version__)), {"istio_build": 1})
        before = values(self.read(), SERVER)
        self.gateway.ready = False
        after = values(self.read(), SERVER)
        self.gateway.waiting = True
        waiting = values(self.read(), SERVER)
        states = [(each["envoy_server_live"], each["envoy_server_state"]) for each in (before, after, waiting)]
        self.assertEqual(states, [(1, 0), (0, 1), (1, 3)])

    def test_reloads(self) -> None:
        """Reloads are counted by what came of them, with their time; the first is that of the start."""
        (report,) = self.gateway.reporters
        refused = self.gateway.last_reload = Reload(Outcome.REFUSED, AT, Problems(), (), 0.5)
        report(None)
        report(refused)
        found = {each.labels: each.numbers for each in self.meters.of(RELOADS)}
        self.assertEqual(found, {("installed",): [1, 250], ("refused",): [1, 500]})
        shown = values(self.read(), CONFIGURATION)
        self.assertEqual(
            (shown["edgegate_last_reload_successful"], shown["edgegate_last_reload_duration_seconds"]), (0, 0.5)
        )
        self.assertEqual(shown["edgegate_last_reload_timestamp_seconds"], AT.timestamp())


class PlaneReadingsTests(TestCase):
    """A data plane."""

    def setUp(self) -> None:
        from twisted.internet import reactor  # noqa: PLC0415

        (port,) = free_ports(1)
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "gw.yaml").write_text(filled(GATEWAY + ROUTE, http=port))
        loaded = Configuration(source_named(str(folder))).load()
        assert loaded.snapshot is not None
        self.plane = DataPlane(cast(IReactorFDSet, reactor))
        self.addCleanup(self.plane.stop)
        self.plane.install(loaded.snapshot, self.plane.contexts(loaded.snapshot), loaded.endpoints)
        self.readings = PlaneReadings(self.plane)

    def read(self) -> Gauges:
        """Read it."""
        gauges = Gauges()
        for row in self.readings.rows():
            if row is not None:
                gauges.put(row)
        return gauges

    def test_rows(self) -> None:
        """Every kind has its rows, as wide as the tables say."""
        gauges = Gauges()
        widths = {kind.name: kind.width for kind in READ}
        for row in self.readings.rows():
            if row is not None:
                self.assertEqual(len(row[2]), widths[row[0]], row)
                gauges.put(row)
        (cluster,) = self.plane.clusters
        shown = values(gauges, CLUSTER_GAUGES, (cluster.name,))
        self.assertEqual((shown["envoy_cluster_membership_total"], shown["envoy_cluster_membership_healthy"]), (1, 1))
        self.assertEqual(len(gauges.of(LISTENER_GAUGES)), 1)
        limits = {labels[0] for labels, _ in gauges.of(LIMIT_GAUGES)}
        self.assertEqual(limits, {each.name for each in self.plane.figures()} - {"loop lag ms"})
        self.assertLessEqual(set(LIMIT_GAUGES.most), limits)
        server = values(gauges, SERVER)
        self.assertGreater(cast(float, server["envoy_server_memory_physical_size"]), 1_000_000)
        self.assertIsNone(server["envoy_server_days_until_first_cert_expiring"])
        few, most = server["process_open_fds"], server["process_max_fds"]
        assert few is not None
        assert most is not None
        self.assertTrue(3 < few < most, (few, most))
        with socket.socket():
            self.assertEqual(values(self.read(), SERVER)["process_open_fds"], few + 1)
        self.assertEqual(server["envoy_listener_manager_total_listeners_active"], 1)

    def test_certificates(self) -> None:
        """Each certificate that a port shows has its end, once for all names that it is for."""
        (port,) = free_ports(1)
        bind, tls = TCPAddress("127.0.0.1", port), server_tls()
        chain = replace(redirecting(1), tls=naming(tls))
        served = listener(bind, None, [("a.example", chain), ("b.example", chain)])
        snapshot = Snapshot((served,))
        self.plane.install(snapshot, self.plane.contexts(snapshot, read=secrets()))
        for _ in range(2):
            ((labels, numbers),) = self.read().of(CERTIFICATES)
            self.assertEqual(labels, (f"127.0.0.1_{port}", tls.certificates[0].name))
            self.assertEqual(numbers, [int(expiry(tls.certificates[0].chain).timestamp())])
        self.assertGreater(cast(int, values(self.read(), SERVER)["envoy_server_days_until_first_cert_expiring"]), 0)

    def test_limits(self) -> None:
        """What was met of limits is what the overload view says."""
        counts = self.plane.counts
        counts.waits, counts.port_waits, counts.refused, counts.crowded_out = 2, 3, 4, 5
        self.readings.sample()
        met = {each.labels[0]: each.numbers[0] for each in self.plane.meters.of(LIMITS)}
        self.assertEqual(
            {name: reached for name, reached in met.items() if reached},
            {
                "connections": 2,
                "connections of a listener": 3,
                "connections of a client": 4,
                "handshakes of a listener": 5,
            },
        )
        self.assertEqual(met, {each.name: each.reached for each in self.plane.figures()})

    def test_rate_limits(self) -> None:
        """What rate limits have counted, and how long Redis took, is told as it grows."""
        limits = self.plane.rate_limits
        limits.counts("default/api", "all").limited = 3
        limits.latencies("default/api").add(0.0021)
        self.readings.sample()
        found = {each.labels: each.numbers for each in self.plane.meters.of(RATE_LIMITS)}
        self.assertEqual(found["default/api", "all", "limited"], [3])
        self.assertEqual(found["default/api", "all", "shadow"], [0])
        (waited,) = self.plane.meters.of(RATE_LIMIT_REDIS)
        self.assertEqual((waited.labels, waited.numbers[:4]), (("default/api",), [2, 0, 0, 1]))
        limits.counts("default/api", "all").limited = 5
        self.readings.sample()
        self.assertEqual(found["default/api", "all", "limited"], [5])

    def test_issuing(self) -> None:
        """What came of tries to have certificates issued is counted, of those on demand as well."""
        self.plane.certificates.tries["n/ca", Tried.ISSUED] = 3
        self.plane.on_demand.tries["n/ca", Tried.ISSUED] = 4
        self.plane.on_demand.tries["n/ca", Tried.FAILED] = 0
        self.readings.sample()
        found = {each.labels: each.numbers for each in self.plane.meters.of(ISSUING)}
        self.assertEqual(found, {("n/ca", "issued"): [7], ("n/ca", "failed"): [0]})
        self.assertEqual(list(self.plane.meters.of(CHALLENGES)), [])

    def test_concurrency(self) -> None:
        """What limits of concurrency have counted is told, and what is under way, where there are any."""
        self.readings.sample()
        self.assertEqual(list(self.plane.meters.of(CONCURRENCY)), [])
        environment = self.plane._environment
        under_way = environment.access.shared(UnderWay, lambda: UnderWay(environment.observer))
        guard = ConcurrencyGuard("default/api", ORIGIN, (ConcurrencyLimit("all", 5),))
        (limit,) = under_way.limits(guard, 1).limits
        limit.begin(b"")
        limit.counts.limited += 2
        self.readings.sample()
        found = {each.labels: each.numbers for each in self.plane.meters.of(CONCURRENCY)}
        self.assertEqual(found["default/api", "all", "limited"], [2])
        rows = [row for row in self.readings.rows() if row is not None and row[0] == CONCURRENCY_GAUGES.name]
        self.assertEqual(rows, [(CONCURRENCY_GAUGES.name, ("default/api", "all"), (1,))])

    def test_tokens(self) -> None:
        """What became of tokens is told where there are rules for them."""
        self.readings.sample()
        self.assertEqual(self.plane.meters.of(TOKENS), [])
        counts = self.plane.token_counts
        counts.used, counts.allowed, counts.cache_misses = True, 3, 2
        self.readings.sample()
        (found,) = self.plane.meters.of(TOKENS)
        self.assertEqual(found.numbers, [3, 0, 0, 0, 0, 0, 2])

    def test_nothing_yet(self) -> None:
        """What has never happened is shown as 0, so that the first time is seen."""
        self.readings.sample()
        limits = [each.numbers for each in self.plane.meters.of(LIMITS)]
        self.assertEqual(limits, [[0]] * len(self.plane.figures()))
        self.assertEqual([each.numbers for each in self.plane.meters.of(OWN)], [[0, 0]])
        self.plane.meters.drain()
        self.readings.sample()
        # what workers tell the supervisor every second is what is new
        self.assertEqual(self.plane.meters.of(LIMITS), [])

    def test_sample(self) -> None:
        """What others count is counted once, however often it is looked at."""
        lost = 3
        self.readings.lines_lost = lambda: lost
        spans = [("sent", 7), ("dropped", 0)]
        self.readings.spans = lambda: spans
        self.plane.counts.waits = 2
        for _ in range(2):
            self.readings.sample()
        lost = 5
        spans = [("sent", 9), ("dropped", 1)]
        self.readings.sample()
        self.assertEqual([each.numbers[0] for each in self.plane.meters.of(OWN)], [5])
        self.assertEqual(
            [(each.labels, each.numbers) for each in self.plane.meters.of(SPANS)],
            [(("sent",), [9]), (("dropped",), [1])],
        )
        limits = {each.labels[0]: each.numbers for each in self.plane.meters.of(LIMITS)}
        self.assertEqual({name: numbers for name, numbers in limits.items() if numbers != [0]}, {"connections": [2]})
