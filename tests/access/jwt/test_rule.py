"""One rule, with its keys."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.key_set import parse_key_set
from edgegate.access.jwt.refusals import Refusal
from edgegate.access.jwt.rule import RuleState, rule_states
from edgegate.access.jwt.verified_tokens import VerifiedToken
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys, JWTRule
from edgegate.model.origin import Origin
from tests.access.jwt.tokens import (
    ISSUER,
    NOW,
    believed,
    claims,
    crafted,
    curve,
    good,
    key_set,
    public,
    rsa,
    token,
    twin,
)

ORIGIN = Origin("tokens.yaml", 7, "RequestAuthentication istio-system/idp", ("spec", "jwtRules", 0))


def rule(issuer: str = ISSUER, **more: Any) -> JWTRule:
    """Return a rule."""
    return JWTRule("istio-system/idp", ORIGIN, issuer, InlineKeys(believed()), **more)


def state(issuer: str = ISSUER, keys: str | None = None, **more: Any) -> RuleState:
    """Return a rule with its keys."""
    text = believed() if keys is None else keys
    return RuleState(rule(issuer, **more), parse_key_set(text.encode(), secrets=True))


class RuleTests(SynchronousTestCase):
    """L{RuleState}."""

    def verified(self, found: VerifiedToken | Refusal) -> VerifiedToken:
        """Return what was made of a token that has passed."""
        assert isinstance(found, VerifiedToken), found
        return found

    def told(self, found: VerifiedToken | Refusal) -> str:
        """Return why a token was refused."""
        assert isinstance(found, Refusal)
        return found.text

    def test_crafted(self) -> None:
        """Nothing passes that was crafted to, once or twice, before a good token or after it."""
        guarded = state(audiences=("shop",))
        self.verified(guarded.verify(good(), NOW, {}))
        tried = 0
        for name, made, reason in crafted():
            for _ in range(2):
                self.assertEqual(self.told(guarded.verify(made, NOW, {})), reason, name)
            tried += 1
        self.assertGreater(tried, 100)
        self.verified(guarded.verify(good(), NOW, {}))

    def test_remembered(self) -> None:
        """A token is verified once, and ends when it ends."""
        guarded, made = state(), good()
        first = guarded.verify(made, NOW, {})
        self.assertIs(guarded.verify(made, NOW + 1, {}), first)
        self.assertEqual((guarded.counts.cache_hits, guarded.counts.cache_misses), (1, 1))
        self.verified(guarded.verify(made, NOW + 3600 + 60, {}))
        self.assertEqual(self.told(guarded.verify(made, NOW + 3600 + 61, {})), "Jwt is expired")

    def test_together(self) -> None:
        """Rules of one guard read a token once, and one that another has verified not at all."""
        first, second = rule_states([rule(), rule("https://zeta.example")])
        for each in (first, second):
            each.put_keys(parse_key_set(believed().encode(), secrets=True))
        self.assertIs(first.locations, second.locations)
        made, parsed = good(iss="https://zeta.example"), {}
        self.assertEqual(self.told(first.verify(made, NOW, parsed)), "Jwt issuer is not configured")
        self.assertEqual(list(parsed), [made])
        self.verified(second.verify(made, NOW, parsed))
        parsed = {}
        self.assertEqual(self.told(first.verify(made, NOW, parsed)), "Jwt issuer is not configured")
        self.verified(second.verify(made, NOW, parsed))
        self.assertEqual(parsed, {})

    def test_other_keys(self) -> None:
        """When keys change, what the former ones have verified is forgotten."""
        guarded, made = state(), good()
        self.verified(guarded.verify(made, NOW, {}))
        guarded.put_keys(parse_key_set(key_set(public(rsa(1))).encode(), secrets=False))
        self.assertIn("Jwks doesn't have key", self.told(guarded.verify(made, NOW, {})))
        guarded.put_keys(None)
        self.assertEqual(self.told(guarded.verify(made, NOW, {})), "Jwks remote fetch is failed")

    def test_never_fetched(self) -> None:
        """Without keys all tokens are refused."""
        self.assertEqual(self.told(RuleState(rule()).verify(good(), NOW, {})), "Jwks remote fetch is failed")
        self.assertEqual(self.told(state(keys=key_set()).verify(good(), NOW, {}))[:4], "Jwks")

    def test_unknown_key(self) -> None:
        """Whose key is not known is worth a look at the keys; whose signature is wrong is not."""
        guarded, asked = state(), []
        guarded.unknown_key = lambda: asked.append(1)
        guarded.verify(token(claims(), rsa(1), kid="rsa-0"), NOW, {})
        guarded.verify(good(exp=1), NOW, {})
        self.assertEqual(asked, [])
        guarded.verify(token(claims(), rsa(1)), NOW, {})
        self.assertEqual(asked, [1])

    def test_any_issuer(self) -> None:
        """A rule without an issuer believes whoever the keys are of."""
        self.verified(state("").verify(good(iss="https://somebody.example"), NOW, {}))
        self.verified(state("").verify(good(iss=None), NOW, {}))

    def test_audiences(self) -> None:
        """Audiences are compared without scheme and last slash, on both sides."""
        for said, sent in (("https://shop.example/", "http://shop.example"), ("shop", ["x", "https://shop/"])):
            self.verified(state(audiences=("other", said)).verify(good(aud=sent), NOW, {}))
        self.assertEqual(
            self.told(state(audiences=("shop//",)).verify(good(aud="shop"), NOW, {})),
            "Audiences in Jwt are not allowed",
        )

    def test_told(self) -> None:
        """What backends and policies are told."""
        headers = (
            ClaimHeader(b"x-user", ("sub",)),
            ClaimHeader(b"x-dept", ("dept", "name")),
            ClaimHeader(b"x-none", ("dept", "number")),
            ClaimHeader(b"x-scope", ("scope",)),
        )
        guarded = state(payload_header=b"x-payload", claim_headers=headers, split_claims=("roles",))
        made = good(dept={"name": "it"}, scope="read  write", roles="a b", sentence="a b")
        found = self.verified(guarded.verify(made, NOW, {}))
        payload = made.split(b".")[1]
        expected = (
            (b"x-payload", payload),
            (b"x-user", b"alice@example.com"),
            (b"x-dept", b"it"),
            (b"x-scope", b"read  write"),
        )
        self.assertEqual(found.fields, expected)
        self.assertEqual(found.claims["scope"], ["read", "write"])
        self.assertEqual((found.claims["roles"], found.claims["sentence"]), (["a", "b"], "a b"))

    def test_curve(self) -> None:
        """Each signature of a curve has a twin that is as good: a token is known by all of its bytes."""
        made, guarded = token(claims(), curve(), "ES256"), state()
        self.verified(guarded.verify(made, NOW, {}))
        self.verified(guarded.verify(twin(made), NOW, {}))
        self.assertEqual(guarded.counts.cache_misses, 2)
