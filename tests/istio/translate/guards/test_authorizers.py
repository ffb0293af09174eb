"""Tests of L{edgegate.istio.translate.guards.authorizers}; most of it is seen in those of the policies."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.guards.authorizers import header_names
from edgegate.model.authorizers import NO_NAMES, HeaderNames


class HeaderNamesTests(SynchronousTestCase):
    """Lists of headers."""

    def test_forms(self) -> None:
        """Names are whole, or begin or end with a star, in any case; a star alone is for none, which was told."""
        found = header_names(["Cookie", "X-Auth-*", "*-ID", "*"])
        self.assertEqual(found, HeaderNames((b"cookie",), (b"x-auth-",), (b"-id",)))
        self.assertEqual(header_names([]), NO_NAMES)
