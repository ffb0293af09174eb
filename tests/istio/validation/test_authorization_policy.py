"""Tests of L{edgegate.istio.validation.authorization_policy}."""

from __future__ import annotations

from tests.config.reading import told
from tests.istio.validation.cases import CasesTestCase

KIND = "AuthorizationPolicy"


def to(operation: str) -> str:
    """Return a spec with one operation."""
    return f"rules: [{{to: [{{operation: {{{operation}}}}}]}}]"


def from_(source: str, more: str = "") -> str:
    """Return a spec with one source."""
    return f"rules: [{{from: [{{source: {{{source}}}}}]}}]{more}"


def when(condition: str) -> str:
    """Return a spec with one condition."""
    return f"rules: [{{when: [{{{condition}}}]}}]"


CUSTOM = "\naction: CUSTOM\nprovider: {name: a}"


class AuthorizationPolicyTests(CasesTestCase):
    """An AuthorizationPolicy by itself."""

    def test_actions(self) -> None:
        """DENY and CUSTOM need rules, CUSTOM a provider, and others have none."""
        self.check(
            KIND,
            [
                ("action: ALLOW", ""),
                ("{}", ""),
                ("action: DENY", "DENY without rules matches nothing"),
                ("action: DENY\nrules: []", "DENY without rules matches nothing"),
                ("action: DENY\nrules: [{}]", ""),
                ("action: CUSTOM\nprovider: {name: a}", "CUSTOM without rules"),
                ("action: CUSTOM\nrules: [{}]", "spec.provider.name: missing"),
                ("action: CUSTOM\nrules: [{}]\nprovider: {}", "spec.provider.name: missing"),
                ("action: CUSTOM\nrules: [{}]\nprovider: {name: a}", ""),
                ("provider: {name: a}", "only CUSTOM asks a provider"),
                ("action: BLOCK\nrules: [{}]", "BLOCK"),
            ],
        )

    def test_targets(self) -> None:
        """Workloads are chosen in one way, by labels in full."""
        gateway = "{kind: Gateway, group: gateway.networking.k8s.io, name: g}"
        self.check(
            KIND,
            [
                (f"targetRefs: [{gateway}]", ""),
                (f"targetRef: {gateway}\nselector: {{matchLabels: {{a: b}}}}", "only one of"),
                (f"targetRef: {gateway}\ntargetRefs: [{gateway}]", "only one of"),
                ("targetRefs: [{kind: Gateway, group: networking.istio.io, name: g}]", "use a selector"),
                ("targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: ''}]", "name: missing"),
                ("selector: {matchLabels: {app: 'a*'}}", "selects nothing"),
            ],
        )
        self.check(KIND, [("selector: {matchLabels: {}}", "selects every workload: it has no labels")], "warning")

    def test_empty(self) -> None:
        """What is there says something."""
        self.check(
            KIND,
            [
                ("rules: [{from: [{}]}]", "has no source"),
                ("rules: [{from: [{source: {}}]}]", "has no fields"),
                ("rules: [{to: [{}]}]", "has no operation"),
                ("rules: [{to: [{operation: {}}]}]", "has no fields"),
                ("rules: [{to: [{operation: {paths: []}}]}]", "has no fields"),
                ("rules: [null]", "null"),
                ("rules: [{from: [null]}]", "null"),
                (to("paths: [/a, '']"), "paths[1]: is empty"),
                (when("key: source.ip"), "neither values nor notValues"),
                (when("values: [a]"), "key: missing"),
                (when("key: 'request.headers[a]', notValues: ['']"), "notValues[0]: is empty"),
                ("rules: [{}]", ""),
                ("rules: [{from: [], to: [], when: []}]", ""),
            ],
        )

    def test_values(self) -> None:
        """Addresses, ports, templates and accounts are some."""
        self.check(
            KIND,
            [
                (from_("ipBlocks: [10.0.0.0/8, '::1', 192.0.2.1]"), ""),
                (from_("ipBlocks: [10.0.0.0/33]"), "neither an IP address nor a CIDR block"),
                (from_("notRemoteIpBlocks: [example.com]"), "neither an IP address nor a CIDR block"),
                (when("key: remote.ip, values: [a]"), "neither an IP address nor a CIDR block"),
                (to("ports: ['0', '65535']"), ""),
                (to("ports: ['65536']"), "is no port"),
                (to("ports: ['80-90']"), "is no port"),
                (to("notPorts: [http]"), "is no port"),
                (when("key: destination.port, values: ['-1']"), "is no port"),
                (to("ports: ['999999999999999999999999']"), "is no port"),
                (to("paths: ['/a/{*}/b/{**}', '/{**}', '/a/{*}']"), ""),
                (to("paths: ['/{a}/{*}']"), "braces"),
                (to("paths: ['/{*}.txt']"), "whole segments"),
                (to("paths: ['/a*/{*}']"), "no wildcard"),
                (to("notPaths: ['/{**}/{*}']"), "nothing but text"),
                (to("paths: ['a/{*}']"), "begins with /"),
                (from_("serviceAccounts: [a, b/c]"), ""),
                (from_("serviceAccounts: ['a*']"), "have no wildcards"),
                (from_("serviceAccounts: [a/b/c]"), "is no service account"),
                (from_(f"serviceAccounts: [{', '.join([f'a{at}' for at in range(17)])}]"), "16 at most"),
                (from_("serviceAccounts: [a], namespaces: [b]"), "neither principals nor namespaces"),
                (from_("trustDomains: [a/b]"), "it has a slash"),
                (from_("trustDomains: ['a*b']"), "in front or behind"),
            ],
        )

    def test_keys(self) -> None:
        """Keys ask for something that there is."""
        values = "values: [a]"
        self.check(
            KIND,
            [
                (when(f"key: 'request.headers[x-a]', {values}"), ""),
                (when(f"key: 'request.headers[:path]', {values}"), ""),
                (when(f"key: 'request.headers[]', {values}"), "names no header"),
                (when(f"key: request.headers, {values}"), "names no header"),
                (when(f"key: 'request.headers[a b]', {values}"), "names no header"),
                (when(f"key: 'request.auth.claims[a][b]', {values}"), ""),
                (when(f"key: 'request.auth.claims', {values}"), "names no claim"),
                (when(f"key: 'request.auth.claims[a]b', {values}"), "names no claim"),
                (when(f"key: 'experimental.envoy.filters.a.b[c]', {values}"), ""),
                (when(f"key: 'experimental.envoy.filters.a.b', {values}"), "names no metadata"),
                (when(f"key: 'destination.labels[a]', {values}"), "not a condition any more"),
                (when(f"key: destination.user, {values}"), "not a condition any more"),
                (when(f"key: source.principle, {values}"), 'did you mean "source.principal"'),
                (when("key: source.serviceAccount, values: [a/b]"), ""),
                (when("key: source.trustDomain, values: [td]"), ""),
            ],
        )

    def test_custom(self) -> None:
        """Who is asked before tokens are verified can't be chosen by them."""
        self.check(
            KIND,
            [
                (from_("ipBlocks: [10.0.0.1]", CUSTOM), ""),
                (from_("principals: [a/b]", CUSTOM), "CUSTOM can't ask for it"),
                (from_("notRequestPrincipals: ['*']", CUSTOM), "CUSTOM can't ask for it"),
                (from_("serviceAccounts: [a]", CUSTOM), "CUSTOM can't ask for it"),
                (when("key: request.auth.audiences, values: [a]") + CUSTOM, "CUSTOM can't ask for it"),
                (when("key: source.namespace, notValues: [a]") + CUSTOM, "CUSTOM can't ask for it"),
            ],
        )

    def test_most(self) -> None:
        """A policy has so many rules, and a rule so many sources."""
        self.check(
            KIND, [(f"rules: [{', '.join(['{}'] * 513)}]", "512 at most"), (f"rules: [{', '.join(['{}'] * 512)}]", "")]
        )
        sources = ", ".join(["{source: {ipBlocks: [10.0.0.1]}}"] * 513)
        self.check(KIND, [(f"rules: [{{from: [{sources}]}}]", "512 at most")])

    def test_dry_run(self) -> None:
        """ALLOW and DENY can be tried, as a boolean says."""
        for value, action, words in (
            ("'true'", "DENY", ""),
            ("'False'", "DENY", ""),
            ("'yes'", "DENY", "neither"),
            ("true", "DENY", "neither"),
            ("[a, b]", "DENY", "neither"),
            ("'true'", "AUDIT", "only ALLOW and DENY can be tried"),
        ):
            text = (
                "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
                f"metadata: {{name: a, annotations: {{istio.io/dry-run: {value}}}}}\n"
                f"spec: {{action: {action}, rules: [{{}}]}}\n"
            )
            found = told(text)
            self.assertEqual(bool(found), bool(words), text)
            self.assertIn(words, "".join(found))

    def test_never_fitting(self) -> None:
        """A value that no request has is warned of."""
        self.check(
            KIND,
            [
                (to("paths: ['/a?b=c']"), "without query and fragment"),
                (to("paths: ['/a#b']"), "without query and fragment"),
                (to("paths: ['/a/*/b']"), "a segment is {*}"),
                (to("paths: [admin]"), "paths begin with /"),
                (to("paths: ['/a b']"), "spelt otherwise"),
                (to("paths: ['/%61dmin']"), "spelt otherwise"),
                (to("paths: ['/a', '/a*', '*/b', '*', '/%2Fa', '/a;b']"), ""),
                (to("hosts: ['https://a.example']"), "a host is a name"),
                (to("hosts: ['a.*.example']"), "is a character"),
                (to("methods: ['G*T']"), "is a character"),
                (to("methods: [get]"), 'write "GET"'),
                (to("methods: ['*', 'GET', 'P*']"), ""),
                (to("hosts: ['bücher.example']"), "in ASCII"),
                (to("hosts: ['A.example', 'a.example:*']"), ""),
                (when("key: connection.sni, values: [A.example]"), "in lower case"),
                (when("key: connection.sni, values: ['*.example']"), ""),
                (when("key: 'request.headers[:foo]', values: [a]"), "is in no request"),
                (when("key: 'request.headers[:Path]', values: [/a]"), ""),
                (from_("principals: [spiffe://td/ns/a/sa/b]"), "leave spiffe:// out"),
                (from_("principals: [client.example.com]"), "x-forwarded-client-cert"),
                (from_("principals: ['*.example.com']"), "x-forwarded-client-cert"),
                (from_("principals: [CN=client]"), "not with subjects"),
                (from_("principals: ['*', 'td/ns/a/sa/b', '*/sa/b']"), ""),
                (from_("requestPrincipals: ['https://idp*']"), "write https://ISSUER/*"),
                (from_("requestPrincipals: ['alice']"), "write ISSUER/SUBJECT"),
                (from_("requestPrincipals: ['https://idp/*', '*', '*@example.com', 'a/b']"), ""),
            ],
            "warning",
        )
