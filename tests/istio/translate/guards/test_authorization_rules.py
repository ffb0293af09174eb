"""Tests of L{edgegate.istio.translate.guards.authorization_rules}; more are in tests.access.test_authorization."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.authorization import AuthorizerState
from edgegate.config.problems import Severity
from edgegate.istio.kinds.mesh_config import MeshConfig
from edgegate.istio.translate.guards.authorization_rules import RulesCompiler, action_of, is_tried
from edgegate.model.guards.authorization import Action, Attribute, Condition, Rule
from tests.access.asking import Connected, asked, policy
from tests.istio.translate.compiling import decoded

FULL = """\
rules:
- from:
  - source:
      principals: [cluster.local/ns/a/sa/b]
      notNamespaces: [x]
      remoteIpBlocks: [1.2.3.4]
  - source: {serviceAccounts: [own, other/its]}
  to:
  - operation: {methods: [GET], notPaths: [/x]}
  when:
  - {key: 'request.headers[X-A]', values: [a], notValues: [b]}
  - {key: 'request.auth.claims[c][d]', notValues: [e]}
"""


def rule(spec: str, compiler: RulesCompiler | None = None) -> Rule:
    """Compile the one rule of a policy."""
    resources, _ = decoded(policy(spec))
    (found,) = (compiler or RulesCompiler()).rules(Action.ALLOW, resources.authorization_policies).rules
    return found


class RulesTests(SynchronousTestCase):
    """Rules of files as values."""

    def test_all(self) -> None:
        """Every field becomes a condition that is called as it is."""
        found = rule(FULL)
        self.assertEqual(found.name, "ns[default]-policy[p0]-rule[0]")
        self.assertEqual(
            found.sources,
            (
                (
                    Condition(Attribute.PRINCIPAL, ("cluster.local/ns/a/sa/b",)),
                    Condition(Attribute.NAMESPACE, ("x",), negated=True),
                    Condition(Attribute.CLIENT, ("1.2.3.4",)),
                ),
                (Condition(Attribute.SERVICE_ACCOUNT, ("default/own", "other/its")),),
            ),
        )
        self.assertEqual(
            found.operations,
            ((Condition(Attribute.METHOD, ("GET",)), Condition(Attribute.PATH, ("/x",), negated=True)),),
        )
        self.assertEqual(
            found.conditions,
            (
                Condition(Attribute.HEADER, ("a",), key=("x-a",)),
                Condition(Attribute.HEADER, ("b",), negated=True, key=("x-a",)),
                Condition(Attribute.CLAIM, ("e",), negated=True, key=("c", "d")),
            ),
        )
        self.assertEqual([each.field for each in found.sources[0]], ["principals", "notNamespaces", "remoteIpBlocks"])
        self.assertEqual(found.conditions[1].field, "request.headers[X-A] notValues")
        assert found.origin is not None
        self.assertEqual((found.origin.line, found.origin.resource), (7, "AuthorizationPolicy default/p0"))

    def test_trust_domains(self) -> None:
        """A principal of one of the mesh's trust domains is one of all."""
        compiler = RulesCompiler(MeshConfig(trust_domain="corp", trust_domain_aliases=("old-1", "old-2")))
        for principal, expected in (
            ("cluster.local/ns/a/sa/b", {"cluster.local", "corp", "old-1", "old-2"}),
            ("old-1/ns/a/sa/b", {"cluster.local", "corp", "old-1", "old-2"}),
            ("old*/ns/a/sa/b", {"old*", "cluster.local", "corp", "old-1", "old-2"}),
            ("*orp/ns/a/sa/b", {"*orp", "cluster.local", "corp", "old-1", "old-2"}),
            ("else/ns/a/sa/b", {"else"}),
            ("*/ns/a/sa/b", {"*"}),
        ):
            found = rule(f"rules: [{{from: [{{source: {{principals: ['{principal}']}}}}]}}]", compiler)
            values = found.sources[0][0].values
            self.assertEqual(set(values), {f"{domain}/ns/a/sa/b" for domain in expected}, principal)
            self.assertEqual(len(values), len(set(values)))

    def test_tried(self) -> None:
        """A policy is only tried where its annotation says so, in one of Go's words."""
        for value, tried in (("true", True), ("T", True), ("1", True), ("false", False)):
            annotations = f", annotations: {{istio.io/dry-run: '{value}'}}"
            resources, _ = decoded(policy("rules: [{}]", "a", annotations))
            self.assertEqual(is_tried(resources.authorization_policies[0]), tried)


FIELDS = [
    *(("from", "source", each) for each in ("principals", "requestPrincipals", "namespaces", "serviceAccounts")),
    *(("from", "source", each) for each in ("trustDomains", "ipBlocks", "notRemoteIpBlocks")),
    *(("to", "operation", each) for each in ("hosts", "ports", "methods", "paths", "notPaths")),
]
KEYS = ["request.headers[a]", "request.auth.claims[a][b]", "source.ip", "destination.port", "connection.sni"]
VALUES = st.lists(st.text("ab*/{}.:%[]-(\\|01?\u00e9\ud800\n", min_size=1, max_size=9), min_size=1, max_size=3)


class AnyValuesTests(SynchronousTestCase):
    """Whatever somebody writes."""

    @given(st.sampled_from(FIELDS), VALUES, st.sampled_from(["ALLOW", "DENY"]))
    def test_fields(self, field: tuple[str, str, str], values: list[str], action: str) -> None:
        """What is let pass by what checks a policy is what the engine takes."""
        where, part, name = field
        self.check({"action": action, "rules": [{where: [{part: {name: values}}]}]})

    @given(st.sampled_from(KEYS), VALUES)
    def test_keys(self, key: str, values: list[str]) -> None:
        """So are the values of other conditions."""
        self.check({"rules": [{"when": [{"key": key, "notValues": values}]}]})

    def check(self, spec: dict[str, object]) -> None:
        """Make an engine of a policy, unless something is wrong with it."""
        resources, problems = decoded(policy(json.dumps(spec)))
        if any(each.severity is Severity.ERROR for each in problems):
            return
        (found,) = resources.authorization_policies
        state = AuthorizerState(RulesCompiler().guard(action_of(found), [found]))
        state.of_requests.passes(Connected(), asked("/a"))
        state.of_connections.passes(Connected(), None)
