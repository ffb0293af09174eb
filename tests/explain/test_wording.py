"""Tests of L{edgegate.explain.wording}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.wording import (
    balancing,
    differences,
    header_changes,
    percent,
    retries,
    seconds,
    text,
    upstream_tls,
)
from edgegate.model.clusters import Balancing, ConsistentHash, HashSource, LoadBalancer
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.policies import RetryPolicy
from edgegate.model.tls import Credential, UpstreamTLS


class WordingTests(SynchronousTestCase):
    """Values in words."""

    def test_numbers(self) -> None:
        """Shares and times."""
        self.assertEqual([percent(each) for each in (1, 0.5, 1 / 3, 0)], ["100 %", "50 %", "33.33 %", "0 %"])
        self.assertEqual([seconds(each) for each in (None, 5, 0.25)], ["none", "5s", "0.25s"])

    def test_text(self) -> None:
        """Nothing that a terminal would act on."""
        self.assertEqual(text(b"a\x1b[2J\n\xe9"), "a\\x1b[2J\\n\xe9")

    def test_retries(self) -> None:
        """When, how often, and how long each may take."""
        self.assertEqual(retries(None), "none")
        policy = RetryPolicy(3, frozenset({"5xx"}), frozenset({429}), per_try_timeout=2)
        self.assertEqual(retries(policy), "3 after the first try, on 5xx, 429, 2s for each try")

    def test_headers(self) -> None:
        """Changes as the files say them, and what became of fields."""
        changes = HeaderChanges(
            (b"x-a",), ((b"x-b", Template.parse("%REQ(x-c):3%!")),), ((b"x-d", Template.parse("1")),)
        )
        self.assertEqual(list(header_changes([changes])), ["removes x-a", "sets x-b: %REQ(x-c):3%!", "adds x-d: 1"])
        before, after = [(b"a", b"1"), (b"b", b"2"), (b"c", b"3")], [(b"b", b"2"), (b"c", b"4"), (b"d", b"5")]
        self.assertEqual(differences(before, after), (["a"], [(b"c", b"4"), (b"d", b"5")]))

    def test_backends(self) -> None:
        """How an endpoint is chosen and spoken to."""
        self.assertEqual(balancing(LoadBalancer(Balancing.RANDOM)), "RANDOM")
        hashed = LoadBalancer(hash=ConsistentHash(HashSource.COOKIE, "user"))
        self.assertEqual(balancing(hashed), "by the hash of cookie user")
        by_address = LoadBalancer(hash=ConsistentHash(HashSource.SOURCE_IP))
        self.assertEqual(balancing(by_address), "by the hash of source IP")
        self.assertEqual(upstream_tls(None, ""), "in the clear")
        self.assertEqual(
            upstream_tls(UpstreamTLS(credential=Credential("mine", "")), "a.example"),
            "MUTUAL with mine, SNI a.example, its certificate must be for a.example",
        )
        self.assertIn("not verified", upstream_tls(UpstreamTLS(verified=False), ""))
