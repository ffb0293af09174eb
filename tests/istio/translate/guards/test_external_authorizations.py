"""Tests for L{edgegate.istio.translate.guards.external_authorizations} and C{authorizers}: who is asked, and how."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.authorizers import Authorizer, BodyInCheck, HeaderNames, Protocol
from edgegate.model.guards.external_authorization import ExternalAuthorization
from edgegate.model.headers import Template
from edgegate.routing.snapshot import Snapshot
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service
from tests.istio.translate.guards.test_targets import standing

WEB = gateway("gw", "80 HTTP a.example", "8080 HTTP b.example")
ROUTES = virtual_service("vs", "a.example", f"http: [{route(name='one')}]")

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh, namespace: istio-system}
spec:
  extensionProviders:
  - name: %s
    %s
  - {name: log, envoyFileAccessLog: {}}
---
"""

HTTP = "envoyExtAuthzHttp: {service: auth.example, port: 8000, timeout: 1s%s}"


def entry(host: str = "auth.example", namespace: str = "auth", protocol: str = "HTTP") -> str:
    """Declare a service."""
    return f"""\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {{name: auth, namespace: {namespace}}}
spec:
  hosts: ["{host}"]
  resolution: STATIC
  ports: [{{number: 8000, name: p, protocol: {protocol}}}]
  endpoints: [{{address: 10.0.0.9}}]
---
"""


def custom(name: str = "ask", provider: str = "login", rules: str = "[{}]") -> str:
    """Declare a policy."""
    return f"""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {name}, namespace: istio-system}}
spec: {{action: CUSTOM, provider: {{name: {provider}}}, rules: {rules}}}
---
"""


