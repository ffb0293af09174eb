"""Tests of L{edgegate.admin.cluster_settings}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.cluster_settings import balancing, ejection, encryption, limits
from edgegate.model.clusters import (
    Balancing,
    ConsistentHash,
    HashSource,
    LoadBalancer,
    Localities,
    OutlierDetection,
    PoolLimits,
    Warmup,
)
from edgegate.model.tls import Credential, UpstreamTLS


class ClusterSettingsTests(SynchronousTestCase):
    """Settings of clusters in a few words."""

    def test_balancing(self) -> None:
        """The algorithm, or what is hashed, and what is done besides."""
        cookie = ConsistentHash(HashSource.COOKIE, "user", maglev=True, size=65537)
        for balancer, said in (
            (LoadBalancer(), "LEAST_REQUEST"),
            (LoadBalancer(Balancing.ROUND_ROBIN, warmup=Warmup(30.0)), "ROUND_ROBIN, warmup 30s"),
            (LoadBalancer(hash=cookie), "hash of cookie user, maglev 65537"),
            (LoadBalancer(hash=ConsistentHash(HashSource.SOURCE_IP)), "hash of source IP, ring 1024"),
            (LoadBalancer(localities=Localities(failover=(("eu", "us"),))), "LEAST_REQUEST, failover"),
            (LoadBalancer(localities=Localities(priorities=("region",))), "LEAST_REQUEST, failover"),
        ):
            self.assertEqual(balancing(balancer), said)

    def test_limits(self) -> None:
        """Only what is limited is shown."""
        self.assertEqual(limits(PoolLimits()), [])
        self.assertEqual(
            limits(PoolLimits(connections=9, retries=3, http_idle=1.5)), ["connections 9", "retries 3", "idle 1.5s"]
        )

    def test_ejection(self) -> None:
        """What counts, and how long an endpoint is out."""
        self.assertIsNone(ejection(None))
        self.assertEqual(ejection(OutlierDetection()), "after 5 5xx for 30s, 10% at most")
        self.assertEqual(
            ejection(OutlierDetection(0, 3, 2, split=True)),
            "after 3 gateway errors or 2 local failures for 30s, 10% at most",
        )
        self.assertEqual(ejection(OutlierDetection(0)), "after nothing for 30s, 10% at most")

    def test_encryption(self) -> None:
        """The mode and the names, and no key."""
        self.assertIsNone(encryption(None))
        self.assertEqual(encryption(UpstreamTLS("a.example", names=("b", "c"))), "SIMPLE, SNI a.example, for b or c")
        client = Credential("client.crt")
        self.assertEqual(
            encryption(UpstreamTLS(credential=client, verified=False)), "MUTUAL with client.crt, not verified"
        )
