"""Tests for L{edgegate.http.router.response_headers}; more of changes is with those of headers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.field_block import FieldBlock, fields_in
from edgegate.http.router.response_headers import SERVICE_TIMES, own_fields_of_response


class ResponseHeadersTests(SynchronousTestCase):
    """What clients are told of one response alone."""

    def test_time(self) -> None:
        """How long its backend took; for short times that is made already."""
        for milliseconds in (0, 7, len(SERVICE_TIMES) - 1):
            told = fields_in(own_fields_of_response(milliseconds, None))
            self.assertEqual(told, [(b"x-envoy-upstream-service-time", b"%d" % milliseconds)])
            self.assertEqual(fields_in(SERVICE_TIMES[milliseconds]), told)
        self.assertEqual(fields_in(own_fields_of_response(5000, None))[0][1], b"5000")

    def test_cookie(self) -> None:
        """And the cookie by which its client is known again."""
        cookie = FieldBlock((b"set-cookie", b"a=b"))
        self.assertEqual([each.fields[0][0] for each in own_fields_of_response(1, cookie)][1:], [b"set-cookie"])
