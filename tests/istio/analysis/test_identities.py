"""Tests of L{edgegate.istio.analysis.identities}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines
from tests.istio.analysis.test_logins import policy, refs
from tests.istio.analysis.test_plain_text import HTTPS, gateway, routed

WHOLE, ROUTES = refs("Gateway", "gw"), refs("VirtualService", "x")
TOKENS = documents("RequestAuthentication", "t", "{jwtRules: [{issuer: a, jwksUri: 'https://a.example'}]}").replace(
    "networking.istio.io", "security.istio.io"
)
DENY = documents(
    "AuthorizationPolicy", "d", '{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["*"]}}]}]}'
).replace("networking.istio.io", "security.istio.io")


def limit(target: str, by: str) -> str:
    """Write a RateLimitPolicy."""
    text = documents("RateLimitPolicy", "r", f"{{{target}limits: [{{requests: 1, period: 1s, by: [{by}]}}]}}")
    return text.replace("networking.istio.io/v1\n", "edgegate.io/v1alpha1\n", 1)


class TooLateTests(SynchronousTestCase):
    """Who is known when."""

    def told(self, *parts: str) -> list[str]:
        """Return what is told of that beside a route."""
        return lines(gateway(HTTPS) + routed("") + "".join(parts), "EG605")

    def test_limits(self) -> None:
        """A limit for the Gateway knows nobody whom only routes ask; one of the same routes does."""
        for kind in ("BasicAuthPolicy", "APIKeyPolicy", "OIDCPolicy"):
            (told,) = self.told(policy(kind, "p", ROUTES), limit(WHOLE, "{identity: {}}"))
            self.assertIn(f"{kind} default/p at in.yaml:", told)
            for target, by in ((ROUTES, "{identity: {}}"), (WHOLE, "{header: a}")):
                self.assertEqual(self.told(policy(kind, "p", ROUTES), limit(target, by)), [])
            for target in (WHOLE, ""):
                self.assertEqual(self.told(policy(kind, "p", target), limit(WHOLE, "{identity: {}}")), [])
        (told,) = self.told(policy("OIDCPolicy", "p", ROUTES), limit(WHOLE, "{claim: sub}"))

    def test_nobody(self) -> None:
        """A limit by who a client is asks in vain where nothing finds that out, also one of concurrency."""
        for by, finders in (("{identity: {}}", ["APIKeyPolicy", "OIDCPolicy"]), ("{claim: sub}", ["OIDCPolicy"])):
            for text in (limit(WHOLE, by), limit(ROUTES, by)):
                for each in (text, text.replace("RateLimit", "Concurrency").replace("period: 1s, ", "")):
                    (told,) = self.told(each)
                    self.assertIn("nobody is ever known here", told)
                    self.assertEqual(self.told(TOKENS, each), [])
                    for kind in finders:
                        self.assertEqual(self.told(policy(kind, "p", WHOLE), each), [])
        (told,) = self.told(policy("APIKeyPolicy", "p", WHOLE), limit(WHOLE, "{claim: sub}"))
        self.assertIn("no RequestAuthentication or OIDCPolicy", told)
        late = limit(WHOLE, "{identity: {}}").replace("RateLimit", "Concurrency").replace("period: 1s, ", "")
        (told,) = self.told(policy("APIKeyPolicy", "p", ROUTES), late)
        self.assertIn("nobody is known yet", told)

    def test_claims(self) -> None:
        """So do policies of authorization and routes, unless tokens are verified as well."""
        routes = documents(
            "VirtualService",
            "other",
            "{hosts: [other.example], gateways: [gw], http: "
            "[{match: [{headers: {'@request.auth.claims.a': {exact: b}}}], "
            "route: [{destination: {host: 127.0.0.1, port: {number: 8080}}}]}]}",
        )
        for asking in (DENY, routes):
            (told,) = self.told(policy("OIDCPolicy", "p", ROUTES), asking)
            self.assertIn("OIDCPolicy default/p", told)
            self.assertEqual(self.told(policy("OIDCPolicy", "p", WHOLE), asking), [])
            self.assertEqual(self.told(policy("OIDCPolicy", "p", ROUTES), TOKENS, asking), [])
            self.assertEqual(self.told(policy("BasicAuthPolicy", "p", ROUTES), asking), [])
