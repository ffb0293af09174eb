"""Tests of L{edgegate.admin.live.parts}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import ClusterNow, EndpointNow, MapPart, NowPart, Part, ProcessNow


class PartTests(SynchronousTestCase):
    """What processes tell each other."""

    def test_between_processes(self) -> None:
        """All parts come to another process as they were."""
        endpoint = EndpointNow("c", "127.0.0.1:80", True, False, 1, 2, 3, 4, 5, 1, "region/zone")
        process = ProcessNow(1, 42, 3, 2, 17, 1 << 20, (("connections", 3, None, 0),))
        parts: tuple[Part, ...] = (
            MapPart([("routes", {"id": "a"})], first=True, last=False),
            NowPart(
                endpoints=[endpoint], gone=[("c", "a")], clusters=[ClusterNow("c", 1, ("pending",))], process=process
            ),
        )
        for part in parts:
            self.assertEqual(pickle.loads(pickle.dumps(part)), part)

    def test_nothing(self) -> None:
        """A part in which nothing happened is empty, and shares no list with another."""
        one, other = NowPart(), NowPart()
        one.endpoints.append(EndpointNow("c", "a", False, False, 0, 0, 0, 0, 0, 1, ""))
        self.assertEqual((other, other.endpoints, other.process), (NowPart(), [], None))
