"""Tests of L{edgegate.access.oidc.session}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.session import Session, kept_claims, unpacked


class SessionTests(SynchronousTestCase):
    """Who has logged in."""

    def test_again(self) -> None:
        """A session comes back as it was, and shows no token."""
        session = Session("id", {"sub": "ä", "groups": ["a", "b"], "n": {"m": 1}}, 1, 2, 3, "access!", "refresh!")
        self.assertEqual(unpacked(session.packed()), session)
        self.assertNotIn("access!", repr(session))
        self.assertNotIn("refresh!", repr(session))

    def test_other_versions(self) -> None:
        """What another version has kept is no session."""
        for content in (b"", b"[]", b"[2]", b"{}", b"[1,2]", b'[1,"id",[],1,2,3,"",""]', b'1}, "session": {}', b"\xff"):
            self.assertIsNone(unpacked(content), content)

    def test_claims(self) -> None:
        """Claims of the login alone are not kept."""
        self.assertEqual(kept_claims({"sub": "ali", "nonce": "x", "at_hash": "y"}), {"sub": "ali"})
