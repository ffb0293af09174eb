"""Tests of L{edgegate.workers.inheritance}."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

from edgegate.model.addresses import TCPAddress
from edgegate.net.channel import Channel, pair
from edgegate.workers.adopted_sockets import AdoptedSockets
from tests.workers.beside import WorkerCase


class InheritanceTests(WorkerCase):
    """What a worker has from its zygote."""

    def test_whole(self) -> None:
        """It has its sockets and contexts for each port of the files that were loaded; it is not changed."""
        ours, theirs = map(Channel, pair())
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        found = self.inheritance(ours)
        address = TCPAddress("127.0.0.1", self.port)
        snapshot = found.loaded.snapshot
        assert snapshot is not None
        self.assertEqual([each.bind for each in snapshot.listeners], [address])
        self.assertEqual((list(found.sockets), list(found.contexts.servers)), ([address], [address]))
        with AdoptedSockets(found.sockets, found.passed).take(address, self.port) as sock:
            self.assertEqual(sock.getsockname(), self.listening.getsockname())
        with self.assertRaises(FrozenInstanceError):
            found.passed = [address]  # type: ignore[misc]
