"""Tests of L{edgegate.upstream.balancing.original_dst}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.upstream.balancing.original_dst import OriginalDestination, destination_key
from tests.upstream.members import members


class PassedThroughTests(SynchronousTestCase):
    """Where the client wanted to go."""

    def test_endpoint(self) -> None:
        """Who came for an endpoint gets that one."""
        one, two = members(1, 1)
        chooser = OriginalDestination([one, two])
        for _ in range(3):
            self.assertIs(chooser.choose(destination_key(TCPAddress("10.0.0.2", 80))), two)

    def test_elsewhere(self) -> None:
        """Who came for the gateway, or for no one knows what, gets the endpoints in turn."""
        one, two = members(1, 1)
        chooser = OriginalDestination([one, two])
        gateway = destination_key(TCPAddress("192.0.2.1", 443))
        self.assertEqual([chooser.choose(key) for key in (gateway, None, gateway)], [one, two, one])
