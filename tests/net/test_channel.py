"""Tests of L{edgegate.net.channel}, over real sockets."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.channel import (
    JSON,
    MOST_DESCRIPTORS,
    MOST_QUEUED,
    Channel,
    NoDescriptors,
    Received,
    pair,
    wait_for_any,
)
from tests.net.pairs import all_opened, opened


class ChannelTests(SynchronousTestCase):
    """Values that go from one end to the other."""

    def setUp(self) -> None:
        """Make both ends."""
        ours, theirs = pair()
        self.opened = opened(ours.fileno(), theirs.fileno())
        self.ours, self.theirs = Channel(ours), Channel(theirs)

    def tearDown(self) -> None:
        """No descriptor is left."""
        self.ours.close()
        self.theirs.close()
        self.assertEqual(self.opened & all_opened(), set())

    def pipe(self) -> tuple[int, int]:
        """Return both ends of a pipe, of which no descriptor may be left either."""
        read, write = os.pipe()
        self.opened |= opened(read)
        return read, write

    def test_json(self) -> None:
        """Values of JSON, with descriptors, for who may be another version; what is none is an error."""
        ours, theirs = pair()
        one, other = Channel(ours, codec=JSON), Channel(theirs, codec=JSON)
        read, write = self.pipe()
        one.send({"ä": [1, None]}, [read])
        self.close([read, write])
        (found,) = other.receive()
        self.assertEqual((found.value, len(found.descriptors)), ({"ä": [1, None]}, 1))
        self.close(found.descriptors)
        pickling = Channel(ours.dup())
        pickling.send(1)
        pickling.close()
        self.assertRaises(ValueError, other.receive)
        one.close()
        other.close()

    def received(self, count: int) -> list[Received]:
        """Return so many values, with what has to be sent still."""
        found: list[Received] = []
        while len(found) < count:
            self.ours.flush()
            found += self.theirs.receive()
        return found

    def test_values(self) -> None:
        """Values arrive in order, whatever their size."""
        values: list[object] = [1, "two", b"x" * 3_000_000, {"four": [5]}]
        for value in values:
            self.ours.send(value)
        self.assertTrue(self.ours.waiting)
        self.assertEqual([each.value for each in self.received(4)], values)
        self.assertFalse(self.ours.waiting)
        self.assertEqual(self.theirs.receive(), [])

    def test_descriptors(self) -> None:
        """Descriptors arrive with the value that they were sent with, as many as can be; copies stay with nobody."""
        read, write = self.pipe()
        self.ours.send("none")
        self.ours.send("two", (read, write))
        self.ours.send("large" * 200_000, (write,))
        self.ours.send("many", [read] * MOST_DESCRIPTORS)
        os.close(read)
        os.close(write)
        none, two, large, many = self.received(4)
        self.assertEqual([len(each.descriptors) for each in (none, two, large, many)], [0, 2, 1, MOST_DESCRIPTORS])
        os.write(large.descriptors[0], b"x")
        self.assertEqual(os.read(two.descriptors[0], 9), b"x")
        self.close([*two.descriptors, *large.descriptors, *many.descriptors])

    def test_closed_unread(self) -> None:
        """Descriptors that nobody took are closed at both ends: of a value that has begun to come and of one unsent."""
        read, write = self.pipe()
        self.ours.send("x" * 3_000_000, (read,))
        self.ours.send("unsent", (read,))
        self.close([read, write])
        self.assertEqual(self.theirs.receive(), [])

    def test_gone(self) -> None:
        """Who is gone is known by the end of what they sent, or by what can't be sent to them."""
        self.ours.send("last")
        self.ours.close()
        self.assertEqual([each.value for each in self.theirs.receive()], ["last"])
        self.assertRaises(EOFError, self.theirs.receive)
        self.assertRaises(OSError, self.theirs.send, "x")

    def test_unread(self) -> None:
        """What waits for who does not read is bounded; who reads late has time, whatever the size of a value."""
        self.ours.send(b"x" * (MOST_QUEUED + 1_000_000))
        self.assertTrue(self.ours.full)
        self.ours.send("more")
        ours, theirs = pair()
        self.addCleanup(theirs.close)
        hasty = Channel(ours, silence=-1.0)
        self.addCleanup(hasty.close)
        hasty.send(b"x" * (MOST_QUEUED + 1_000_000))
        self.assertRaises(OSError, hasty.send, "more")

    def test_no_descriptors(self) -> None:
        """Where no copies can be made nothing is sent, and no copy is left; what comes without its own is an error."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        read = self.theirs.fileno()
        self.ours.send("before", (read,))
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            self.assertRaises(NoDescriptors, self.ours.send, "lost", (read,))
            self.assertRaises(OSError, self.theirs.receive)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_patient(self) -> None:
        """A patient one sends all at once, and waits until something comes."""
        self.ours.close()
        self.theirs.close()
        ours, theirs = pair()
        self.ours, self.theirs = Channel(ours, patient=True), Channel(theirs)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.ours.send(b"x" * 10_000)
        self.assertFalse(self.ours.waiting)
        self.theirs.send("answer")
        self.assertEqual([each.value for each in self.ours.receive()], ["answer"])

    def test_wait(self) -> None:
        """Whatever can be read is told, at once, or nothing after some time."""
        self.assertEqual(wait_for_any([self.theirs.fileno()], 0.0), set())
        self.ours.send(1)
        self.assertEqual(wait_for_any([self.ours.fileno(), self.theirs.fileno()]), {self.theirs.fileno()})

    def close(self, fds: Iterable[int]) -> None:
        """Close descriptors."""
        for each in fds:
            os.close(each)
