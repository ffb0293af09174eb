"""The values of rules for tokens."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.guard import Stage
from edgegate.model.guards.jwt import InlineKeys, JWTRule, TokenGuard
from edgegate.model.origin import Origin

SECRET = '{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}'


def guard(line: int, issuer: str = "https://idp.example") -> TokenGuard:
    """Return a guard that is said at a line."""
    origin = Origin("a.yaml", line, "RequestAuthentication istio-system/a")
    return TokenGuard("istio-system/a", origin, (JWTRule("istio-system/a", origin, issuer, InlineKeys(SECRET)),))


class TokenGuardTests(SynchronousTestCase):
    """L{TokenGuard}."""

    def test_equal(self) -> None:
        """Guards are equal where they do the same, wherever they are said: their keys and tokens stay over a reload."""
        self.assertEqual(guard(1), guard(2))
        self.assertNotEqual(guard(1), guard(1, "https://other.example"))

    def test_secret(self) -> None:
        """Keys are not shown: there may be secrets among them."""
        self.assertNotIn("c2VjcmV0", repr(guard(1)))

    def test_stage(self) -> None:
        """Tokens are verified before policies ask who somebody is."""
        self.assertIs(guard(1).stage(), Stage.JWT)
        self.assertLess(Stage.CUSTOM, Stage.JWT)
        self.assertLess(Stage.JWT, Stage.DENY)
