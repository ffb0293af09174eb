"""Tests of L{edgegate.diff.connections}."""

from __future__ import annotations

import random
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.comparison import compare
from edgegate.diff.findings import Findings
from edgegate.diff.sides import Side
from edgegate.diff.witnesses import Checker, pairs
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import TCPRoute, WeightedCluster
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot

ORIGIN = Origin("a.yaml", 1, "VirtualService default/a")
SUBNETS = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "0.0.0.0/0", "::/0", "127.0.0.1/32")
ENDS = ("10.0.0.1", "10.1.0.1", "10.1.2.3", "192.0.2.7", "2001:db8::1", "2001:db9::1", "127.0.0.1")


def route(cluster: str, source: tuple[str, ...] = (), destination: tuple[str, ...] = ()) -> TCPRoute:
    """Return a route."""
    return TCPRoute(ORIGIN, (WeightedCluster(cluster, 1),), (), destination, source)


def side(routes: tuple[TCPRoute, ...], bind: Address = TCPAddress("::", 5432)) -> Side:  # noqa: B008 (frozen)
    """Return files that have only these."""
    chain = FilterChain("db", ORIGIN, tcp=routes)
    return Side("files", Snapshot((Listener("db", bind, 5432, ORIGIN, chain),)))


def compared(old: tuple[TCPRoute, ...], new: tuple[TCPRoute, ...], bind: Address = TCPAddress("::", 5432)) -> Findings:  # noqa: B008 (frozen)
    """Compare routes."""
    return compare(side(old, bind), side(new, bind))


class ConnectionTests(SynchronousTestCase):
    """Connections by their addresses."""

    def test_all(self) -> None:
        """What is found is what asking about many connections finds, and the other way round."""
        rng = random.Random(7)
        outcomes = set()
        for _ in range(60):
            routes = tuple(
                route(
                    rng.choice("ab"),
                    tuple(rng.sample(SUBNETS, rng.randint(0, 2))),
                    (rng.choice(SUBNETS),) * rng.randint(0, 1),
                )
                for _ in range(rng.randint(0, 3))
            )
            changed = list(routes)
            rng.shuffle(changed)
            if changed and rng.random() < 0.5:
                changed[0] = replace(changed[0], source_subnets=(rng.choice(SUBNETS),))
            (pair,) = pairs(side(routes), side(tuple(changed)), {})
            checker = Checker(pair)
            begun = checker.connection(False, "")
            differs = False
            for local in ENDS:
                for peer in ENDS:
                    if (":" in local) == (":" in peer):
                        asked = replace(begun, local=TCPAddress(local, 5432), peer=TCPAddress(peer, 1))
                        old, new = checker.behaviours(asked)
                        differs = differs or old != new
            found = compared(routes, tuple(changed))
            if differs:
                self.assertFalse(found.equal, (routes, changed))
            for each in found.differences:
                assert each.witness is not None
                old, new = checker.behaviours(each.witness.question)
                self.assertNotEqual(old, new)
            outcomes.add(found.equal)
        self.assertEqual(outcomes, {True, False})

    def test_bound(self) -> None:
        """Where one address is bound, no other is asked about."""
        old, new = (route("a", destination=("10.0.0.0/8",)), route("b")), (route("b"),)
        self.assertFalse(compared(old, new).equal)
        self.assertTrue(compared(old, new, TCPAddress("127.0.0.1", 5432)).equal)
        self.assertTrue(compared(old, new, UNIXAddress("/run/db")).equal)

    def test_too_many(self) -> None:
        """More pairs of addresses than can be asked about are not decided."""
        sources = tuple(f"10.{number // 250}.{number % 250}.0/24" for number in range(0, 900, 2))
        old = (route("a", sources, sources),)
        found = compared(old, (route("b", sources, sources),))
        self.assertEqual((found.differences, len(found.undecided)), ([], 1))
        self.assertIn("too many", found.undecided[0].reason)
