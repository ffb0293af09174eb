"""Tests of L{edgegate.istio.translate.guards.authorization_warnings}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from edgegate.model import codes
from edgegate.sources.compilation import compile_resources
from tests.istio.translate.compiling import decoded, gateway, route, virtual_service
from tests.istio.translate.guards.test_authorization_policies import policy

HTTP = gateway("gw", "80 HTTP a.example") + virtual_service("vs", "a.example", f"http: [{route()}]")
TCP = gateway("db", "5432 TCP *") + virtual_service("db", "*", f"tcp: [{route()}]").replace("[gw]", "[db]")
MESH = (
    "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: m}\n"
    "spec: {pathNormalization: {normalization: DECODE_AND_MERGE_SLASHES}}\n---\n"
)


def operation(fields: str, action: str = "DENY") -> str:
    """Write a policy with one operation."""
    return policy(f"action: {action}, rules: [{{to: [{{operation: {{{fields}}}}}]}}]")


class WarningTests(SynchronousTestCase):
    """What policies leave open, or close."""

    def told(self, text: str, code: str) -> list[str]:
        """Return what is told with a code."""
        resources, problems = decoded(text)
        compile_resources(resources, CompileOptions(port_map={80: 8080}), problems)
        return [each.message for each in problems if each.code == code]

    def check(self, text: str, code: str, *words: str) -> None:
        """Check what is told, in its order."""
        found = self.told(text, code)
        self.assertEqual(len(found), len(words), (text, found))
        for each, message in zip(words, found, strict=True):
            self.assertIn(each, message)

    def test_hosts(self) -> None:
        """A host that is denied may come with a port."""
        for fields, words in (
            ("hosts: [a.example]", ('add "a.example:*"',)),
            ("hosts: [a.example, 'a.example:*']", ()),
            ("hosts: [a.example, 'a.example:80']", ()),
            ("hosts: ['*.example']", ("for each port",)),
            ("hosts: ['*.example', '*.example:80']", ()),
            ("hosts: ['a.example*', '*']", ()),
            ("notHosts: [a.example]", ()),
        ):
            self.check(HTTP + MESH + operation(fields), codes.POLICY_PASSED_BY, *words)
        self.check(HTTP + MESH + operation("hosts: [a.example]", "ALLOW"), codes.POLICY_PASSED_BY)
        self.check(HTTP + MESH + operation("notHosts: [a.example]", "ALLOW"), codes.POLICY_PASSED_BY, "a.example:*")

    def test_paths(self) -> None:
        """Once a folder it is told how paths can be made to be what backends take them for."""
        words = "DECODE_AND_MERGE_SLASHES"
        self.check(HTTP + operation("paths: [/a, /b]") + operation("paths: [/a]"), codes.POLICY_PASSED_BY, words)
        self.check(HTTP + operation("paths: [/a]", "ALLOW"), codes.POLICY_PASSED_BY)
        self.check(HTTP + operation("notPaths: [/a]", "ALLOW"), codes.POLICY_PASSED_BY, words)
        self.check(HTTP + operation("paths: ['*']"), codes.POLICY_PASSED_BY)
        self.check(HTTP + MESH + operation("paths: [/a]"), codes.POLICY_PASSED_BY)

    def test_ports(self) -> None:
        """A port is that of a server, in the files or as it is bound."""
        self.check(HTTP + operation("ports: ['80', '8080']"), codes.VALUE_NEVER_FITS)
        self.check(
            HTTP + operation("ports: ['81']"), codes.VALUE_NEVER_FITS, "no server that the policy is for has port 81"
        )
        secure = HTTP.replace("80 HTTP", "443 HTTP").replace("number: 80,", "number: 443,")
        self.check(secure + operation("ports: ['8443']"), codes.VALUE_NEVER_FITS, "write 443")
        when = policy("rules: [{when: [{key: destination.port, notValues: ['1']}]}]")
        self.check(HTTP + when, codes.VALUE_NEVER_FITS, "port 1")

    def test_errors(self) -> None:
        """What is an error is not warned of besides, nor what is said in a field that is misspelt."""
        self.check(HTTP + operation("ports: ['80-90']"), codes.VALUE_NEVER_FITS)
        self.check(HTTP + operation("prots: ['81']"), codes.VALUE_NEVER_FITS)
        self.check(HTTP + MESH + operation("host: [a.example]"), codes.POLICY_PASSED_BY)

    def test_connections(self) -> None:
        """A DENY rule that asks for requests alone closes what carries none."""
        words = "closes every connection to port 5432"
        for fields, told in (
            ("methods: [GET]", (words,)),
            ("methods: [GET], ports: ['80']", ()),
            ("notPaths: [/a]", (words,)),
        ):
            self.check(HTTP + TCP + operation(fields), codes.POLICY_CLOSES_CONNECTIONS, *told)
            self.check(HTTP + operation(fields), codes.POLICY_CLOSES_CONNECTIONS)
            self.check(HTTP + TCP + operation(fields, "ALLOW"), codes.POLICY_CLOSES_CONNECTIONS)
        self.check(HTTP + TCP + policy("action: DENY, rules: [{}]"), codes.POLICY_CLOSES_CONNECTIONS)
        when = "action: DENY, rules: [{when: [{key: 'request.headers[a]', values: [b]}]}]"
        self.check(HTTP + TCP + policy(when), codes.POLICY_CLOSES_CONNECTIONS, words)
