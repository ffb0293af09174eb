"""
HTTP/2 conversations that are made up: nothing is raised, it makes no difference where bytes are cut, and the package h2
agrees with what is taken.

h2 takes a malformed message for the end of a connection where RFC 9113 ends its stream, and checks nothing of what we
limit. So what it refuses we refuse somehow, and what we take it takes with the same heads and bodies.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import hpack
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.connection import Connection
from edgegate.http.h2.frames import PREFACE, SETTINGS_ACK, header_frames, settings_frame
from edgegate.http.h2.hpack import Decoder, block_of
from tests.fuzz.making_up import Frames, again, changed, conversation, fields, pieces
from tests.http.h2.recording import (
    REQUEST,
    Event,
    RecordedClient,
    RecordedRequest,
    RecordedResponse,
    RecordedServer,
    frames_of,
    said,
)
from tests.http.h2.test_hpack import expected, oracle, outcome

ASKED = 3
"""Requests of a client that are under way."""


def told(streams: Sequence[RecordedRequest | RecordedResponse]) -> list[list[Event]]:
    """Return what streams were told, pieces of bodies put together."""
    found = []
    for stream in streams:
        events: list[Event] = []
        for event in stream.events:
            if event[0] == "body" and events and events[-1][0] == "body":
                events[-1] = ("body", bytes(events[-1][1]) + bytes(event[1]))  # type: ignore[call-overload]
            else:
                events.append(event)
        found.append(events)
    return found


def refusals(written: bytes) -> set[int]:
    """Return the streams that were reset."""
    return {frame[1] for frame in said(frames_of(written)) if frame[0] == "RST_STREAM"}  # type: ignore[misc]


def hear(connection: Connection, parts: list[bytes]) -> bytes:
    """Receive bytes as they come; return what is written."""
    written = b""
    for part in parts:
        connection.receive(part)
        written += connection.take()
    return written


def bodies(events: list[h2.events.Event]) -> dict[int, bytes]:
    """Return what h2 says of bodies, by stream."""
    found: dict[int, bytes] = {}
    for event in events:
        if isinstance(event, h2.events.DataReceived):
            number = int(event.stream_id or 0)
            found[number] = found.get(number, b"") + bytes(event.data or b"")
    return found


class ServerTests(SynchronousTestCase):
    """What clients say."""

    def test_conversations(self) -> None:
        """See above; and a connection that goes on goes on serving."""
        again(lambda rnd: conversation(rnd, REQUEST), self._check, "client")

    def _check(self, frames: Frames, rnd: Random) -> None:
        talk = b"".join(frames)
        start = PREFACE + settings_frame([]) + SETTINGS_ACK
        whole, cut = RecordedServer(), RecordedServer()
        written = hear(whole, [start, talk])
        reset = refusals(written)
        hear(cut, [start, *pieces(rnd, frames)])
        self.assertEqual((whole.code, whole.reason), (cut.code, cut.reason))
        self.assertEqual(told(whole.began), told(cut.began))
        if not whole.peer_leaving and not any(map(_is_no_update, frames)):
            # h2 takes nothing of a client that leaves, and no such update of a stream that is over, which we pass over
            self._compare(whole, start, talk, reset)
        if whole.code < 0 and not whole.in_frame and not whole.peer_leaving and len(whole.streams) < 90:
            self._serves(whole)

    def _serves(self, server: RecordedServer) -> None:
        number = server.last + 2 if server.last > 0 else 1
        server.receive(header_frames(number, block_of(REQUEST), True))
        self.assertEqual((server.code, server.began[-1].number, server.began[-1].events[0]), (-1, number, ("head",)))

    def _compare(self, server: RecordedServer, start: bytes, talk: bytes, reset: set[int]) -> None:
        oracle = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        oracle.initiate_connection()
        # its windows are smaller: what it has of ours counts at once
        oracle.increment_flow_control_window((1 << 20) - 65535)
        try:
            events = oracle.receive_data(start + talk)
        except (h2.exceptions.ProtocolError, hpack.HPACKError):
            # it refuses some frames before they are whole
            refused = server.code >= 0 or server.in_frame or reset or any(stream.fault for stream in server.began)
            self.assertTrue(refused, "h2 refuses it")
            return
        if server.code < 0:
            taken = bodies(events)
            methods = {
                int(event.stream_id or 0): dict(event.headers or ())[b":method"]
                for event in events
                if isinstance(event, h2.events.RequestReceived)
            }
            for stream in server.began:
                if stream.number not in reset and stream.head is not None and not _is_reset(stream.events):
                    self.assertEqual(stream.body, taken.get(stream.number, b""))
                    self.assertEqual(stream.head.method, methods.get(stream.number))


def _is_no_update(said: bytes) -> bool:
    """
    Whether it is a WINDOW_UPDATE that h2 refuses for itself: by nothing, by more than there can be, or with the bit
    that is to be ignored (RFC 9113 section 6.9).
    """
    increment = int.from_bytes(said[9:], "big")
    return said[3:4] == b"\x08" and (increment & 0x7FFFFFFF in (0, 0x7FFFFFFF) or increment >> 31 > 0)


def _is_reset(events: list[Event]) -> bool:
    return any(event[0] == "reset" for event in events)


class ClientTests(SynchronousTestCase):
    """What backends say."""

    def test_conversations(self) -> None:
        """See above."""
        again(lambda rnd: conversation(rnd, [(b":status", b"200")]), self._check, "backend")

    def _check(self, frames: Frames, rnd: Random) -> None:
        talk = b"".join(frames)
        start = settings_frame([]) + SETTINGS_ACK
        found = []
        for parts in ([start, talk], [start, *pieces(rnd, frames)]):
            client = RecordedClient()
            streams = [client.get() for _ in range(ASKED)]
            hear(client, parts)
            found.append((client.code, client.reason, told(streams)))
            for stream in streams:
                # each ends once, and a connection that ended has ended all of them
                ends = [event for event in stream.events if event[0] in ("reset", "closed")]
                self.assertLessEqual(len(ends), 1)
                if client.code >= 0:
                    self.assertEqual(len(ends), 1)
        self.assertEqual(found[0], found[1])


class DecoderTests(SynchronousTestCase):
    """Header blocks of one connection."""

    def test_blocks(self) -> None:
        """Blocks that were changed mean the same as to hpack, or are refused as well; so do those behind them."""
        again(_blocks, self._check, "block")

    def _check(self, blocks: Frames, rnd: Random) -> None:
        decoder, other = Decoder(1 << 20), oracle()
        for block in blocks:
            found = outcome(decoder, block)
            self.assertEqual(found, expected(other, block), block.hex())
            if found is None:
                return


def _blocks(rnd: Random) -> Frames:
    """Return header blocks that share a table, some of them changed."""
    encoder = hpack.Encoder()
    found = []
    for _ in range(rnd.randint(1, 8)):
        if rnd.random() < 0.2:
            encoder.header_table_size = rnd.choice((0, 4096, rnd.randint(30, 90)))
        block = bytes(encoder.encode(fields(rnd) + fields(rnd), huffman=rnd.random() < 0.5))
        found.append(changed(rnd, block) if block and rnd.random() < 0.2 else block)
    return found
