"""Tests of L{edgegate.istio.analysis.tokens}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.analysis.telling import documents, lines

GATEWAY = documents(
    "Gateway",
    "gw",
    "{selector: {istio: edge}, servers: [{port: {number: 80, name: http, protocol: HTTP}, hosts: ['*']}]}",
)
MATCH = "{headers: {'@request.auth.claims.a': {exact: b}}, withoutHeaders: {'@request.auth.claims.c': {}}}"
ROUTES = documents(
    "VirtualService",
    "x",
    f"{{hosts: [a.example], gateways: [gw], http: [{{match: [{MATCH}], directResponse: {{status: 200}}}}]}}",
)


def tokens(spec: str) -> str:
    """Write a RequestAuthentication."""
    return documents("RequestAuthentication", "tokens", spec).replace("networking.istio.io", "security.istio.io")


class ClaimTests(SynchronousTestCase):
    """Routes by claims."""

    def test_unverified(self) -> None:
        """Where nobody verifies tokens at the Gateway, each condition is told of."""
        for policy in (
            "",
            tokens("{jwtRules: []}"),
            tokens("{selector: {matchLabels: {app: reviews}}, jwtRules: [{issuer: 'https://a'}]}"),
            tokens("{targetRefs: [{kind: Service, name: a, group: ''}], jwtRules: [{issuer: 'https://a'}]}"),
        ):
            told = lines(GATEWAY + ROUTES + policy, "IST0149")
            self.assertEqual(len(told), 2, policy)
            self.assertIn("no RequestAuthentication is for Gateway default/gw", told[0])
            self.assertIn("this match never holds", told[0])
            self.assertIn("this condition always holds", told[1])

    def test_verified(self) -> None:
        """Where somebody does, nothing is."""
        for policy in (
            tokens("{jwtRules: [{issuer: 'https://a'}]}"),
            tokens("{selector: {matchLabels: {istio: edge}}, jwtRules: [{issuer: 'https://a'}]}"),
        ):
            self.assertEqual(lines(GATEWAY + ROUTES + policy, "IST0149"), [])


class RequiredTests(SynchronousTestCase):
    """Whether a token is required."""

    def test_nobody_asks(self) -> None:
        """Without a policy or a route that asks who somebody is, a RequestAuthentication is told of."""
        rule = tokens("{jwtRules: [{issuer: 'https://a'}]}")
        for text, count in (
            (GATEWAY + rule, 1),
            (GATEWAY + tokens("{jwtRules: []}"), 0),
            (GATEWAY + ROUTES + rule, 0),
            (GATEWAY + rule + policy("{rules: [{to: [{operation: {paths: [/a]}}]}]}"), 1),
            (GATEWAY + rule + policy("{action: DENY, rules: [{from: [{source: {notRequestPrincipals: ['*']}}]}]}"), 0),
            (GATEWAY + rule + policy("{rules: [{when: [{key: 'request.auth.claims[a]', values: [b]}]}]}"), 0),
        ):
            self.assertEqual(len(lines(text, "EG624")), count, text)


def policy(spec: str) -> str:
    """Write an AuthorizationPolicy."""
    return documents("AuthorizationPolicy", "who", spec).replace("networking.istio.io", "security.istio.io")
