"""Tests for L{edgegate.http.upstream_head}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.upgrade import Protocols
from edgegate.http.upstream_head import UpstreamHead, framing_of


def framing(method: bytes = b"GET", length: int = 0, sized: bool = False, upgrade: Protocols = ()) -> list[Field]:
    """Return what HTTP/1.1 says of a request's body."""
    return list(framing_of(UpstreamHead(method, b"/", b"a", "a", [], length, sized, upgrade)))


class UpstreamHeadTests(SynchronousTestCase):
    """What a backend is told of what follows on a head."""

    def test_length(self) -> None:
        """A length is told where there is a body, where the client told it, and where one would be expected."""
        for method, length, sized, told in (
            (b"GET", 0, False, None),
            (b"GET", 0, True, b"0"),
            (b"GET", 3, True, b"3"),
            (b"POST", 0, False, b"0"),
            (b"PUT", 7, True, b"7"),
        ):
            expected = [] if told is None else [(b"content-length", told)]
            self.assertEqual(framing(method, length, sized), expected, (method, length, sized))

    def test_unknown_length(self) -> None:
        """A body whose end will be told is chunked."""
        self.assertEqual(framing(b"POST", UNKNOWN_LENGTH), [(b"transfer-encoding", b"chunked")])

    def test_upgrade(self) -> None:
        """Another protocol is asked for, without a body."""
        self.assertEqual(
            framing(b"POST", upgrade=(b"a", b"b/1")), [(b"connection", b"upgrade"), (b"upgrade", b"a, b/1")]
        )
