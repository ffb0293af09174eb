"""Tests of L{edgegate.http.h2.request_writer}."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import hpack
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.h2.request_writer import trailer_block, write_request
from edgegate.http.upstream_head import UpstreamHead


def written(head: UpstreamHead, secure: bool = False, **own: Any) -> list[Field]:
    """Return the fields of a head with values of its own."""
    values = {"identity": FieldBlock(), "request_id": b"", **dict.fromkeys(("expected", "attempt", "context")), **own}
    return decoded(write_request(cast(Any, SimpleNamespace(head=head, **values)), secure))


def decoded(block: bytes) -> list[Field]:
    """Read a block."""
    return [(bytes(name), bytes(value)) for name, value in hpack.Decoder().decode(block, raw=True)]


class RequestWriterTests(SynchronousTestCase):
    """Heads and trailers of requests."""

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
            [
                (b":method", b"POST"),
                (b":scheme", b"http"),
                (b":authority", b"web:80"),
                (b":path", b"/a?b"),
                (b"x", b"1"),
                (b"x-forwarded-for", b"192.0.2.7"),
                (b"x-request-id", b"ID"),
                (b"e", b"5"),
                (b"n", b"2"),
                (b"t", b"3"),
            ],
        )

    def test_shared(self) -> None:
        """The block of what is shared is made once for each scheme."""
        head = UpstreamHead(b"GET", b"/", b"web", "web", [])
        self.assertEqual(dict(written(head))[b":scheme"], b"http")
        self.assertEqual(dict(written(head, True))[b":scheme"], b"https")
        clear, secure = head.h2, head.h2_secure
        self.assertEqual(dict(written(head, True))[b":scheme"], b"https")
        self.assertEqual(dict(written(head))[b":scheme"], b"http")
        self.assertIs(head.h2, clear)
        self.assertIs(head.h2_secure, secure)

    def test_secrets(self) -> None:
        """What is secret goes into no table."""
        head = UpstreamHead(b"GET", b"/", b"web", "web", [(b"authorization", b"secret")])
        written(head)
        self.assertIn(b"\x1f\x08\x06secret", head.h2)

    def test_trailers(self) -> None:
        """Of the trailer fields those pass which would pass in a head."""
        self.assertEqual(trailer_block([]), b"")
        trailers = [(b"x-sum", b"1"), (b"host", b"a"), (b"connection", b"close")]
        self.assertEqual(decoded(trailer_block(trailers)), [(b"x-sum", b"1")])
