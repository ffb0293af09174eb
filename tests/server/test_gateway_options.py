"""Tests of L{edgegate.server.gateway_options}."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.gateway_options import GatewayOptions


class GatewayOptionsTests(SynchronousTestCase):
    """What no file says."""

    def test_value(self) -> None:
        """They are a value: those that say the same are equal, and none can be changed."""
        self.assertEqual(GatewayOptions(), GatewayOptions())
        self.assertNotEqual(GatewayOptions(), GatewayOptions(drain=0.0))
        with self.assertRaises(FrozenInstanceError):
            GatewayOptions().drain = 1.0  # type: ignore[misc]