class ExternalAuthorizationsTests(SynchronousTestCase):
    """Policies with the action CUSTOM."""

    def compiled(self, text: str) -> Snapshot:
        """Compile, with gateways and routes."""
        snapshot, problems = compiled(WEB + ROUTES + text)
        self.problems = [line for line in problems if " error: " in line]
        return snapshot

    def guards(self, text: str) -> list[ExternalAuthorization]:
        """Return what stands on port 80."""
        chain = listener(self.compiled(text), 80).plain
        assert chain is not None
        return [guard for guard in chain.guards if isinstance(guard, ExternalAuthorization)]

    def authorizer(self, said: str, *entries: str) -> Authorizer:
        """Return what a provider becomes."""
        (guard,) = self.guards(MESH % ("login", said) + "".join(entries or (entry(),)) + custom())
        self.assertEqual(self.problems, [])
        return guard.authorizer

    def errors(self, text: str, *words: str) -> None:
        """Check that these errors are told, and no others."""
        self.compiled(text)
        self.assertEqual(len(self.problems), len(words), self.problems)
        for line, word in zip(self.problems, words, strict=True):
            self.assertIn(word, line)

    def test_http(self) -> None:
        """All that the files say of a service that is asked over HTTP."""
        found = self.authorizer(
            """envoyExtAuthzHttp:
      service: auth/auth.example
      port: "8000"
      timeout: 2.5s
      pathPrefix: /check
      failOpen: true
      statusOnError: "503"
      clearRouteCache: true
      includeRequestHeadersInCheck: [Cookie, "X-A-*", "*-Id"]
      includeAdditionalHeadersInCheck: {X-Url: "%REQ(:PATH)%"}
      includeRequestBodyInCheck: {maxRequestBytes: 10, allowPartialMessage: true}
      headersToUpstreamOnAllow: [x-user]
      headersToDownstreamOnAllow: [set-cookie]
      headersToDownstreamOnDeny: [content-type]"""
        )
        self.assertEqual(
            found,
            Authorizer(
                "login",
                Protocol.HTTP,
                "outbound|8000||auth.example",
                timeout=2.5,
                fail_open=True,
                status_on_error=503,
                clears_route=True,
                body=BodyInCheck(10, partial=True),
                path_prefix=b"/check",
                sent=HeaderNames((b"cookie",), (b"x-a-",), (b"-id",)),
                added=((b"x-url", Template.parse("%REQ(:PATH)%")),),
                to_upstream=HeaderNames((b"x-user",)),
                to_client=HeaderNames((b"set-cookie",)),
                to_denied=HeaderNames((b"content-type",)),
            ),
        )
        assert found.origin is not None
        self.assertIn("in.yaml:", str(found.origin))

    def test_defaults(self) -> None:
        """What is not said is Istio's; a header list by its former name counts."""
        found = self.authorizer(
            "envoyExtAuthzHttp: {service: auth.example, port: 8000, includeHeadersInCheck: [cookie]}"
        )
        self.assertEqual((found.timeout, found.status_on_error, found.fail_open), (600.0, 403, False))
        self.assertTrue(found.sent.fit(b"cookie"))

    def test_grpc(self) -> None:
        """A service that is asked over gRPC."""
        found = self.authorizer(
            "envoyExtAuthzGrpc: {service: auth.example, port: 8000, timeout: 1s,"
            " includeRequestBodyInCheck: {maxRequestBytes: 5, packAsBytes: true}}",
            entry(protocol="GRPC"),
        )
        self.assertEqual((found.protocol, found.authority), (Protocol.GRPC, b"auth.example:8000"))
        self.assertEqual(found.body, BodyInCheck(5, packed=True))

    def test_cluster(self) -> None:
        """The service is a cluster, to which no route need lead, with what its DestinationRule says."""
        rule = """\
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: auth, namespace: istio-system}
spec: {host: auth.example, trafficPolicy: {connectionPool: {http: {http2MaxRequests: 7}}}}
---
"""
        snapshot = self.compiled(MESH % ("login", HTTP % "") + entry() + rule + custom())
        self.assertEqual(snapshot.clusters["outbound|8000||auth.example"].limits.requests, 7)

    def test_places(self) -> None:
        """One guard of a provider stands wherever its policies are for, and of several each."""
        mesh = MESH % ("b", HTTP % "")
        two = mesh.replace("  - {name: log", f"  - name: a\n    {HTTP % ''}\n  - {{name: log")
        text = two + entry() + custom("one", "b") + custom("two", "a") + custom("three", "b")
        names = ("istio-system/two", "istio-system/one, istio-system/three")
        snapshot = self.compiled(text)
        self.assertEqual(self.problems, [])
        self.assertEqual(standing(snapshot), dict.fromkeys(("80", "80 a.example", "8080"), names))
        rules = [[rule.name for rule in guard.rules.rules] for guard in self.guards(text)]
        self.assertEqual(rules[1], [f"ns[istio-system]-policy[{name}]-rule[0]" for name in ("one", "three")])

    def test_unknown_providers(self) -> None:
        """A provider that nobody declares, or that is none of these, is an error at each policy."""
        login = MESH % ("login", HTTP % "") + entry()
        for text, words in (
            (custom(), 'spec.provider.name: there is no provider "login": no MeshConfig is in the files'),
            (login + custom(provider="logn"), 'there is no provider "logn"; MeshConfig at in.yaml:'),
            (login + custom(provider="logn"), 'declares login; did you mean "login"?'),
            (login + custom(provider="log"), 'provider "log" is none that is asked who may pass'),
        ):
            self.errors(text, words)
        empty = "apiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: m}\nspec: {}\n---\n"
        self.errors(empty + custom(), 'there is no provider "login": MeshConfig at in.yaml:')

    def test_unknown_services(self) -> None:
        """A service that nobody declares, or not so, is an error at the provider, once."""
        mesh = MESH % ("login", HTTP % "")
        policies = custom("one") + custom("two")
        for text, words in (
            (mesh, 'envoyExtAuthzHttp.service: no document declares "auth.example": add a ServiceEntry'),
            (mesh + entry("auht.example"), 'did you mean "auht.example"?'),
            (mesh + entry("*.example"), '"auth.example" is covered by "*.example", which stands for many hosts'),
            (mesh.replace("8000", "8001") + entry(), "has no port 8001; it has 8000"),
            (mesh.replace("auth.example", "other/auth.example") + entry(), 'in namespace "other"'),
            (mesh + entry() + entry(namespace="b"), "say which, one of auth/auth.example, b/auth.example"),
        ):
            self.errors(text + policies, words)
        named = mesh.replace("auth.example", "b/auth.example") + entry() + entry(namespace="b")
        self.errors(named + policies)

    def test_bad_provider(self) -> None:
        """What is wrong with a provider itself is told there alone, and keeps the files from being served."""
        for said in (", port: 0", ", includeAdditionalHeadersInCheck: {x: '%NO%'}"):
            mesh = MESH % ("login", (HTTP % said).replace("port: 8000, ", "" if "port" in said else "port: 8000, "))
            self.errors(mesh + entry() + custom(), "envoyExtAuthzHttp")

    def test_unused(self) -> None:
        """A provider that no policy names need not be anywhere."""
        self.errors(MESH % ("login", HTTP % ""))

    def test_without_endpoints(self) -> None:
        """A service without endpoints is warned of."""
        text = MESH % ("login", HTTP % "") + entry().replace("[{address: 10.0.0.9}]", "[]") + custom()
        _, problems = compiled(WEB + ROUTES + text)
        self.assertTrue([line for line in problems if "endpoint" in line], problems)

    def test_login_behind_itself(self) -> None:
        """A login that is asked about itself is warned of, where the rule leaves nothing out."""
        there = virtual_service("login", "login.example", f"http: [{route('auth.example', 8000)}]")
        for rules, warned in (("[{}]", True), ('[{to: [{operation: {notPaths: ["/l*"]}}]}]', False)):
            text = MESH % ("login", HTTP % "") + entry() + custom(rules=rules)
            for services in (ROUTES, ROUTES + there):
                _, problems = compiled(WEB + services + text)
                found = [line for line in problems if "nobody can log in" in line]
                self.assertEqual(len(found), int(warned and services != ROUTES), problems)
