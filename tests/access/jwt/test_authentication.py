"""Several rules together."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.authentication import Denial, Identity, authenticate
from edgegate.access.jwt.rule import RuleState
from edgegate.model.guards.jwt import TokenHeader
from tests.access.jwt.test_rule import state
from tests.access.jwt.tokens import ISSUER, NOW, good

ZETA = "https://zeta.example"


class AuthenticationTests(SynchronousTestCase):
    """L{authenticate}."""

    def verdict(self, rules: list[RuleState], *tokens: tuple[bytes, bytes], target: bytes = b"/") -> str:
        """Return the subject of who passes, C{-} where nobody is known, or why not."""
        found = authenticate(rules, tokens, target, NOW)
        if found is None:
            return "-"
        return found.refusal.text if isinstance(found, Denial) else str(found.token.claims["sub"])

    def bearer(self, **more: object) -> tuple[bytes, bytes]:
        """Return a field with a token."""
        return b"authorization", b"Bearer " + good(**more)

    def test_none(self) -> None:
        """Without a token everyone passes as nobody."""
        self.assertEqual(self.verdict([state()]), "-")
        self.assertEqual(self.verdict([state()], (b"authorization", b"Basic x")), "-")

    def test_one(self) -> None:
        """A token is good or bad."""
        self.assertEqual(self.verdict([state()], self.bearer()), "alice@example.com")
        self.assertEqual(self.verdict([state()], self.bearer(exp=1)), "Jwt is expired")

    def test_all(self) -> None:
        """All tokens of one rule must be good; the first counts."""
        rules = [state(headers=(TokenHeader(b"x-jwt"),))]

        def jwt(**more: object) -> tuple[bytes, bytes]:
            return b"x-jwt", good(**more)

        self.assertEqual(self.verdict(rules, jwt(sub="a"), jwt(sub="b")), "a")
        self.assertEqual(self.verdict(rules, jwt(sub="a"), jwt(exp=1)), "Jwt is expired")
        rules = [state()]
        self.assertIn("not in the form", self.verdict(rules, self.bearer(), self.bearer()))
        query = b"/?access_token=" + good(exp=1)
        self.assertEqual(self.verdict(rules, self.bearer(), target=query), "Jwt is expired")

    def test_until(self) -> None:
        """Who asks with several passes until the first of them ends."""
        tokens = [(b"x-jwt", good()), (b"x-jwt", good(exp=NOW + 5))]
        found = authenticate([state(headers=(TokenHeader(b"x-jwt"),))], tokens, b"/", NOW)
        assert isinstance(found, Identity)
        self.assertEqual(found.until, NOW + 65)

    def test_issuers(self) -> None:
        """A token at a place that two rules share belongs to its issuer."""
        rules = [state(), state(ZETA)]
        self.assertEqual(self.verdict(rules, self.bearer(iss=ZETA, sub="z")), "z")
        self.assertEqual(self.verdict(rules, self.bearer(iss="https://x.example")), "Jwt issuer is not configured")

    def test_reason(self) -> None:
        """What is wrong with a token of a known issuer is told before that another rule does not know it."""
        rules = [state(), state(ZETA)]
        for issuer in (ISSUER, ZETA):
            self.assertEqual(self.verdict(rules, self.bearer(iss=issuer, exp=1)), "Jwt is expired")

    def test_first_ends(self) -> None:
        """The first rule whose tokens are good ends the search."""
        rules = [state(), state(ZETA, headers=(TokenHeader(b"x-z"),))]
        bad = b"x-z", good(iss=ZETA, exp=1)
        self.assertEqual(self.verdict(rules, self.bearer(), bad), "alice@example.com")
        self.assertEqual(self.verdict(rules, bad), "Jwt is expired")
        self.assertEqual(self.verdict(rules, self.bearer(exp=1), (b"x-z", good(iss=ZETA, sub="z"))), "z")
