"""Refusals, and what clients are told of them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.refusals import AUDIENCE, EXPIRED


class RefusalTests(SynchronousTestCase):
    """L{Refusal}."""

    def test_details(self) -> None:
        """The log has the words in one piece."""
        self.assertEqual(EXPIRED.details, "jwt_authn_access_denied{Jwt_is_expired}")
        self.assertEqual((EXPIRED.status, AUDIENCE.status), (401, 403))
