"""Tests of L{edgegate.istio.translate.guards.request_authentications}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys, RemoteKeys, TokenGuard, TokenHeader
from edgegate.routing.snapshot import guards_in
from edgegate.sources.compilation import compile_resources
from tests.access.jwt.tokens import key_set, public, rsa
from tests.istio.translate.compiling import decoded, gateway

GATEWAY = gateway("gw", "80 HTTP *")


def policy(name: str, rules: str, more: str = "", namespace: str = "istio-system") -> str:
    """Write a policy."""
    return (
        "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\n"
        f"metadata: {{name: {name}, namespace: {namespace}}}\nspec: {{jwtRules: [{rules}]{more}}}\n---\n"
    )


def compiled(*texts: str, ignored: str = "") -> tuple[list[TokenGuard], list[str]]:
    """Return the guards that come out, each once, and what is told of policies."""
    resources, problems = decoded("".join(texts))
    options = CompileOptions(ignored_kinds=frozenset([ignored]))
    found = compile_resources(resources, options, problems)
    told = [f"{each.severity.name} {each.message}" for each in problems if "RequestAuthentication" in each.message]
    guards = dict.fromkeys(each for each in guards_in(found.snapshot) if isinstance(each, TokenGuard))
    return list(guards), told


class RequestAuthenticationTests(SynchronousTestCase):
    """Policies become guards."""

    def test_rules(self) -> None:
        """All rules of all policies are one list, in the order of issuers."""
        guards, told = compiled(
            GATEWAY, policy("b", "{issuer: 'https://z'}, {issuer: 'https://a'}"), policy("a", "{issuer: 'https://m'}")
        )
        (guard,) = guards
        self.assertEqual(told, [])
        self.assertEqual(guard.name, "istio-system/b, istio-system/a")
        self.assertEqual([rule.issuer for rule in guard.rules], ["https://a", "https://m", "https://z"])
        self.assertEqual([rule.policy for rule in guard.rules], ["istio-system/b", "istio-system/a", "istio-system/b"])
        self.assertIn("RequestAuthentication istio-system/a", guard.rules[1].origin.resource)

    def test_fields(self) -> None:
        """What a rule says is what the guard says."""
        rule = (
            "{issuer: 'https://a', audiences: [x], fromHeaders: [{name: X-Jwt, prefix: 'T '}, {name: yy}], "
            "fromParams: [p], fromCookies: [c], forwardOriginalToken: true, outputPayloadToHeader: X-P, "
            "outputClaimToHeaders: [{header: X-Dept, claim: dept.name}], spaceDelimitedClaims: [roles], timeout: 2s}"
        )
        ((guard,), _) = compiled(GATEWAY, policy("a", rule))
        (found,) = guard.rules
        self.assertEqual(found.audiences, ("x",))
        self.assertEqual(found.headers, (TokenHeader(b"x-jwt", b"T "), TokenHeader(b"yy")))
        self.assertEqual((found.params, found.cookies, found.forward), (("p",), ("c",), True))
        self.assertEqual((found.payload_header, found.split_claims), (b"x-p", ("roles",)))
        self.assertEqual(found.claim_headers, (ClaimHeader(b"x-dept", ("dept", "name")),))
        self.assertEqual(found.keys, RemoteKeys("https://a/.well-known/openid-configuration", True, 2.0))

    def test_keys(self) -> None:
        """Keys are inline, at a URL, or where the issuer's configuration says; private halves go no further."""
        text = key_set(rsa().as_dict(private=True))
        ((guard,), _) = compiled(
            GATEWAY,
            policy("a", f"{{issuer: 'https://a/', jwks: '{text}'}}, {{issuer: 'https://b/', jwksUri: 'https://k'}}"),
            policy("b", "{issuer: 'https://c/'}"),
        )
        first, second, third = (rule.keys for rule in guard.rules)
        assert isinstance(first, InlineKeys)
        self.assertNotIn(rsa().as_dict(private=True)["d"], first.text)
        self.assertIn(public(rsa())["n"], first.text)
        self.assertEqual(second, RemoteKeys("https://k", False, 5.0))
        self.assertEqual(third, RemoteKeys("https://c/.well-known/openid-configuration", True, 5.0))

    def test_not_here(self) -> None:
        """What is for nobody here says so, and why."""
        rule = "{issuer: 'https://a'}"
        for text, why in (
            (policy("a", rule, namespace="shop"), 'it is in the namespace "shop"'),
            (policy("a", rule, ", selector: {matchLabels: {app: reviews}}"), "app=reviews"),
            (policy("a", rule, ", targetRefs: [{kind: Service, name: s, group: ''}]"), "it is for Service s"),
            (policy("a", ""), "it has no jwtRules"),
        ):
            guards, told = compiled(GATEWAY, text)
            self.assertEqual(guards, [], text)
            self.assertEqual(len(told), 1, told)
            self.assertIn("guards nothing here", told[0])
            self.assertIn(why, told[0])

    def test_ignored(self) -> None:
        """A kind that the user ignores checks nothing, and says so."""
        guards, told = compiled(GATEWAY, policy("a", "{issuer: 'https://a'}"), ignored="RequestAuthentication")
        self.assertEqual(guards, [])
        self.assertIn("no token is checked because of it, as --ignore-kind has it", told[0])

    def test_workloads(self) -> None:
        """Servers of other workloads have other rules."""
        other = gateway("other", "81 HTTP *").replace("istio: edge", "istio: inner")
        guards, _ = compiled(
            GATEWAY,
            other,
            policy("all", "{issuer: 'https://a'}"),
            policy("inner", "{issuer: 'https://b'}", ", selector: {matchLabels: {istio: inner}}"),
        )
        self.assertEqual(
            sorted([rule.issuer for rule in guard.rules] for guard in guards),
            [["https://a"], ["https://a", "https://b"]],
        )
