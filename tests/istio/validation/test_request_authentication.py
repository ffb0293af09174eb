"""Tests of L{edgegate.istio.validation.request_authentication}."""

from __future__ import annotations

from joserfc.jwk import RSAKey

from edgegate.istio.validation.request_authentication import is_web_url
from tests.access.jwt.tokens import edwards, key_set, public, rsa, secret
from tests.istio.validation.cases import CasesTestCase

KIND = "RequestAuthentication"


def rules(text: str) -> str:
    """Return a C{spec} with one rule, of an issuer whose keys are anywhere."""
    return f"jwtRules: [{{issuer: 'https://a', {text}}}]"


def inline(text: str) -> str:
    """Return a C{spec} whose keys are in it."""
    return rules(f"jwks: '{text}'")


class RequestAuthenticationTests(CasesTestCase):
    """Which tokens are believed."""

    def test_keys(self) -> None:
        """It says whose tokens, and where the keys are, once."""
        self.check(
            KIND,
            [
                ("{}", ""),
                ("jwtRules: [{issuer: 'https://a'}]", ""),
                ("jwtRules: [{jwksUri: 'https://a/keys'}]", ""),
                ("jwtRules: [{}]", "spec.jwtRules[0]: it has neither issuer nor jwksUri"),
                (f"jwtRules: [{{jwks: '{key_set(public(rsa()))}'}}]", "it has neither issuer nor jwksUri"),
                (rules("jwks: '{\"keys\": []}', jwksUri: 'https://a/k'"), "only one of jwks and jwksUri can be given"),
                (rules("jwksUri: 'ftp://a/keys'"), "is no URL such as"),
                (rules("jwksUri: a/keys"), "is no URL such as"),
                (rules("jwksUri: 'https://a b/keys'"), "is no URL such as"),
                (rules(f"jwksUri: 'https://a/{'x' * 2048}'"), "a URL of more than 2048 characters"),
                (rules("timeout: 0s"), "at least 1ms"),
                (inline("no JSON"), "no key set (RFC 7517): no object of JSON"),
                (inline("{}"), "no key set (RFC 7517): it has no list of keys"),
                (inline(key_set(public(rsa()))), ""),
            ],
        )

    def test_warnings(self) -> None:
        """Keys of no use, keys that anybody can read, and keys that are not found."""
        small = public(RSAKey.generate_key(1024))
        self.check(
            KIND,
            [
                (rules("jwksUri: 'http://a/keys'"), "keys that are fetched by http can be anybody's"),
                ("jwtRules: [{issuer: 'a@b'}]", "is no https URL: its keys can't be found"),
                (inline(key_set(public(rsa()), small)), "key 2 of the set is not used: it has 1024 bits"),
                (inline(key_set(edwards().as_dict(private=True))), "private keys (number 1 of the set)"),
                (inline(key_set()), "no key of the set can be used"),
                (inline(key_set(public(secret()))), ""),
            ],
            "warning",
        )

    def test_places(self) -> None:
        """Whatever names something has a name."""
        self.check(
            KIND,
            [
                (rules("audiences: [a, '']"), "spec.jwtRules[0].audiences[1]: it is empty"),
                (rules("fromParams: ['']"), "fromParams[0]: it is empty"),
                (rules("fromCookies: ['']"), "fromCookies[0]: it is empty"),
                (rules("spaceDelimitedClaims: ['']"), "spaceDelimitedClaims[0]: it is empty"),
                (rules(f"spaceDelimitedClaims: {['a'] * 65}"), "more than 64 claims"),
                (rules("fromHeaders: [{prefix: a}]"), "fromHeaders[0].name: a header has a name"),
                (rules("fromHeaders: [{name: 'a b'}]"), "is no name of a header"),
                (rules("fromHeaders: [{name: ':path'}]"), ":path is no header"),
                (rules("fromHeaders: [{name: X-Jwt}]"), ""),
            ],
        )

    def test_output(self) -> None:
        """Claims are told in headers that are nobody else's."""
        self.check(
            KIND,
            [
                (rules("outputPayloadToHeader: x_payload"), ""),
                (rules("outputPayloadToHeader: x.payload"), "is no name for it"),
                (rules("outputPayloadToHeader: Content-Length"), "is said by the gateway itself"),
                (rules("outputPayloadToHeader: x-envoy-a"), "is said by the gateway itself"),
                (
                    rules("outputClaimToHeaders: [{header: X-Forwarded-For, claim: ip}]"),
                    "is said by the gateway itself",
                ),
                (rules("outputClaimToHeaders: [{header: X-Forwarded-User, claim: sub}]"), ""),
                (rules("outputClaimToHeaders: [{claim: sub}]"), "a header has a name"),
                (rules("outputClaimToHeaders: [{header: x-a}]"), "it names no claim"),
                (rules("outputClaimToHeaders: [{header: x-a, claim: a..b}]"), "it names no claim"),
            ],
        )

    def test_selector(self) -> None:
        """It chooses in one way, and by whole labels."""
        self.check(
            KIND,
            [
                ("selector: {matchLabels: {a: b}}", ""),
                ("selector: {matchLabels: {a: '*'}}", "a selector takes no wildcards"),
                ("selector: {matchLabels: {'': b}}", "a label has a key"),
                ("selector: {}\ntargetRefs: [{kind: Gateway, name: a}]", "only one of selector and targetRefs"),
            ],
        )

    def test_urls(self) -> None:
        """What can be fetched."""
        for text, expected in (
            ("https://a", True),
            ("http://a:8080/b?c", True),
            ("https://[::1]:1/", True),
            ("https://a:b", False),
            ("https://a:0", False),
            ("https://u@a", False),
            ("https://a#b", False),
            ("https:///a", False),
            ("https://[a", False),
            ("https://é", False),
            ("file:///etc/passwd", False),
            ("", False),
        ):
            self.assertEqual(is_web_url(text), expected, text)
