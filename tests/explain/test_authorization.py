"""Tests of L{edgegate.explain.authorization}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.facts import Facts
from edgegate.explain.authorization import judged_by
from edgegate.explain.explanation import Explainer
from edgegate.explain.judgement import Judgement, Verdict
from edgegate.explain.tree import lines, tree
from tests.access.asking import Asked, Connected, asked, authorizations, policy, with_claims
from tests.explain.explaining import Explained
from tests.istio.translate.compiling import gateway, route, virtual_service


def judged(spec: str, request: Asked | None = None, connection: Connected | None = None) -> Judgement:
    """Judge a request, or a connection without one."""
    (guard,) = authorizations(spec)
    return judged_by(guard, Facts(connection or Connected(), request), of_connection=request is None)


class WordsTests(SynchronousTestCase):
    """What is said of rules."""

    def test_matched(self) -> None:
        """The rule that matches is the last that is told."""
        spec = "action: DENY\nrules: [{to: [{operation: {paths: ['/a*']}}]}, {}, {}]"
        found = judged(spec, asked("/b"))
        self.assertEqual((found.verdict, found.words), (Verdict.DENIED, "DENY by ns[default]-policy[p0]-rule[1]"))
        self.assertEqual([each.words for each in found.trials], ["paths: /b is not /a*", "matches"])
        assert found.trials[1].origin is not None
        self.assertEqual((found.trials[1].origin.file, found.trials[1].origin.line), ("in.yaml", 7))
        assert found.refusal is not None
        self.assertEqual(found.refusal.status, 403)

    def test_not_matched(self) -> None:
        """Of each rule the first condition that fails; of several that would do, that of each."""
        for rule, words in (
            ("to: [{operation: {methods: [PUT], paths: [/b]}}]", "methods: GET is not PUT"),
            ("to: [{operation: {methods: [GET], notPaths: ['/*']}}]", "notPaths: /a is /*"),
            (
                "to: [{operation: {paths: [/b]}}, {operation: {hosts: [x]}}]",
                "paths: /a is not /b or hosts: app.example.com is not x",
            ),
            ("from: [{source: {ipBlocks: [10.0.0.0/8]}}]", "ipBlocks: 192.0.2.10 is not 10.0.0.0/8"),
            ("from: [{source: {principals: ['*']}}]", "principals: the client shows no certificate"),
            ("from: [{source: {requestPrincipals: ['*']}}]", "requestPrincipals: there is no verified token"),
            (
                "when: [{key: 'request.headers[x-a]', values: [b, c, d, e, f]}]",
                "request.headers[x-a] values: the request has no such header",
            ),
            (
                "when: [{key: 'request.headers[x-b]', values: [b, c, d, e, f]}]",
                "request.headers[x-b] values: 1, 2 is not b or c or d or one of 2 more",
            ),
            ("when: [{key: destination.port, values: ['80']}]", "destination.port values: 443 is not 80"),
            (
                "when: [{key: 'request.auth.claims[a]', values: [b]}]",
                "request.auth.claims[a] values: there is no verified token with it",
            ),
            ("when: [{key: connection.sni, notValues: ['app*']}]", "connection.sni notValues: app.example.com is app*"),
            (
                "when: [{key: destination.ip, values: [10.0.0.1]}]",
                "destination.ip values: 198.51.100.1 is not 10.0.0.1",
            ),
            ("when: [{key: 'experimental.envoy.filters.a[b]', values: [c]}]", "values: there is none"),
        ):
            found = judged(f"rules: [{{{rule}}}]", asked("/a", "x-b: 1", "x-b: 2"))
            self.assertEqual((found.verdict, found.words), (Verdict.DENIED, "ALLOW: its rule does not match"))
            self.assertIn(words, found.trials[0].words)

    def test_tokens(self) -> None:
        """What a token says is shown."""
        request = with_claims(asked(), iss="https://idp", sub="ali", groups=["a", "b"])
        found = judged("rules: [{from: [{source: {requestPrincipals: ['x/*']}}]}]", request)
        self.assertEqual(found.trials[0].words, "requestPrincipals: https://idp/ali is not x/*")
        found = judged("rules: [{when: [{key: 'request.auth.claims[groups]', values: [c]}]}]", request)
        self.assertIn("['a', 'b'] is not c", found.trials[0].words)

    def test_certificate(self) -> None:
        """So is what a certificate says."""
        connection = Connected(client_certificate=b"URI=spiffe://td/a")
        found = judged("rules: [{from: [{source: {principals: [td/b]}}]}]", asked(), connection)
        self.assertEqual(found.trials[0].words, "principals: spiffe://td/a is not td/b")

    def test_nothing(self) -> None:
        """A policy without rules, and others that only mark or are tried."""
        self.assertEqual(judged("", asked()).words, "ALLOW: there is no rule")
        self.assertEqual(judged("action: AUDIT\nrules: [{}]", asked()).verdict, Verdict.ALLOWED)
        found = judged(policy("action: DENY\nrules: [{}]", "t", ", annotations: {istio.io/dry-run: 'true'}"), asked())
        self.assertEqual(found.verdict, Verdict.ALLOWED)
        self.assertEqual(
            found.words,
            "no DENY policy is more than tried; the policies that are only tried would refuse it, by "
            "ns[default]-policy[t]-rule[0]",
        )

    def test_connection(self) -> None:
        """Rules that ask for requests are left out, and it is said."""
        found = judged("rules: [{to: [{operation: {methods: [GET]}}]}, {to: [{operation: {ports: ['1']}}]}]")
        self.assertEqual(found.verdict, Verdict.DENIED)
        self.assertIn("1 that ask for what only requests have allow nothing here", found.words)


class ExplainedTests(SynchronousTestCase):
    """Whole explanations."""

    FILES = (
        gateway("gw", "80 HTTP a.example", "9000 TCP *")
        + virtual_service("vs", "a.example", f"http: [{route()}]")
        + virtual_service("tcp", "*", f"tcp: [{route()}]")
        + policy("action: DENY\nrules: [{to: [{operation: {paths: ['/admin*'], ports: ['80']}}]}]", "admin")
        + policy(
            "rules: [{to: [{operation: {ports: ['9000'], methods: [GET]}}]}, {to: [{operation: {paths: ['*']}}]}]",
            "all",
        )
    )

    def test_tree(self) -> None:
        """Policies come in their order, each with its rules and their places."""
        explained = Explained.of(self.FILES)
        for path, expected in (
            ("/admin", "denied: AuthorizationPolicy default/admin: DENY by ns[default]-policy[admin]-rule[0]"),
            ("/x", "allowed: AuthorizationPolicy default/all: ALLOW by ns[default]-policy[all]-rule[1]"),
        ):
            decision = explained.decide("GET", f"http://a.example{path}")
            found = Explainer(explained.decider(), explained.endpoints, explained.notes).explain_decision(decision)
            texts = [node.text for _, node in lines(tree(found))]
            self.assertIn(expected, texts)
        self.assertIn("ns[default]-policy[admin]-rule[0]: paths: /x is not /admin*", texts)
        self.assertIn("ns[default]-policy[all]-rule[0]: ports: 80 is not 9000", texts)

    def test_connection(self) -> None:
        """A connection that no policy allows is closed."""
        explained = Explained.of(self.FILES)
        decision = explained.decide("", "tcp://any.example:9000")
        found = Explainer(explained.decider(), explained.endpoints, explained.notes).explain_decision(decision)
        self.assertEqual((found.disagrees, found.trials, found.served), (False, (), False))
        assert decision.denied is not None
        self.assertEqual(decision.denied.guard.name, "default/all")
