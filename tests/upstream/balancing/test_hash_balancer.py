"""Tests of L{edgegate.upstream.balancing.hash_balancer}, with the ring and with Maglev's table."""

from __future__ import annotations

import subprocess
import sys
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.hash_balancer import HashBalancer, Table, Tabled, hash64
from edgegate.upstream.balancing.maglev import Maglev
from edgegate.upstream.balancing.ring import Ring
from edgegate.upstream.endpoint import EndpointState
from tests.upstream.members import members

KEYS = [hash64(b"%d" % number) for number in range(3000)]


def names(endpoints: list[EndpointState]) -> list[str]:
    return [str(endpoint.address) for endpoint in endpoints]


def table(maglev: bool, endpoints: list[EndpointState]) -> Table:
    """Make a table of Istio's default size."""
    weights = [endpoint.weight for endpoint in endpoints]
    return Maglev(names(endpoints), weights, 65537) if maglev else Ring(names(endpoints), weights, 1024)


class HashTests(SynchronousTestCase):
    """The hash."""

    def test_same_in_every_process(self) -> None:
        """What a key is does not depend on the process that asks."""
        words = "from edgegate.upstream.balancing.hash_balancer import hash64; print(hash64(b'alice'))"
        found = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True)
        self.assertEqual(int(found.stdout), hash64(b"alice"))


class HashedTests(SynchronousTestCase):
    """Endpoints by key."""

    def hashed(
        self, maglev: bool, endpoints: list[EndpointState], usable: list[EndpointState] | None = None
    ) -> list[str]:
        """Return whom each key belongs to."""
        made = table(maglev, endpoints)
        chooser = HashBalancer(lambda: Tabled(made, endpoints), endpoints if usable is None else usable, Random(1))
        return [str(chooser.choose(key).address) for key in KEYS]

    @settings(max_examples=10, deadline=None)
    @given(st.booleans(), st.integers(2, 12), st.data())
    def test_order_does_not_count(self, maglev: bool, count: int, data: st.DataObject) -> None:
        """A key belongs to the same endpoint in whatever order the files have them."""
        endpoints = members(*[1] * count)
        shuffled = data.draw(st.permutations(endpoints))
        self.assertEqual(self.hashed(maglev, endpoints), self.hashed(maglev, shuffled))

    @settings(max_examples=20, deadline=None)
    @given(st.booleans(), st.integers(2, 16), st.data())
    def test_one_leaves(self, maglev: bool, count: int, data: st.DataObject) -> None:
        """When one of n endpoints leaves, at most 1/n + 10% of the keys move; the same when it comes."""
        endpoints = members(*[1] * count)
        gone = data.draw(st.sampled_from(endpoints))
        before = self.hashed(maglev, endpoints)
        after = self.hashed(maglev, [endpoint for endpoint in endpoints if endpoint is not gone])
        moved = sum(one != two for one, two in zip(before, after, strict=True))
        self.assertLessEqual(moved / len(KEYS), 1 / count + 0.1)

    @settings(max_examples=20, deadline=None)
    @given(st.booleans(), st.integers(2, 12), st.data())
    def test_unfit(self, maglev: bool, count: int, data: st.DataObject) -> None:
        """Of endpoints that are not fit the keys move, to such as are; no other key does."""
        endpoints = members(*[1] * count)
        usable = data.draw(st.lists(st.sampled_from(endpoints), min_size=1, unique=True))
        fit = names(usable)
        for before, after in zip(self.hashed(maglev, endpoints), self.hashed(maglev, endpoints, usable), strict=True):
            self.assertIn(after, fit)
            if before in fit:
                self.assertEqual(after, before)

    def test_keys_of_the_unfit_are_spread(self) -> None:
        """Those who stand in for an endpoint share its keys."""
        endpoints = members(1, 1, 1, 1)
        for maglev in (False, True):
            found = self.hashed(maglev, endpoints, endpoints[1:])
            for name in names(endpoints[1:]):
                self.assertLessEqual(abs(found.count(name) - len(KEYS) / 3), len(KEYS) / 20)

    def test_without_a_key(self) -> None:
        """Requests that have nothing to be told apart by go anywhere."""
        endpoints = members(1, 1, 1)
        made = table(False, endpoints)
        chooser = HashBalancer(lambda: Tabled(made, endpoints), endpoints, Random(1))
        self.assertEqual({chooser.choose(None) for _ in range(100)}, set(endpoints))

    @given(st.booleans(), st.integers(0, 2**64 - 1))
    @settings(deadline=None)
    def test_any_key(self, maglev: bool, key: int) -> None:
        """Every key has an owner."""
        endpoints = members(1, 2)
        made = self._tables.setdefault(maglev, table(maglev, endpoints))
        self.assertIn(HashBalancer(lambda: Tabled(made, endpoints), endpoints, Random(1)).choose(key), endpoints)

    _tables: dict[bool, Table] = {}

    def test_owners_all_unfit(self) -> None:
        """A table with fewer slots than endpoints leaves some without any: they have the keys when no owner is fit."""
        endpoints = members(*[1] * 8)
        made = Maglev(names(endpoints), [1.0] * 8, 5)
        owners = {endpoints[owner] for owner in made.owners}
        others = [endpoint for endpoint in endpoints if endpoint not in owners]
        chooser = HashBalancer(lambda: Tabled(made, endpoints), others, Random(1))
        self.assertEqual({chooser.choose(key) for key in KEYS}, set(others))
