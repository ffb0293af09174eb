"""Tests of L{edgegate.diff.clusters}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.clusters import renamed_clusters
from tests.diff.compared import compared, side, told
from tests.diff.test_comparison import BASE


class ClustersTests(SynchronousTestCase):
    """Backends."""

    def told(self, old: str, new: str, base: str = BASE) -> list[str]:
        """Return what is told of a replacement in the base."""
        self.assertIn(old, base)
        return [told(each) for each in compared(base, base.replace(old, new)).changes()]

    def test_endpoints(self) -> None:
        """Endpoints that come and go are told, and what is said of one that stays."""
        self.assertEqual(
            self.told("{address: 10.0.2.1}", "{address: 10.0.2.1, weight: 5}"),
            ["Clusters | cluster db.internal:5432 | endpoint 10.0.2.1:5432 weight: 1 -> 5 | db.internal:5432"],
        )
        self.assertEqual(
            self.told("[{address: 10.0.2.1}]", "[{address: 10.0.2.1}, {address: 10.0.2.2}]"),
            [
                "Clusters | cluster db.internal:5432 | endpoints: 10.0.2.1:5432 -> 10.0.2.1:5432, 10.0.2.2:5432 | "
                "db.internal:5432"
            ],
        )

    def test_used(self) -> None:
        """It is told how many routes use a backend."""
        (change,) = compared(BASE, BASE.replace("10.0.1.1", "10.0.1.9")).changes()
        self.assertEqual(change.first.used_by, 2)

    def test_unused(self) -> None:
        """Of a backend that no route uses nothing is told."""
        extra = BASE.replace("---\n", "---\n" + _SPARE + "---\n", 1)
        self.assertEqual(self.told("10.9.9.9", "10.9.9.8", extra), [])

    def test_renamed(self) -> None:
        """One that is the same by another name is known, two that are the same are not told apart."""
        renamed = renamed_clusters(side(BASE), side(BASE.replace("cart.internal", "basket.internal")))
        self.assertEqual(renamed, {"outbound|80||cart.internal": "outbound|80||basket.internal"})
        other = BASE.replace("cart.internal", "basket.internal").replace("10.0.1.1", "10.0.1.2")
        self.assertEqual(renamed_clusters(side(BASE), side(other)), {})

    def test_renamed_and_changed(self) -> None:
        """A backend by another name that is not the same is another destination."""
        text = BASE.replace("cart.internal", "basket.internal").replace("10.0.1.1", "10.0.1.2")
        found = [told(each) for each in compared(BASE, text).changes()]
        self.assertEqual(
            found,
            [
                "Requests | to cart.internal:80 -> to basket.internal:80 | destination: cart.internal:80 -> "
                "basket.internal:80 | shop.example"
            ],
        )


_SPARE = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: spare}
spec:
  hosts: [spare.internal]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.9.9.9}]
"""
