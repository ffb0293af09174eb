"""Tests of L{edgegate.upstream.endpoint}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool import Pool

ADDRESS = TCPAddress("10.0.0.1", 80)


class EndpointStateTests(SynchronousTestCase):
    """What is known of one address."""

    def endpoint(self, said: Endpoint | None = None) -> EndpointState:
        """Make one."""
        pool: Pool = Pool(TimerWheel(Clock(), 0.5))
        return EndpointState(ADDRESS, pool, said=said)

    def test_fit(self) -> None:
        """One is fit unless it was ejected, or answers its probes badly."""
        endpoint = self.endpoint()
        self.assertTrue(endpoint.fit)
        for name in ("ejected", "unhealthy"):
            setattr(endpoint, name, True)
            self.assertFalse(endpoint.fit)
            setattr(endpoint, name, False)

    def test_said(self) -> None:
        """Labels and locality are those of the files, or none."""
        said = Endpoint(ADDRESS, labels=(("version", "v1"),), locality="eu/a")
        self.assertEqual((self.endpoint(said).labels, self.endpoint(said).locality), ((("version", "v1"),), "eu/a"))
        self.assertEqual((self.endpoint().labels, self.endpoint().locality), ((), ""))

    def test_shown(self) -> None:
        """Who looks sees address and load."""
        self.assertIn("10.0.0.1:80 active=0", repr(self.endpoint()))
