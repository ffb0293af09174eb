"""Tests of L{edgegate.http.h2.errors}."""

from __future__ import annotations

from h2.errors import ErrorCodes
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2 import errors


class CodesTests(SynchronousTestCase):
    """The codes of RFC 9113 section 7."""

    def test_all(self) -> None:
        """They are those that others know."""
        for code in ErrorCodes:
            self.assertEqual(getattr(errors, code.name), code.value)

    def test_failed(self) -> None:
        """A failure says its code and why."""
        failed = errors.ConnectionFailed(errors.CANCEL, "why")
        self.assertEqual((failed.code, failed.reason, str(failed)), (8, "why", "why"))
