"""Tests of L{edgegate.route_tests.destinations}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.routes import WeightedCluster
from edgegate.route_tests.destinations import Destination, shares, shares_shown, shown

CLUSTER = "outbound|8080|v2|cart.shop.svc.cluster.local"


class DestinationTests(SynchronousTestCase):
    """How destinations are named."""

    def test_names(self) -> None:
        """As short as leaves no doubt, or whole."""
        good = (
            "cart",
            "cart.shop",
            "cart.shop.svc.cluster.local",
            "cart:8080",
            "cart/v2",
            "cart.shop:8080/v2",
            CLUSTER,
        )
        for name in good:
            self.assertTrue(Destination.parse(name).matches(CLUSTER), name)
        for name in ("car", "cart.sho", "cart:80", "cart/v1", "shop", CLUSTER.replace("v2", ""), "cart.shop.svc.x"):
            self.assertFalse(Destination.parse(name).matches(CLUSTER), name)

    def test_other_hosts(self) -> None:
        """A host that is no Kubernetes service has no short name; an address is a host."""
        self.assertFalse(Destination.parse("api").matches("outbound|443||api.example.com"))
        self.assertTrue(Destination.parse("API.example.com:443").matches("outbound|443||api.example.com"))
        self.assertTrue(Destination.parse("[::1]:80").matches("outbound|80||[::1]"))

    def test_namespace(self) -> None:
        """The second cluster of one service, which another namespace has, is named as the first."""
        self.assertTrue(Destination.parse("cart.shop").matches(f"{CLUSTER}@other"))
        self.assertTrue(Destination.parse("cart").matches(f"{CLUSTER}@other"))

    def test_text(self) -> None:
        """In words a destination is as short as it may be; one without a subset can be named whole alone."""
        for name in ("cart", "cart.shop:8080/v2", "cart/v2", "outbound|8080||cart.shop.svc.cluster.local"):
            self.assertEqual(str(Destination.parse(name)), name)
        self.assertEqual(str(Destination.parse(CLUSTER)), "cart.shop:8080/v2")

    def test_bad(self) -> None:
        """What is no destination is refused."""
        for name in ("", "a b", "cart:", "cart/", "outbound|80|x"):
            self.assertRaises(ValueError, Destination.parse, name)

    def test_shares(self) -> None:
        """Weights are percent of all; those of one cluster count together, and a weight of 0 not at all."""
        found = shares(
            (WeightedCluster("a", 1), WeightedCluster("b", 2), WeightedCluster("a", 1), WeightedCluster("c", 0))
        )
        self.assertEqual(found, {"a": 50.0, "b": 50.0})
        self.assertEqual(shares_shown({CLUSTER: 90.0, "b": 10.0}), "cart.shop:8080/v2 90 %, b 10 %")
        self.assertEqual(shares_shown({}), "no backend")
        self.assertEqual(shown("outbound|443||api.example.com"), "api.example.com:443")
