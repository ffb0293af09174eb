"""Tests of L{edgegate.http.guards.oidc.cookie_box}."""

from __future__ import annotations

from dataclasses import replace
from os import urandom

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.session import Session
from edgegate.http.guards.oidc.cookie_box import MOST_OPENED, CookieBox
from edgegate.model.guards.oidc import OIDC
from tests.http.guards.oidc.providing import SAYS, guard

SESSION = Session("id", {"sub": "ali"}, 0, 0, 300)


def box(policy: OIDC) -> CookieBox:
    """Return the cookies of a policy."""
    return CookieBox(policy, urandom)


class CookieBoxTests(SynchronousTestCase):
    """The cookies of a policy."""

    def test_opened(self) -> None:
        """A session opens where it was sealed, again and again, and after each start."""
        text = box(guard()).sealed(SESSION)
        found = box(guard())
        for _ in range(2):
            self.assertEqual(found.opened(text), (SESSION, True))

    def test_others(self) -> None:
        """It is none of another policy, provider or client, and no login."""
        text = box(guard()).sealed(SESSION)
        for other in (
            replace(guard(), name="default/other"),
            replace(guard(), provider=replace(SAYS, issuer="https://other.example")),
            replace(guard(), provider=replace(SAYS, client="you")),
            guard(cookie_keys=(bytes(range(32)),)),
        ):
            self.assertIsNone(box(other).opened(text))
        login = box(guard()).sealer.seal(box(guard()).login_purpose, SESSION.packed())
        self.assertIsNone(box(guard()).opened(login))

    def test_room(self) -> None:
        """There is room for so many."""
        found = box(guard())
        for _ in range(MOST_OPENED + 1):
            found.opened(found.sealed(SESSION))
        self.assertEqual(len(found._opened), MOST_OPENED)
