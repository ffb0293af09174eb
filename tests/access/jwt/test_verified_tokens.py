"""Tokens that are remembered."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.verified_tokens import MOST_BYTES, MOST_TOKENS, KnownIssuers, VerifiedToken, VerifiedTokens


class VerifiedTokenTests(SynchronousTestCase):
    """L{VerifiedTokens}."""

    def test_end(self) -> None:
        """A token is known until it ends, in either half."""
        tokens, made = VerifiedTokens(), VerifiedToken(10.0, {}, ())
        tokens.put(b"a", made)
        self.assertIs(tokens.get(b"a", 10.0), made)
        self.assertIsNone(tokens.get(b"a", 10.1))
        self.assertEqual(len(tokens), 0)
        self.assertIsNone(tokens.get(b"b", 0.0))

    def test_many(self) -> None:
        """There are so many; those that are asked for stay."""
        tokens, kept = VerifiedTokens(), VerifiedToken(10.0, {}, ())
        tokens.put(b"kept", kept)
        for number in range(3 * MOST_TOKENS):
            tokens.put(b"%d" % number, VerifiedToken(10.0, {}, ()))
            self.assertIs(tokens.get(b"kept", 0.0), kept)
            self.assertLessEqual(len(tokens), MOST_TOKENS)
        self.assertIsNone(tokens.get(b"0", 0.0))

    def test_large(self) -> None:
        """Large ones are fewer."""
        tokens = VerifiedTokens()
        for number in range(4000):
            tokens.put(b"%016000d" % number, VerifiedToken(10.0, {}, ()))
        self.assertLess(len(tokens) * 16000, MOST_BYTES)

    def test_clear(self) -> None:
        """All are forgotten at once."""
        tokens = VerifiedTokens()
        tokens.put(b"a", VerifiedToken(10.0, {}, ()))
        tokens.clear()
        self.assertIsNone(tokens.get(b"a", 0.0))


class KnownIssuerTests(SynchronousTestCase):
    """L{KnownIssuers}."""

    def test_another(self) -> None:
        """A token that was verified is its issuer's; of others nothing is known."""
        issuers = KnownIssuers()
        issuers.add(b"a", "one")
        self.assertEqual([issuers.of_another(b"a", each) for each in ("one", "two")], [False, True])
        self.assertFalse(issuers.of_another(b"b", "one"))

    def test_bounded(self) -> None:
        """Large ones are fewer."""
        issuers = KnownIssuers()
        for number in range(2000):
            issuers.add(b"%016000d" % number, "one")
        self.assertFalse(issuers.of_another(b"%016000d" % 0, "two"))
        self.assertTrue(issuers.of_another(b"%016000d" % 1999, "two"))
