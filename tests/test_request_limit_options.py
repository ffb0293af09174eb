"""Tests of L{edgegate.request_limit_options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Underscores
from edgegate.http.limits import Limits
from edgegate.request_limit_options import PARAMETERS, request_limits

DEFAULTS = {name: default for name, _, default, _ in PARAMETERS}


class RequestLimitOptionsTests(SynchronousTestCase):
    """The options, from text to values."""

    def test_defaults(self) -> None:
        """Without any option it is what embedders have by default."""
        self.assertEqual(request_limits(DEFAULTS), Limits())

    def test_given(self) -> None:
        """Each option is taken."""
        given = {
            "headers-with-underscores": "drop",
            "unfinished-heads": "1MiB",
            "body-min-rate": "0",
            "http2-buffers": "2MiB",
            "max-request-bytes": "3MiB",
        }
        self.assertEqual(set(given), set(DEFAULTS))
        self.assertEqual(
            request_limits(given),
            Limits(
                underscores=Underscores.DROP,
                body_bytes=3 << 20,
                unfinished_heads_bytes=1 << 20,
                http2_bytes=2 << 20,
                body_rate=0,
            ),
        )

    def test_wrong(self) -> None:
        """What can't be understood is refused, and its name said."""
        for name, value, words in (
            ("headers-with-underscores", "x", "is one of allow, drop, reject"),
            ("unfinished-heads", "1GB", "expected a number of bytes"),
            ("unfinished-heads", "1KiB", "is at least 61440"),
            ("http2-buffers", "1KiB", "is at least 1048576"),
            ("max-request-bytes", "x", "expected a number of bytes"),
            ("body-min-rate", "-1", "expected a number of bytes"),
        ):
            error = self.assertRaises(ValueError, request_limits, {**DEFAULTS, name: value})
            self.assertRegex(str(error), f"--{name}.*{words}")
