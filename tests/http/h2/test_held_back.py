"""Tests of L{edgegate.http.h2.held_back}: which of the requests that wait for their client's room is next."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.frames import FRAME_BYTES
from edgegate.http.h2.held_back import HELD_BYTES, UNREAD, HeldBack
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.stream import Early, Stream
from edgegate.http.request import refused_head
from tests.http.h2.recording import (
    REQUEST,
    UPLOAD,
    Peer,
    RecordedRequest,
    RecordedServer,
    data,
    headers,
    reset,
    settings,
    window_update,
)


class HeldBackTests(SynchronousTestCase):
    """Three of a connection."""

    def setUp(self) -> None:
        """Have them wait."""
        server = RecordedServer()
        self.held = HeldBack()
        self.streams: list[Stream] = [RecordedRequest(server, number) for number in (1, 3, 5)]
        for stream in self.streams:
            stream.window = 0
            self.held.add(stream, Early(refused_head(), None, 16))

    def take(self, under_way: int, window: int) -> int:
        """Return the number of the next; 0: none."""
        stream = self.held.take(under_way, window)
        return 0 if stream is None else stream.number

    def test_few_under_way(self) -> None:
        """While few are under way no room is needed."""
        self.assertEqual([self.take(UNREAD - 1, 0) for _ in range(4)], [1, 3, 5, 0])

    def test_no_room(self) -> None:
        """None is next without room for the stream, or for all of them."""
        self.assertEqual(self.take(UNREAD, 1000), 0)
        self.streams[1].window = 1
        self.assertEqual(self.take(UNREAD, 0), 0)
        self.assertEqual((self.take(UNREAD, 1), self.take(UNREAD, 1), len(self.held)), (3, 0, 2))

    def test_room_that_was_used_up(self) -> None:
        """Room that others have used up has one begin, and one more for each frame."""
        for stream in self.streams:
            stream.window = 1
        self.held.room_came(1)
        self.assertEqual([self.take(UNREAD, 0) for _ in range(2)], [1, 0])
        self.held.room_came(FRAME_BYTES)
        self.assertEqual([self.take(UNREAD, 0) for _ in range(3)], [3, 5, 0])

    def test_drop(self) -> None:
        """One that has ended is not next, and takes nothing."""
        for _ in range(2):
            self.held.drop(self.streams[0])
            self.assertEqual((len(self.held), self.held.size), (2, 2 * (HELD_BYTES + 32)))
        self.assertEqual((self.held.streams(), self.take(0, 0)), (self.streams[1:], 3))
        self.assertEqual(self.held.size, HELD_BYTES + 32)


class BodyTests(SynchronousTestCase):
    """What comes of a body before its request begins."""

    def test_small_pieces(self) -> None:
        """Small pieces take no more than they are counted for: they are kept, and told, as one."""
        server = RecordedServer()
        Peer(server)
        server.begins = 0
        server.receive(headers(1, block_of(UPLOAD), False).serialize())
        server.receive(b"".join(data(1, b"%02d" % number, number == 99).serialize() for number in range(100)))
        self.assertEqual(server.kept - server.held_bytes, 200)
        server.begin_held(1)
        body = b"".join(b"%02d" % number for number in range(100))
        told = [event for event in server.began[0].events if event[0] in ("body", "end")]
        self.assertEqual(told, [("body", body), ("end", [])])


class AnyOrderTests(SynchronousTestCase):
    """Requests, bodies, resets and room, in whatever order."""

    def say(self, number: int) -> int:
        """Say something, of that stream where it begins one; return the number of the next."""
        random, server = self.random, self.server
        server.begins = random.choice((0, 1, 16))
        other = random.randrange(1, number + 2, 2)
        kind = random.randrange(7)
        room = random.choice((0, 1, 100, 60_000))
        if kind < 2:
            frame = headers(number, block_of(UPLOAD if kind else REQUEST), not kind)
            number += 2
        elif other >= number:
            return number
        elif kind == 2:
            frame = data(other, bytes(100), random.random() < 0.3)
            stream = server.streams.get(other)
            if stream is None or stream.whole:
                return number
        elif kind == 3:
            frame = reset(other)
        elif kind == 4:
            frame = settings({4: room})
        else:
            frame = window_update(0 if kind == 5 else other, room or 1)
        server.receive(frame.serialize())
        if random.random() < 0.1:
            server.begin_held(random.choice((1, 16)))
        return number

    def check(self) -> None:
        """What waits is known, and was told of nothing."""
        server = self.server
        held = [stream for stream in server.streams.values() if stream.early is not None]
        self.assertEqual((len(held), bool(held)), (server.held_back, server.held_bytes > 0))
        told = [stream for stream in server.began if stream.early is not None and stream.events and not stream.gone]
        self.assertEqual(told, [])
        self.assertEqual(server._window.held, sum(stream.held for stream in server.streams.values()))

    def test_any_order(self) -> None:
        """Nothing is lost or told twice, and all begins that is still there once there is room."""
        waited = 0
        for seed in range(200):
            self.random = Random(seed)
            self.server = server = RecordedServer(bytes(self.random.choice((0, 500, 40_000))), seed % 3 == 0)
            Peer(server)
            number = 1
            for _ in range(60):
                number = self.say(number)
                self.check()
                waited += server.held_back
            server.receive(settings({4: 1 << 20}).serialize() + window_update(0, 1 << 28).serialize())
            server.begin_held(100)
            self.check()
            self.assertEqual((server.held_back, server.code), (0, -1), (seed, server.reason))
            for stream in server.began:
                told = [event[0] for event in stream.events]
                self.assertTrue(all(told.count(each) <= 1 for each in ("head", "end", "closed", "reset")), told)
                self.assertIn(told[:1], ([], ["head"], ["reset"]))
            server.lost()
            self.assertEqual((server.held_back, server.kept), (0, 0))
        self.assertGreater(waited, 1000)
