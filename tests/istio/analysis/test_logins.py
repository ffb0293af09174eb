"""Tests of L{edgegate.istio.analysis.logins}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines
from tests.istio.analysis.test_plain_text import HTTP, HTTPS, gateway, routed

SPECS = {
    "BasicAuthPolicy": "users: {file: a}",
    "APIKeyPolicy": "keysFrom: {file: a}",
    "OIDCPolicy": 'clientId: a, provider: {issuer: "https://id.example"}, cookieKeys: {file: a}',
}


def policy(kind: str, name: str, target: str, more: str = "") -> str:
    """Write a policy."""
    text = documents(kind, name, f"{{{target}{SPECS[kind]}{more}}}")
    return text.replace("networking.istio.io/v1\n", "edgegate.io/v1alpha1\n", 1)


def refs(kind: str, name: str, section: str = "") -> str:
    """Write what a policy is for."""
    more = f", sectionName: {section}" if section else ""
    return f"targetRefs: [{{group: networking.istio.io, kind: {kind}, name: {name}{more}}}], "


class ClearTests(SynchronousTestCase):
    """Secrets in the clear."""

    def test_told(self) -> None:
        """Each kind that asks for secrets is told, where its Gateway has TLS as well and does not redirect."""
        for kind in SPECS:
            for target in ("", refs("Gateway", "gw"), refs("Gateway", "gw", "h"), refs("VirtualService", "x")):
                (told,) = lines(gateway(HTTP, HTTPS) + routed("") + policy(kind, "p", target), "EG404")
                self.assertIn("it asks on port 80 in the clear (Gateway default/gw at in.yaml:5)", told)

    def test_not_told(self) -> None:
        """Where all is sent to https, only TLS is meant, or a proxy in front may end it, nothing is."""
        redirecting = HTTP.replace("hosts:", "tls: {httpsRedirect: true}, hosts:")
        for servers, target in (
            ((redirecting, HTTPS), refs("Gateway", "gw")),
            ((HTTP,), refs("Gateway", "gw")),
            ((HTTP, HTTPS), refs("Gateway", "gw", "s")),
            ((HTTP, HTTPS), refs("Gateway", "other")),
        ):
            text = gateway(*servers) + routed("") + policy("BasicAuthPolicy", "p", target)
            self.assertEqual(lines(text, "EG404"), [])


class TwiceTests(SynchronousTestCase):
    """Two policies that ask for the same."""

    def test_told(self) -> None:
        """Two that ask the same requests in the same way are told, at the second."""
        text = gateway(HTTPS) + routed("")
        for kind in ("BasicAuthPolicy", "OIDCPolicy", "APIKeyPolicy"):
            for one, other in (("", ""), (refs("Gateway", "gw"), refs("Gateway", "gw", "s"))):
                (told,) = lines(text + policy(kind, "p", one) + policy(kind, "q", other), "EG603")
                self.assertIn(f"{kind} default/q", told)
                self.assertIn(f"{kind} default/p at in.yaml", told)
        same = policy("OIDCPolicy", "q", "", ", callbackPath: /oauth2/callback")
        self.assertEqual(len(lines(text + policy("OIDCPolicy", "p", "") + same, "EG603")), 1)

    def test_first(self) -> None:
        """The one that is told at is the first that has a target in common, of several."""
        text = gateway(HTTPS) + routed("")
        both = refs("Gateway", "gw").replace("}]", "}, {group: networking.istio.io, kind: VirtualService, name: x}]")
        named = (("p", refs("VirtualService", "x")), ("q", refs("Gateway", "gw")), ("r", both))
        (told,) = lines(text + "".join(policy("BasicAuthPolicy", *each) for each in named), "EG603")
        self.assertIn("BasicAuthPolicy default/r", told)
        self.assertIn("BasicAuthPolicy default/q at", told)

    def test_not_told(self) -> None:
        """Those of different targets or callbacks, and keys that stand in two places or are left there, are not."""
        text = gateway(HTTPS) + routed("")
        for kind, one, other, more in (
            ("BasicAuthPolicy", refs("Gateway", "gw"), refs("VirtualService", "x"), ""),
            ("BasicAuthPolicy", refs("Gateway", "gw", "h"), refs("Gateway", "gw", "s"), ""),
            ("OIDCPolicy", "", "", ", callbackPath: /other"),
            ("APIKeyPolicy", "", "", ", extractFrom: [{header: x-other}]"),
            ("APIKeyPolicy", "", "", ", extractFrom: [{header: x-api-key}, {cookie: key}]"),
            ("APIKeyPolicy", "", "", ", forward: true"),
        ):
            found = lines(text + policy(kind, "p", one) + policy(kind, "q", other, more), "EG603")
            self.assertEqual(found, [])


class CookieTests(SynchronousTestCase):
    """Cookies of two policies."""

    def test_told(self) -> None:
        """Two on one host that keep their sessions in the same cookie are told; those of different names are not."""
        text = gateway(HTTPS) + routed("")
        one, other = refs("VirtualService", "x", "a"), refs("VirtualService", "x", "b")
        for name, elsewhere, told in (
            ("wiki", other, 1),
            ("wiki-2", other, 0),
            ("wiki", refs("VirtualService", "y"), 0),
        ):
            first = policy("OIDCPolicy", "p", one, ", cookieName: wiki")
            second = policy("OIDCPolicy", "q", elsewhere, f", callbackPath: /q, cookieName: {name}")
            found = lines(text + first + second, "EG603")
            self.assertEqual(len(found), told, name)
            for line in found:
                self.assertIn("cookieName: OIDCPolicy default/p at in.yaml", line)


class ElsewhereTests(SynchronousTestCase):
    """Ways back from a provider."""

    def test_told(self) -> None:
        """A policy of a route that does not take its way back is told; one of a host, or where a route may, is not."""
        for match, target, more, told in (
            ("match: [{uri: {prefix: /app}}], ", refs("VirtualService", "x"), "", True),
            ("match: [{uri: {exact: /oauth2}}], ", refs("VirtualService", "x"), "", True),
            ("match: [{uri: {prefix: /app}}], ", refs("VirtualService", "x"), ", callbackPath: /app/back", False),
            ("match: [{uri: {prefix: /app}}, {uri: {regex: /o.*}}], ", refs("VirtualService", "x"), "", False),
            ("match: [{headers: {a: {exact: b}}}], ", refs("VirtualService", "x"), "", False),
            ("", refs("VirtualService", "x"), "", False),
            ("match: [{uri: {prefix: /app}}], ", refs("Gateway", "gw"), "", False),
            ("match: [{uri: {prefix: /app}}], ", "", "", False),
        ):
            text = gateway(HTTPS) + routed(match) + policy("OIDCPolicy", "p", target, more)
            self.assertEqual(len(lines(text, "EG604")), told, match)
