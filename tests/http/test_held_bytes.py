"""Tests of L{edgegate.http.h1.unfinished_heads}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import HEAD_TOO_LARGE
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.request_reader import RequestReader
from edgegate.http.h1.unfinished_heads import UnfinishedHead, UnfinishedHeads
from edgegate.http.limits import Limits
from tests.http.conversation import Conversation
from tests.http.recording import RecordingSink

BEGIN = b"GET / HTTP/1.1\r\nHost: web.example\r\nX: "


class Held(UnfinishedHead):
    """A head that notes that it was given up."""

    def __init__(self, name: str, given_up: list[str]) -> None:
        super().__init__()
        self._name = name
        self._given_up = given_up

    def overflow(self) -> None:
        """It is released by who keeps the count, as one whose end failed is."""
        self._given_up.append(self._name)


class UnfinishedHeadsTests(SynchronousTestCase):
    """The count, whoever keeps the heads."""

    def setUp(self) -> None:
        """Hold at most 10,000 bytes."""
        self.heads = UnfinishedHeads(10_000)
        self.given_up: list[str] = []

    def held(self, name: str) -> Held:
        """Make a head."""
        return Held(name, self.given_up)

    def test_largest_first(self) -> None:
        """Past the bound the largest are given up, until the rest fits; the others are kept."""
        sizes = {"a": 3000, "b": 100, "c": 6000, "d": 500}
        kept = {name: self.held(name) for name in sizes}
        for name, size in sizes.items():
            self.heads.hold(kept[name], size)
        self.assertEqual((self.given_up, self.heads.total), ([], 9600))
        self.heads.hold(kept["d"], 1000)
        self.assertEqual((self.given_up, self.heads.total), (["c"], 4100))
        self.heads.hold(kept["b"], 7000)
        self.assertEqual((self.given_up, self.heads.total), (["c", "b"], 4000))
        self.assertEqual([kept[name].held for name in sizes], [3000, 0, 0, 1000])

    def test_one_alone(self) -> None:
        """One that is too large by itself is given up itself."""
        self.heads.hold(self.held("a"), 10_001)
        self.assertEqual((self.given_up, self.heads.total), (["a"], 0))

    def test_broken(self) -> None:
        """One that can't be given up in order is not counted any more, and harms nobody."""

        class Broken(UnfinishedHead):
            def overflow(self) -> None:
                raise RuntimeError("broken")

        self.heads.hold(Broken(), 9000)
        self.heads.hold(self.held("a"), 2000)
        self.assertEqual((self.given_up, self.heads.total), ([], 2000))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9000)), max_size=60))
    def test_any_order(self, steps: list[tuple[int, int]]) -> None:
        """Whatever grows and is released, the count is that of what is held, and never above the bound."""
        heads, kept = UnfinishedHeads(10_000), [self.held(str(number)) for number in range(6)]
        for number, size in steps:
            if size:
                heads.hold(kept[number], size)
            elif kept[number].held:
                heads.release(kept[number])
            self.assertEqual(heads.total, sum(head.held for head in kept))
            self.assertLessEqual(heads.total, 10_000)


class ReaderTests(SynchronousTestCase):
    """The heads of connections."""

    def test_counted(self) -> None:
        """Held is what came of a head that is not whole: no longer when it is, is refused, or its connection ends."""
        parser = HeadParser(Limits())
        unfinished = parser.unfinished
        readers = [RequestReader(RecordingSink(), Limits(), parser) for _ in range(3)]
        for reader in readers:
            reader.receive(BEGIN)
        self.assertEqual(unfinished.total, 3 * len(BEGIN))
        readers[0].receive(b"x\r\n\r\n")
        self.assertEqual(unfinished.total, 2 * len(BEGIN))
        readers[1].receive(b"\n")
        self.assertEqual(unfinished.total, len(BEGIN))
        readers[2].stop()
        self.assertEqual(unfinished.total, 0)

    def test_empty_lines(self) -> None:
        """Empty lines in front of a head are no part of it."""
        sink = RecordingSink()
        for data, held in ((b"\r", 1), (b"\n", 0), (b"\r\n\r", 1), (b"\n" + BEGIN, len(BEGIN)), (b"x\r\n\r\n", 0)):
            sink.reader.receive(data)
            self.assertEqual(sink.reader.held, held, data)
        self.assertEqual((len(sink.heads), sink.faults), (1, []))

    def test_behind_a_request(self) -> None:
        """What waits behind a request counts when it is a head's beginning that is waited for."""
        sink = RecordingSink(wait=True)
        sink.reader.receive(BEGIN + b"x\r\n\r\n" + BEGIN)
        self.assertEqual(sink.reader.held, 0)
        sink.reader.resume()
        self.assertEqual(sink.reader.held, len(BEGIN))

    def test_refused(self) -> None:
        """The client with the largest head gets 431 and its connection ends; the one that came last is served."""
        talk = Conversation(limits=Limits(unfinished_heads_bytes=5000))
        large, small = talk.ask(BEGIN + b"x" * 4500), talk.ask(BEGIN)
        self.assertEqual((large.sent, small.sent), (b"", b""))
        other = talk.ask(BEGIN + b"x" * 500)
        self.assertTrue(large.sent.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), large.sent)
        self.assertEqual(large.ended, "half-closed")
        self.assertEqual([exchange.fault for exchange in talk.ended], [HEAD_TOO_LARGE])
        for client in (small, other):
            client.deliver(b"x\r\n\r\n")
            self.assertIn(b"host: web.example\r\n", talk.backend().sent)
        self.assertEqual(talk.gateway.heads.unfinished.total, 0)

    def test_refused_itself(self) -> None:
        """So does the client that brings more than fits, which is read no further."""
        talk = Conversation(limits=Limits(unfinished_heads_bytes=5000))
        client = talk.client()
        client.deliver(BEGIN + b"x" * 5000)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 431 "))
        self.assertEqual(talk.gateway.heads.unfinished.total, 0)
