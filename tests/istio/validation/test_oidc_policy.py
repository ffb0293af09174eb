"""Tests of L{edgegate.istio.validation.oidc_policy}."""

from __future__ import annotations

from tests.istio.validation.cases import CasesTestCase

GOOD = 'clientId: a\ncookieKeys: {file: k}\nprovider: {issuer: "https://id.example/realms/a"}\n'


class OIDCPolicyTests(CasesTestCase):
    """An OIDCPolicy by itself."""

    def test_errors(self) -> None:
        """What is missing or can't be meant is told."""
        self.check(
            "OIDCPolicy",
            [
                (GOOD, ""),
                (
                    GOOD
                    + "clientSecret: {secretName: s}\nscopes: [email, a:b]\ncallbackPath: /cb\nlogoutPath: /a/b.c\n"
                    "afterLogout: /\ncookieName: a_b\nsessionDuration: 1h\nforwardAccessToken: true\n"
                    "allowedClaims: [{claim: a.b, values: [c]}]\nclaimsToHeaders: [{header: X-A, claim: a}]",
                    "",
                ),
                (GOOD + "afterLogout: https://a.example/bye?x=y", ""),
                ("clientId: a\ncookieKeys: {file: k}", "it has no provider"),
                (GOOD.replace("clientId: a", 'clientId: ""'), "it has no clientId"),
                (GOOD.replace("cookieKeys: {file: k}\n", ""), "it has no cookieKeys"),
                (GOOD.replace("{file: k}", "{}"), "neither file nor secretName"),
                (GOOD.replace("https://id.example/realms/a", "id.example"), "is no issuer"),
                (GOOD.replace("https://id.example/realms/a", "https://id.example/?a"), "is no issuer"),
                (GOOD.replace("https://id.example/realms/a", "https://a:b@id.example/"), "is no issuer"),
                (GOOD.replace("https://id.example/realms/a", "https://id.example:x/"), "is no issuer"),
                (GOOD + "clientSecret: {}", "neither file nor secretName"),
                (GOOD + 'scopes: ["a b"]', "is no scope"),
                (GOOD + "callbackPath: oauth2", "is no path"),
                (GOOD + "callbackPath: /", "is no path"),
                (GOOD + "callbackPath: /a/../b", "is no path"),
                (GOOD + "callbackPath: /a?b", "is no path"),
                (GOOD + "callbackPath: /a\nlogoutPath: /a", "logoutPath: callbackPath and logoutPath are one"),
                (GOOD + "logoutPath: /oauth2/callback", "callbackPath and logoutPath are one"),
                (GOOD + "callbackPath: /oauth2/logout", "callbackPath: callbackPath and logoutPath are one"),
                (GOOD + "afterLogout: /oauth2/logout", "it is the logoutPath"),
                (GOOD + "logoutPath: /a\nafterLogout: /a", "it is the logoutPath"),
                (GOOD + "afterLogout: javascript:alert(1)", "neither a path nor a URL"),
                (GOOD + "afterLogout: //evil.example", "neither a path nor a URL"),
                (GOOD + "cookieName: a.b", "a cookie's name"),
                (GOOD + "sessionDuration: 59s", "a minute to 30 days"),
                (GOOD + "sessionDuration: 721h", "a minute to 30 days"),
                (GOOD + "allowedClaims: [{claim: a, values: []}]", "nobody could enter"),
                (GOOD + "allowedClaims: [{claim: a..b, values: [c]}]", "is no claim"),
                (GOOD + "claimsToHeaders: [{header: x-a, claim: ''}]", "is no claim"),
                (GOOD + "claimsToHeaders: [{header: cookie, claim: a}]", "a meaning of its own"),
                (GOOD + "claimsToHeaders: [{header: x-a, claim: a}, {header: X-A, claim: b}]", "given twice"),
            ],
        )

    def test_warnings(self) -> None:
        """A provider that is asked in the clear is warned of."""
        self.check("OIDCPolicy", [(GOOD, ""), (GOOD.replace("https", "http"), "in the clear")], "warning")
