"""Tests of L{edgegate.model.origin}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.origin import Origin, placed


class OriginTests(SynchronousTestCase):
    """Places in the files."""

    def test_written(self) -> None:
        """A place is written as editors and compilers write it."""
        self.assertEqual(str(Origin("shop.yaml", 7, "VirtualService default/shop", ("spec", "http", 0))), "shop.yaml:7")

    def test_placed(self) -> None:
        """Words come with the place that they are about, if there is one."""
        self.assertEqual(placed("it is gone", Origin("shop.yaml", 7, "Gateway default/gw")), "it is gone (shop.yaml:7)")
        self.assertEqual(placed("it is gone", None), "it is gone")

    def test_path_is_no_difference(self) -> None:
        """What is said on one line of one object is said in one place, whatever leads there."""
        one, other = (Origin("shop.yaml", 7, "Gateway default/gw", path) for path in ((), ("spec", 0)))
        self.assertEqual(one, other)
        self.assertEqual(len({one, other}), 1)
        self.assertEqual(sorted([other, Origin("shop.yaml", 3, "Gateway default/gw", ("spec", "http"))])[1], one)
