"""Tests for L{edgegate.http.h1.request_writer}."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import UNKNOWN_LENGTH
from edgegate.http.h1.request_writer import last_chunk, write_head
from edgegate.http.upstream_head import UpstreamHead


def written(head: UpstreamHead, **own: Any) -> bytes:
    """Return the bytes of a head with values of its own."""
    values = {"identity": FieldBlock(), "request_id": b"", **dict.fromkeys(("expected", "attempt", "context")), **own}
    out: list[bytes] = []
    write_head(cast(Any, SimpleNamespace(head=head, **values)), out)
    return b"".join(out)


class RequestWriterTests(SynchronousTestCase):
    """Heads and ends of requests."""

    def test_head(self) -> None:
        """What is shared comes first, then who asks, then what is told of the try, and of its trace."""
        head = UpstreamHead(b"POST", b"/a?b", b"web:80", "web", [(b"x", b"1")], UNKNOWN_LENGTH)
        self.assertEqual(
            written(
                head,
                identity=FieldBlock((b"x-forwarded-for", b"192.0.2.7")),
                request_id=b"ID",
                expected=FieldBlock((b"e", b"5")),
                attempt=FieldBlock((b"n", b"2")),
                context=FieldBlock((b"t", b"3")),
            ),
            b"POST /a?b HTTP/1.1\r\nhost: web:80\r\nx: 1\r\ntransfer-encoding: chunked\r\n"
            b"x-forwarded-for: 192.0.2.7\r\nx-request-id: ID\r\ne: 5\r\nn: 2\r\nt: 3\r\n\r\n",
        )

    def test_shared(self) -> None:
        """The lines of what is shared are made once."""
        head = UpstreamHead(b"GET", b"/", b"web", "web", [])
        self.assertEqual(written(head), b"GET / HTTP/1.1\r\nhost: web\r\n\r\n")
        made = head.h1
        written(head, request_id=b"ID")
        self.assertIs(head.h1, made)

    def test_last_chunk(self) -> None:
        """Of the trailer fields those pass which would pass in a head."""
        self.assertEqual(last_chunk([]), b"0\r\n\r\n")
        trailers = [(b"x-sum", b"1"), (b"host", b"a"), (b"connection", b"close")]
        self.assertEqual(last_chunk(trailers), b"0\r\nx-sum: 1\r\n\r\n")
