"""Tests of L{edgegate.http.h2.frames}: hyperframe reads what is written."""

from __future__ import annotations

from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2 import frames
from tests.http.h2.recording import frames_of


class FramesTests(SynchronousTestCase):
    """The bytes of frames."""

    @given(st.binary(max_size=70), st.booleans(), st.integers(1, 30))
    def test_headers(self, block: bytes, ends: bool, most: int) -> None:
        """A block comes in as many frames as the peer needs; the first ends the stream, the last the block."""
        found = frames_of(frames.header_frames(5, block, ends, most))
        self.assertEqual(b"".join(frame.data for frame in found), block)
        self.assertIsInstance(found[0], HeadersFrame)
        self.assertEqual("END_STREAM" in found[0].flags, ends)
        self.assertEqual([isinstance(frame, ContinuationFrame) for frame in found[1:]], [True] * len(found[1:]))
        self.assertEqual(["END_HEADERS" in frame.flags for frame in found], [False] * len(found[1:]) + [True])
        self.assertEqual({frame.stream_id for frame in found}, {5})
        self.assertLessEqual(max(len(frame.data) for frame in found), most)

    def test_data(self) -> None:
        """DATA begins with its size and whether it ends its stream."""
        for ends in (False, True):
            found = frames_of(frames.data_start(3, ends) + b"\0\0\0\7abc")[0]
            self.assertIsInstance(found, DataFrame)
            self.assertEqual((found.data, found.stream_id, "END_STREAM" in found.flags), (b"abc", 7, ends))

    def test_settings(self) -> None:
        """Settings come in the order in which they were given, and are acknowledged without any."""
        found = frames_of(frames.settings_frame([(3, 100), (4, 65536)]) + frames.SETTINGS_ACK)
        self.assertEqual([type(frame) for frame in found], [SettingsFrame] * 2)
        self.assertEqual((found[0].settings, found[0].flags), ({3: 100, 4: 65536}, set()))
        self.assertEqual((found[1].settings, set(found[1].flags)), ({}, {"ACK"}))

    def test_others(self) -> None:
        """PING, WINDOW_UPDATE, RST_STREAM and GOAWAY."""
        ping, answer, update, reset, goaway = frames_of(
            frames.ping_frame(b"12345678")
            + frames.ping_frame(b"12345678", True)
            + frames.window_update_frame(3, 77)
            + frames.reset_frame(5, 8)
            + frames.goaway_frame(9, 11)
        )
        self.assertIsInstance(ping, PingFrame)
        self.assertEqual((ping.opaque_data, set(ping.flags), set(answer.flags)), (b"12345678", set(), {"ACK"}))
        self.assertIsInstance(update, WindowUpdateFrame)
        self.assertEqual((update.stream_id, update.window_increment), (3, 77))
        self.assertIsInstance(reset, RstStreamFrame)
        self.assertEqual((reset.stream_id, reset.error_code), (5, 8))
        self.assertIsInstance(goaway, GoAwayFrame)
        self.assertEqual((goaway.last_stream_id, goaway.error_code, goaway.additional_data), (9, 11, b""))
