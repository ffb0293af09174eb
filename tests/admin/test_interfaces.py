"""Tests of L{edgegate.admin.interfaces}."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.interfaces import Gateway
from edgegate.admin.local import LocalGateway
from edgegate.workers.supervisor import Supervisor
from tests.admin.served import PretendedGateway


class GatewayTests(SynchronousTestCase):
    """What is asked of a gateway."""

    def test_provided(self) -> None:
        """The real one and the tests' have all of it."""
        wanted = {name for name in vars(Gateway) if not name.startswith("_")}
        self.assertIn("reload", wanted)
        for name in wanted:
            self.assertTrue(hasattr(cast(object, PretendedGateway()), name), name)
            self.assertTrue(hasattr(LocalGateway, name), name)
            self.assertTrue(hasattr(Supervisor, name), name)
