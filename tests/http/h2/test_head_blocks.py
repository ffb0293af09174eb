"""Tests of L{edgegate.http.h2.head_blocks}."""

from __future__ import annotations

import hpack
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.h1.head_parser import METHODS
from edgegate.http.h2.head_blocks import request_block, response_block
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.h2.response_heads import response_head
from edgegate.http.response import ResponseHead
from edgegate.http.upstream_head import UpstreamHead


def fields_of(block: bytes) -> list[Field]:
    """Return what hpack reads."""
    return [(bytes(name), bytes(value)) for name, value in hpack.Decoder().decode(block, raw=True)]


class RequestBlockTests(SynchronousTestCase):
    """Requests to backends."""

    def test_request(self) -> None:
        """Pseudo fields first, then the fields, then the length where it is told."""
        for length, sized, told in (
            (0, False, False),
            (5, True, True),
            (UNKNOWN_LENGTH, False, False),
            (0, True, True),
        ):
            head = UpstreamHead(b"GET", b"/a?b", b"a.example:80", "a.example", [(b"x", b"y")], length, sized)
            for secure, scheme in ((False, b"http"), (True, b"https")):
                expected = [
                    (b":method", b"GET"),
                    (b":scheme", scheme),
                    (b":authority", b"a.example:80"),
                    (b":path", b"/a?b"),
                    (b"x", b"y"),
                    *([(b"content-length", b"%d" % length)] if told else []),
                ]
                self.assertEqual(fields_of(request_block(head, secure)), expected)

    def test_other_protocol(self) -> None:
        """WebSocket is extended CONNECT, without what only HTTP/1 needs."""
        fields = [(b"sec-websocket-key", b"k"), (b"sec-websocket-version", b"13")]
        head = UpstreamHead(b"GET", b"/chat", b"a", "a", fields, upgrade=(b"websocket",))
        found = fields_of(request_block(head, True))
        self.assertEqual(found[:2], [(b":method", b"CONNECT"), (b":protocol", b"websocket")])
        self.assertEqual(found[5:], [(b"sec-websocket-version", b"13")])
        self.assertEqual(RequestHeads(METHODS).head(found, False, True).upgrade, (b"websocket",))

    def test_secrets(self) -> None:
        """Secrets are marked: nobody on the way puts them into a table."""
        head = UpstreamHead(b"GET", b"/", b"a", "a", [(b"authorization", b"x")])
        found = hpack.Decoder().decode(request_block(head, True), raw=True)
        self.assertIsInstance(found[-1], hpack.NeverIndexedHeaderTuple)


class ResponseBlockTests(SynchronousTestCase):
    """Responses to clients."""

    def test_response(self) -> None:
        """What is sent is what would be read, the length among it."""
        for status, length in ((200, 5), (404, None), (304, 7), (103, None)):
            head = ResponseHead(status, b"", [(b"x", b"y"), (b"set-cookie", b"a=b")], length)
            read = response_head(fields_of(response_block(head)))
            self.assertEqual((read.status, read.fields, read.length), (status, head.fields, length))

    def test_no_length(self) -> None:
        """204 and interim responses never tell one."""
        for status in (204, 103):
            self.assertEqual(
                fields_of(response_block(ResponseHead(status, b"", [], 0))), [(b":status", b"%d" % status)]
            )

    def test_other_protocol(self) -> None:
        """101 is 200 here (RFC 8441 section 5)."""
        head = ResponseHead(101, b"", [(b"sec-websocket-accept", b"x"), (b"sec-websocket-protocol", b"chat")])
        self.assertEqual(fields_of(response_block(head)), [(b":status", b"200"), (b"sec-websocket-protocol", b"chat")])
