"""Tests of L{edgegate.model.authorizers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.authorizers import NO_NAMES, HeaderNames


class HeaderNamesTests(SynchronousTestCase):
    """Some names of headers."""

    def test_fit(self) -> None:
        """A whole name, a beginning and an end fit, and nothing else does."""
        names = HeaderNames((b"cookie",), (b"x-auth-",), (b"-id",))
        for name, fits in (
            *((b"cookie", True), (b"cookie2", False), (b"x-auth-", True), (b"x-auth-user", True), (b"x-aut", False)),
            *((b"x-request-id", True), (b"-id", True), (b"x-id-x", False), (b"", False)),
        ):
            self.assertIs(names.fit(name), fits, name)
        self.assertTrue(names.some)

    def test_none(self) -> None:
        """None is none."""
        self.assertFalse(NO_NAMES.fit(b"cookie"))
        self.assertFalse(NO_NAMES.some)
