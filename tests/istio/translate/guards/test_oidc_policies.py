"""Tests of L{edgegate.istio.translate.guards.oidc_policies}."""

from __future__ import annotations

from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.oidc.sealing import parse_cookie_keys
from edgegate.model.guards.jwt import ClaimHeader
from edgegate.model.guards.oidc import OIDC, AllowedClaim, OIDCClient
from edgegate.routing.snapshot import guards_in
from tests.istio.translate.compiling import compiled, gateway, route, virtual_service

FILES = gateway("gw", "80 HTTP a.example") + virtual_service("web", "a.example", f"http: [{route()}]")
KEYS = b64encode(bytes(range(32)))
SECRET = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
    f"stringData: {{client-secret: 'open sesame', cookie-keys: '{KEYS.decode()}'}}\n---\n"
)


def policy(spec: str) -> str:
    """Return a policy for the Gateway."""
    refs = "targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]"
    known = 'clientId: me, provider: {issuer: "https://id.example"}'
    head = "apiVersion: edgegate.io/v1alpha1\nkind: OIDCPolicy\nmetadata: {name: p}\n"
    return f"{head}spec: {{{refs}, {known}, {spec}}}\n---\n"


class OIDCPoliciesTests(SynchronousTestCase):
    """From policies to guards."""

    def guard(self, text: str, files: dict[str, bytes]) -> OIDC:
        """Return the guard of a policy without a problem."""
        found, problems = compiled(FILES + text, files=files)
        self.assertEqual(problems, [])
        (guard,) = set(guards_in(found))
        assert isinstance(guard, OIDC)
        return guard

    def test_defaults(self) -> None:
        """Where a policy says no more than it must a client without a secret is meant."""
        guard = self.guard(policy("cookieKeys: {file: k}"), {"k": KEYS})
        self.assertEqual(guard.provider, OIDCClient("https://id.example", "me"))
        self.assertEqual(guard.cookie_keys, parse_cookie_keys(KEYS))
        self.assertEqual((guard.callback, guard.logout), (b"/oauth2/callback", b"/oauth2/logout"))
        self.assertEqual(guard.lasts, 12 * 3600)
        other = self.guard(policy("cookieKeys: {file: k}").replace("name: p", "name: q"), {"k": KEYS})
        self.assertNotEqual(guard.cookie, other.cookie)

    def test_all(self) -> None:
        """Each field comes to its value; secrets are not shown."""
        guard = self.guard(
            policy(
                "clientSecret: {secretName: s}, cookieKeys: {secretName: s}, scopes: [email, openid], "
                "callbackPath: /cb, "
                "logoutPath: /out, afterLogout: /bye, cookieName: shop, sessionDuration: 1h, forwardAccessToken: true, "
                "acceptTokens: true, "
                "allowedClaims: [{claim: realm.roles, values: [a, b]}], claimsToHeaders: [{header: X-A, claim: b.c}]"
            )
            + SECRET,
            {},
        )
        self.assertEqual(guard.provider, OIDCClient("https://id.example", "me", b"open sesame", ("openid", "email")))
        self.assertEqual(
            (
                guard.callback,
                guard.logout,
                guard.after_logout,
                guard.cookie,
                guard.lasts,
                guard.forward_token,
                guard.accept_tokens,
            ),
            (b"/cb", b"/out", "/bye", b"shop", 3600, True, True),
        )
        self.assertEqual(guard.allowed, (AllowedClaim(("realm", "roles"), ("a", "b")),))
        self.assertEqual(guard.claim_headers, (ClaimHeader(b"x-a", ("b", "c")),))
        self.assertNotIn("sesame", repr(guard))
        self.assertNotIn(repr(guard.cookie_keys[0]), repr(guard))

    def test_mistakes(self) -> None:
        """Secrets that are missing, empty or easy to guess are told, and not repeated."""
        for spec, files, words in (
            ("cookieKeys: {file: k}", {}, "k"),
            ("cookieKeys: {file: k}", {"k": b"sesame"}, "k: line 1: a key has 32 random characters"),
            ("cookieKeys: {secretName: t}", {}, "no document declares Secret"),
            ("cookieKeys: {file: k}, clientSecret: {file: c}", {"k": KEYS, "c": b"\n"}, "c: it is empty"),
            ("cookieKeys: {file: k}, clientSecret: {file: c}", {"k": KEYS, "c": b"a\nsesame"}, "c: a client's secret"),
        ):
            _, problems = compiled(FILES + policy(spec), files=files)
            self.assertEqual(len(problems), 1, problems)
            self.assertIn(words, problems[0])
            self.assertNotIn("sesame", problems[0])

    def test_authorities(self) -> None:
        """A file of authorities holds some."""
        text = policy("cookieKeys: {file: k}").replace('example"}', 'example", caCertificates: ca.pem}')
        pem = b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
        _, problems = compiled(FILES + text, files={"k": KEYS, "ca.pem": b"x"})
        self.assertIn("ca.pem: no certificate found", problems[0])
        _, problems = compiled(FILES + text, files={"k": KEYS, "ca.pem": pem})
        self.assertIn("ca.pem: a certificate can't be read", problems[0])
