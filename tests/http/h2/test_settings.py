"""Tests of L{edgegate.http.h2.settings}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, PROTOCOL_ERROR, ConnectionFailed
from edgegate.http.h2.frames import Setting
from edgegate.http.h2.settings import PeerSettings


def failing(*settings: Setting, by_client: bool = True) -> int:
    """Return the code with which settings are refused."""
    try:
        PeerSettings().change(list(settings), by_client)
    except ConnectionFailed as failed:
        return failed.code
    return -1


class PeerSettingsTests(SynchronousTestCase):
    """What a peer has set."""

    def test_all(self) -> None:
        """Each holds from then on; unknown ones are passed over, and the last of several counts."""
        peer = PeerSettings()
        peer.change([(3, 1), (3, 7), (4, 5), (5, 20000), (6, 9000), (8, 1), (99, 4)], True)
        self.assertEqual((peer.streams, peer.window, peer.frame_bytes, peer.list_bytes), (7, 5, 20000, 9000))
        self.assertTrue(peer.extended_connect)
        self.assertFalse(peer.small_table)

    def test_table(self) -> None:
        """A table that was ever smaller than it is taken for is remembered; a larger one is of no use to us."""
        for sizes, small in (((4096,), False), ((65536,), False), ((0,), True), ((100, 4096), True)):
            peer = PeerSettings()
            peer.change([(1, size) for size in sizes], True)
            self.assertEqual(peer.small_table, small, sizes)

    def test_ranges(self) -> None:
        """What is out of its range ends the connection with the code of RFC 9113 section 6.5.2."""
        self.assertEqual(failing((4, 1 << 31)), FLOW_CONTROL_ERROR)
        for setting in ((2, 2), (5, 16383), (5, 1 << 24), (8, 2)):
            self.assertEqual(failing(setting), PROTOCOL_ERROR, setting)
        for setting in ((2, 0), (2, 1), (4, (1 << 31) - 1), (5, 16384), (8, 0)):
            self.assertEqual(failing(setting), -1, setting)

    def test_push(self) -> None:
        """A server may not say that it takes pushes (RFC 9113 section 6.5.2)."""
        self.assertEqual(failing((2, 1), by_client=False), PROTOCOL_ERROR)
        self.assertEqual(failing((2, 0), by_client=False), -1)

    def test_taken_back(self) -> None:
        """Extended CONNECT is not taken back (RFC 8441 section 3)."""
        self.assertEqual(failing((8, 1), (8, 0)), PROTOCOL_ERROR)

    def test_many(self) -> None:
        """Nobody needs more than a few in one frame."""
        self.assertEqual(failing(*[(4, 5)] * 64), -1)
        self.assertEqual(failing(*[(4, 5)] * 65), ENHANCE_YOUR_CALM)
