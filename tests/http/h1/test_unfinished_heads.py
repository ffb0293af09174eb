"""What came of heads that are not whole yet, of all connections together: see L{edgegate.http.held_bytes}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import HEAD_TOO_LARGE
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h1.request_reader import RequestReader
from edgegate.http.limits import Limits
from tests.http.conversation import Conversation
from tests.http.recording import RecordingSink

BEGIN = b"GET / HTTP/1.1\r\nHost: web.example\r\nX: "


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
