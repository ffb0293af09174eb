"""Tests of L{edgegate.access.authorization}: policies as users write them, and what becomes of requests."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.authorization import RuleSet
from edgegate.access.facts import Facts
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import TCPAddress
from edgegate.model.guards.authorization import Action, Attribute, Condition, Rule, Rules
from tests.access.asking import Asked, Connected, Judge, Port, asked, policy, with_claims

NONE = "rbac_access_denied_matched_policy[none]"
TRIED = ", annotations: {istio.io/dry-run: 'true'}"
MERGED = PathNormalisation.DECODE_AND_MERGE_SLASHES


def to(operation: str, action: str = "DENY") -> str:
    """Return the spec of a policy with one operation."""
    return f"action: {action}\nrules: [{{to: [{{operation: {{{operation}}}}}]}}]"


def when(key: str, values: str, action: str = "DENY") -> str:
    """Return the spec of a policy with one condition."""
    return f"action: {action}\nrules: [{{when: [{{key: '{key}', {values}}}]}}]"


class PolicyTestCase(SynchronousTestCase):
    """Asks policies."""

    def passes(self, judge: Judge, *requests: Asked) -> None:
        """Check that requests pass."""
        for each in requests:
            self.assertIsNone(judge.refused(each), each)

    def fails(self, judge: Judge, *requests: Asked) -> None:
        """Check that requests are refused."""
        for each in requests:
            self.assertIsNotNone(judge.refused(each), each)


class ActionTests(PolicyTestCase):
    """Actions, and rules that say nothing."""

    def test_none(self) -> None:
        """Without policies everybody passes."""
        self.passes(Judge(), asked())

    def test_nothing_allowed(self) -> None:
        """ALLOW without rules allows nothing, with an empty one everything."""
        self.assertEqual(Judge("").refused(asked()), NONE)
        self.passes(Judge("rules: [{}]"), asked())

    def test_all_denied(self) -> None:
        """DENY with an empty rule denies everything, in its name."""
        found = Judge("action: DENY\nrules: [{}]").refused(asked())
        self.assertEqual(found, "rbac_access_denied_matched_policy[ns[default]-policy[p0]-rule[0]]")

    def test_one_pool(self) -> None:
        """A rule of any ALLOW policy is enough."""
        judge = Judge("", to("paths: [/ok]", "ALLOW"))
        self.passes(judge, asked("/ok"))
        self.fails(judge, asked("/no"))

    def test_deny_first(self) -> None:
        """What is denied is not asked whether it is allowed."""
        judge = Judge("rules: [{}]", to("methods: [POST]"))
        self.fails(judge, asked(method=b"POST"))
        self.passes(judge, asked(method=b"GET"))

    def test_tried(self) -> None:
        """Dry runs and AUDIT refuse nobody, and start no default denial."""
        judge = Judge(
            policy("action: DENY\nrules: [{}]", "a", TRIED),
            policy(to("paths: [/x]", "ALLOW"), "b", TRIED),
            "action: AUDIT\nrules: [{}]",
        )
        self.passes(judge, asked())
        self.assertEqual([each.enforced for each in judge.guards], [True, False, False])

    def test_tried_beside(self) -> None:
        """Beside a dry run others count as ever."""
        judge = Judge(policy(to("paths: [/x]", "ALLOW"), "a", TRIED), policy(to("paths: [/y]", "ALLOW"), "b"))
        self.fails(judge, asked("/x"))
        self.passes(judge, asked("/y"))

    def test_order(self) -> None:
        """Of several rules that match, the first in the order of their names as text is told."""
        rules = ", ".join("{}" if at in (2, 10) else "{to: [{operation: {paths: [/never]}}]}" for at in range(12))
        found = Judge(f"action: DENY\nrules: [{rules}]").refused(asked())
        self.assertEqual(found, "rbac_access_denied_matched_policy[ns[default]-policy[p0]-rule[10]]")

    def test_and_or(self) -> None:
        """One of the sources, one of the operations, and all conditions; within each all fields."""
        judge = Judge(
            "rules:\n"
            "- from: [{source: {ipBlocks: [198.51.100.0/24]}}, {source: {ipBlocks: [192.0.2.0/24]}}]\n"
            "  to: [{operation: {methods: [GET], paths: ['/a*']}}]\n"
            "  when: [{key: 'request.headers[x-key]', values: [k]}]"
        )
        self.passes(judge, asked("/ab", "X-Key: k"))
        self.fails(judge, asked("/ab"), asked("/ab", "x-key: K"), asked("/b", "x-key: k"))
        elsewhere = Connected(peer=TCPAddress("203.0.113.1", 1))
        self.assertEqual(judge.refused(asked("/ab", "x-key: k"), elsewhere), NONE)

    def test_empty_lists(self) -> None:
        """Lists without items ask for nothing."""
        self.fails(Judge("action: DENY\nrules: [{from: [], to: [], when: []}]"), asked())


class OperationTests(PolicyTestCase):
    """Hosts, methods, ports."""

    def test_exact_host(self) -> None:
        """A host is compared whole, its port included, in any case."""
        judge = Judge(to("hosts: [App.example.com]"))
        self.fails(judge, asked(authority=b"app.example.com"), asked(authority=b"APP.Example.COM"))
        self.passes(judge, asked(authority=b"app.example.com:443"), asked(authority=b"app.example.org"))

    def test_final_dot(self) -> None:
        """A final dot, or another spelling of an address, leads to the same routes: so it is denied as well."""
        judge = Judge(to("hosts: [a.example, 'a.example:*', '*.b.example', '[::1]']"))
        for host in (b"a.example.", b"A.example.:80", b"x.b.example.", b"[0::1]"):
            self.fails(judge, asked(authority=host))
        self.passes(judge, asked(authority=b"a.example.org."), asked(authority=b"[::1]:80"))
        self.fails(Judge(to("hosts: [a.example]", "ALLOW")), asked(authority=b"a.example."))
        self.fails(Judge(to("notHosts: [a.example]", "ALLOW")), asked(authority=b"a.example."))
        self.passes(Judge(to("notHosts: [a.example.]", "ALLOW")), asked(authority=b"a.example"))
        self.fails(Judge(when("request.headers[host]", "values: [a.example]")), asked(authority=b"a.example."))

    def test_any_port(self) -> None:
        """Two forms hold for any port."""
        judge = Judge(to("hosts: [app.example.com, 'app.example.com:*']"))
        self.fails(judge, asked(authority=b"app.example.com:8443"), asked(authority=b"app.example.com"))
        self.passes(judge, asked(authority=b"app.example.community"))

    def test_suffix_host(self) -> None:
        """A suffix stands for names below, without ports."""
        judge = Judge(to("hosts: ['*.example.com']", "ALLOW"))
        self.passes(judge, asked(authority=b"a.b.example.com"))
        self.fails(judge, asked(authority=b"example.com"), asked(authority=b"a.example.com:443"))

    def test_no_host(self) -> None:
        """A request without a host has none that fits."""
        self.fails(Judge(to("hosts: ['*']", "ALLOW")), asked(authority=b""))
        self.fails(Judge(to("notHosts: [a.example]")), asked(authority=b""))

    def test_methods(self) -> None:
        """Methods are what they are, wildcards apart."""
        judge = Judge(to("methods: [get, 'P*']", "ALLOW"))
        self.fails(judge, asked(method=b"GET"))
        self.passes(judge, asked(method=b"PATCH"), asked(method=b"P"))

    def test_ports(self) -> None:
        """A port is that of the files, or the one that is bound."""
        judge = Judge(to("ports: ['80']"))
        for port, refused in ((Port(80), True), (Port(443), False), (Port(8080, TCPAddress("::", 80)), True)):
            self.assertEqual(judge.refused(asked(), Connected(port)) is not None, refused, port)
        judge = Judge(when("destination.port", "notValues: ['443']"))
        self.passes(judge, asked())
        self.assertIsNotNone(judge.refused(asked(), Connected(Port(80, TCPAddress("::", 8080)))))


class PathTests(PolicyTestCase):
    """Paths, as they are after normalisation."""

    def test_exact(self) -> None:
        """The query is left out, and nothing else."""
        judge = Judge(to("paths: [/admin]"))
        self.fails(judge, asked("/admin?x=1"), asked("/admin?"))
        self.passes(judge, *map(asked, ("/admin/", "/Admin", "/admin;a=b", "/x?/admin", "/adm")))

    def test_base(self) -> None:
        """What BASE brings together, and what it leaves apart."""
        judge = Judge(to("paths: [/admin, '/admin/*']"))
        self.fails(judge, *map(asked, ("/x/../admin", "/./admin", "/%61dmin", "/x\\..\\admin", "/%2e/admin")))
        self.fails(judge, *map(asked, ("/admin/x", "/x/..;a=b/admin", "/x/%2E%2e/admin", "/../admin")))
        self.passes(judge, *map(asked, ("/%2561dmin", "/x/..%2fadmin", "//admin", "/x%5c..%5cadmin")))

    def test_decoded(self) -> None:
        """DECODE_AND_MERGE_SLASHES brings more of them together."""
        judge = Judge(to("paths: ['/admin*']"))
        self.fails(judge, *(asked(each, paths=MERGED) for each in ("/x/..%2fadmin", "//admin", "/x%5c..%5cadmin")))
        self.passes(judge, asked("/%252fadmin", paths=MERGED))

    def test_none(self) -> None:
        """With NONE it is judged what was sent."""
        judge = Judge(to("paths: ['/admin*']"))
        self.passes(judge, asked("/x/../admin", paths=PathNormalisation.NONE))
        self.fails(judge, asked("/admin/../x", paths=PathNormalisation.NONE))

    def test_stars(self) -> None:
        """A star in the middle is a character, and of two the one in front is the wildcard."""
        judge = Judge(to("paths: ['/a/*/b', '*c*']"))
        self.passes(judge, asked("/a/x/b"), asked("/xcx"))
        self.fails(judge, Asked(path=b"/a/*/b"), Asked(path=b"/xc*"))

    def test_suffix(self) -> None:
        """A star in front stands for whatever comes before, and alone for any path."""
        judge = Judge(to("paths: ['*/secret']", "ALLOW"))
        self.passes(judge, asked("/secret"), asked("/a/b/secret"))
        self.fails(judge, asked("/secret/"), asked("/asecret"))
        self.passes(Judge(to("paths: ['*']", "ALLOW")), asked("/"), asked("/x"))

    def test_one_segment(self) -> None:
        """A template's C{*} stands for one segment."""
        judge = Judge(to("paths: ['/u/{*}/info']", "ALLOW"))
        self.passes(judge, asked("/u/7/info?x"), asked("/u/a=b;c/info"))
        self.fails(judge, *map(asked, ("/u/7/8/info", "/u//info", "/u/7/info/", "/x/u/7/info")))

    def test_rest(self) -> None:
        """C{**} stands for the rest, or a part of it."""
        judge = Judge(to("paths: ['/s/{**}', '/t/{**}/', '/{**}/end']", "ALLOW"))
        self.passes(judge, *map(asked, ("/s/", "/s/a/b", "/t/a/", "/t/a/b/", "/t//", "/a/b/end")))
        self.fails(judge, *map(asked, ("/s", "/t/a", "/t/", "/end")))

    def test_odd_characters(self) -> None:
        """What Envoy's operators do not know takes nobody out of DENY, and nobody into ALLOW."""
        for path in (b"/u/a|b/keys", b'/u/"/keys', b"/u/{a}/keys", b"/u/\xff/keys"):
            self.fails(Judge(to("paths: ['/u/{*}/keys']")), Asked(path=path))
            self.fails(Judge(to("paths: ['/u/{*}/keys']", "ALLOW")), Asked(path=path))
            self.fails(Judge(to("paths: ['/u/*'], notPaths: ['/u/{*}/keys']", "ALLOW")), Asked(path=path))
            self.fails(Judge(to("paths: ['/u/*'], notPaths: ['/u/{*}/keys']")), Asked(path=path))
        self.passes(Judge(to("paths: ['/u/{*}/keys']")), asked("/u/a/b/keys"))

    def test_escapes(self) -> None:
        """How an escape is spelt leads nobody past what denies a path, and nobody into what allows another spelling."""
        for value in ("/caf%C3%A9", "/caf%c3%a9", "/caf%C3%a9*", "*f%c3%A9", "/{*}%c3%A9".replace("{*}", "caf")):
            self.fails(Judge(to(f"paths: ['{value}']")), *map(asked, ("/caf%c3%a9", "/caf%C3%A9", "/caf%C3%a9")))
            self.passes(Judge(to(f"paths: ['{value}']")), asked("/caf%c3%aa"), asked("/CAF%C3%A9"))
            rest = f"paths: ['/*'], notPaths: ['{value}']"
            self.fails(Judge(to(rest, "ALLOW")), *map(asked, ("/caf%c3%a9", "/caf%C3%A9")))
        self.fails(Judge(to("paths: ['/a%7C/{*}']")), asked("/a%7c/x"), asked("/a|/x"))
        self.fails(Judge(to("paths: ['/caf%C3%A9']", "ALLOW")), asked("/caf%c3%a9"))
        rules = [Rule(f"r{at}", operations=((Condition(Attribute.PATH, (f"/p{at}%2F*",)),),)) for at in range(9)]
        found = RuleSet(Rules(Action.DENY, tuple(rules))).first(Facts(Connected(), Asked(path=b"/p7%2fx")))
        self.assertEqual(None if found is None else found.name, "r7")

    def test_but_not(self) -> None:
        """Both together: both must hold."""
        judge = Judge(to("paths: ['/api/*'], notPaths: [/api/internal, '/api/x/*']", "ALLOW"))
        self.passes(judge, asked("/api/a"))
        self.fails(judge, *map(asked, ("/api/internal", "/api/x/y", "/other")))


class SourceTests(PolicyTestCase):
    """Addresses and certificates."""

    def from_(self, source: str, action: str = "DENY") -> Judge:
        """Return a policy with one source."""
        return Judge(f"action: {action}\nrules: [{{from: [{{source: {{{source}}}}}]}}]")

    def judged(self, judge: Judge, peer: str, client: str = "") -> bool:
        """Whether a client passes."""
        connection = Connected(peer=TCPAddress(peer, 1))
        return judge.refused(asked(client_address=(client or peer).encode()), connection) is None

    def test_peer_and_client(self) -> None:
        """C{ipBlocks} are for the connection's other end, C{remoteIpBlocks} for whom trusted proxies name."""
        peer, client = self.from_("ipBlocks: [203.0.113.0/24]"), self.from_("remoteIpBlocks: [203.0.113.9]")
        self.assertTrue(self.judged(peer, "10.0.0.5", "203.0.113.9"))
        self.assertFalse(self.judged(client, "10.0.0.5", "203.0.113.9"))
        self.assertFalse(self.judged(peer, "203.0.113.7", "198.51.100.1"))
        self.assertTrue(self.judged(client, "10.0.0.5", "unknown"))

    def test_introduced(self) -> None:
        """Who is introduced by a PROXY header is the client, and who introduces it the other end."""
        connection = Connected(peer=TCPAddress("203.0.113.9", 1), introducer=TCPAddress("10.0.0.5", 1))
        request = asked(client_address=b"203.0.113.9")
        for source, passes in (
            ("ipBlocks: [203.0.113.9]", True),
            ("ipBlocks: [10.0.0.5]", False),
            ("remoteIpBlocks: [203.0.113.9]", False),
            ("remoteIpBlocks: [10.0.0.5]", True),
        ):
            for each in (request, None):
                self.assertEqual(self.from_(source).refused(each, connection) is None, passes, (source, each))

    def test_families(self) -> None:
        """All of IPv4 is not all; what is mapped into IPv6 is IPv4."""
        judge = self.from_("ipBlocks: [0.0.0.0/0]")
        self.assertFalse(self.judged(judge, "192.0.2.1"))
        self.assertTrue(self.judged(judge, "2001:db8::1"))
        self.assertFalse(self.judged(judge, "::ffff:192.0.2.1"))
        self.assertFalse(self.judged(self.from_("ipBlocks: ['fe80::/10']"), "fe80::1%eth0"))

    def test_but_not(self) -> None:
        """Blocks within blocks can be left out, and bits of hosts do not count."""
        judge = self.from_("ipBlocks: [10.1.2.3/8], notIpBlocks: [10.9.0.0/16]", "ALLOW")
        self.assertTrue(self.judged(judge, "10.1.1.1"))
        self.assertFalse(self.judged(judge, "10.9.1.1"))

    def with_names(self, judge: Judge, certificate: bytes) -> bool:
        """Whether a client with a certificate passes."""
        return judge.refused(asked(), Connected(client_certificate=certificate)) is None

    def test_certificate_required(self) -> None:
        """C{notPrincipals: *} denies who shows none."""
        judge = self.from_("notPrincipals: ['*']")
        self.fails(judge, asked())
        self.assertTrue(self.with_names(judge, b'Hash=00;Subject="CN=client";URI=;DNS=client.example.com'))

    def test_plain_names(self) -> None:
        """A certificate without a SPIFFE identity has no name that principals can spell."""
        judge = self.from_("principals: [client.example.com, '*client.example.com', CN=client]", "ALLOW")
        self.assertFalse(self.with_names(judge, b'Subject="CN=client";URI=;DNS=client.example.com'))

    def test_identities(self) -> None:
        """Principals, namespaces and service accounts are parts of a SPIFFE identity."""
        for source, good, bad in (
            (
                "principals: [cluster.local/ns/shop/sa/web]",
                "cluster.local/ns/shop/sa/web",
                "cluster.local/ns/shop/sa/w",
            ),
            ("principals: ['td/ns/*']", "td/ns/a/sa/b", "td2/ns/a/sa/b"),
            ("principals: ['*/sa/web']", "any/ns/a/sa/web", "any/ns/a/sa/web2"),
            ("namespaces: ['team-*']", "other/ns/team-a/sa/x", "other/ns/teams/sa/x"),
            ("namespaces: [a]", "t/ns/a/sa/x", "t/ns/ab/sa/x"),
            ("serviceAccounts: [ops/bot]", "t/ns/ops/sa/bot", "t/ns/ops/sa/bot2"),
            ("serviceAccounts: [bot]", "t/ns/default/sa/bot", "t/ns/ops/sa/bot"),
            ("trustDomains: [td]", "td/ns/a/sa/b", "td2/ns/a/sa/b"),
            ("trustDomains: ['*.corp']", "eu.corp/x", "corp.eu/x"),
        ):
            judge = self.from_(source, "ALLOW")
            self.assertTrue(self.with_names(judge, f"URI=spiffe://{good}".encode()), source)
            self.assertFalse(self.with_names(judge, f"URI=spiffe://{bad}".encode()), source)
            if not source.startswith("namespaces"):  # of these Istio asks for /ns/ alone
                self.assertFalse(self.with_names(judge, f"URI=https://{good}".encode()), source)

    def test_trust_domain_aliases(self) -> None:
        """C{cluster.local} stands for the mesh's own domain and its aliases."""
        mesh = (
            "---\napiVersion: mesh.istio.io/v1alpha1\nkind: MeshConfig\nmetadata: {name: m}\n"
            "spec: {trustDomain: corp, trustDomainAliases: [old]}\n"
        )
        spec = "rules: [{from: [{source: {principals: [cluster.local/ns/a/sa/b]}}]}]"
        for domain in ("cluster.local", "corp", "old"):
            self.assertTrue(self.with_names(Judge(spec, mesh=mesh), f"URI=spiffe://{domain}/ns/a/sa/b".encode()))
        self.assertFalse(self.with_names(Judge(spec, mesh=mesh), b"URI=spiffe://new/ns/a/sa/b"))


class ConditionTests(PolicyTestCase):
    """Headers, SNI, addresses and metadata."""

    def test_presence(self) -> None:
        """A header that is there, be it empty; one that is not there satisfies negations."""
        judge = Judge(when("request.headers[X-A]", "values: ['*']", "ALLOW"))
        self.passes(judge, asked("/", "x-a: "), asked("/", "x-a: 1"))
        self.fails(judge, asked())
        judge = Judge(when("request.headers[x-a]", "notValues: [bad]", "ALLOW"))
        self.passes(judge, asked(), asked("/", "x-a: worse"))
        self.fails(judge, asked("/", "x-a: bad"), asked("/", "x-a: good", "x-a: bad"))

    def test_each_alone(self) -> None:
        """Each field of one name counts by itself."""
        judge = Judge(when("request.headers[x-role]", "values: [root, 'su*']"))
        self.fails(judge, asked("/", "x-role: user", "x-role: root"), asked("/", "x-role: user", "x-role: sudo"))
        self.passes(judge, asked("/", "x-role: user,root"))

    def test_several(self) -> None:
        """Rules may ask for many headers."""
        conditions = ", ".join(f"{{key: 'request.headers[x-{at % 3}]', values: ['{at % 3}']}}" for at in range(6))
        judge = Judge(f"rules: [{{when: [{conditions}]}}]")
        self.passes(judge, asked("/", "x-0: 0", "x-1: no", "x-1: 1", "x-2: 2 "))
        self.fails(
            judge, asked("/", "x-0: 0", "x-1: 1"), asked("/", "x-1: 1", "x-2: 2"), asked("/", "x-0: 0", "x-2: 2")
        )

    def test_joined(self) -> None:
        """Fields that are one value are one to ALLOW; DENY looks at each as well."""
        twice = asked("/", "user-agent: a", "user-agent: bad")
        self.fails(Judge(when("request.headers[user-agent]", "values: [bad]")), twice)
        self.fails(Judge(when("request.headers[user-agent]", "values: ['a,bad']")), twice)
        self.fails(Judge(when("request.headers[user-agent]", "values: [a]", "ALLOW")), twice)
        self.passes(
            Judge(when("request.headers[cookie]", "values: ['*; b=2']", "ALLOW")),
            asked("/", "cookie: a=1", "cookie: b=2"),
        )

    def test_joined_empty(self) -> None:
        """Fields without a value add nothing."""
        twice = asked("/", "user-agent: ", "user-agent: a")
        self.passes(Judge(when("request.headers[user-agent]", "values: [a]", "ALLOW")), twice)
        self.passes(Judge(when("request.headers[user-agent]", "notValues: [a]")), twice)

    def test_request_line(self) -> None:
        """Parts of the request line are headers, too; the path has its query."""
        judge = Judge(when("request.headers[:path]", "values: ['*debug=1']"))
        self.fails(judge, asked("/x?debug=1"))
        self.passes(judge, asked("/x"))
        self.fails(Judge(when("request.headers[:method]", "values: [PUT]")), asked(method=b"PUT"))
        self.fails(Judge(when("request.headers[host]", "values: [app.example.com]")), asked())
        self.fails(Judge(when("request.headers[:authority]", "values: [app.example.com]")), asked())
        self.fails(Judge(when("request.headers[:scheme]", "values: [https]")), asked())

    def test_server_name(self) -> None:
        """Without TLS there is no SNI name."""
        judge = Judge(when("connection.sni", "notValues: ['*.example.com']"))
        self.passes(judge, asked())
        self.assertIsNotNone(judge.refused(asked(), Connected(server_name="")))

    def test_addresses(self) -> None:
        """Both ends of a connection can be asked for."""
        self.fails(Judge(when("destination.ip", "values: [198.51.100.0/24]")), asked())
        self.fails(Judge(when("source.ip", "values: [192.0.2.10]")), asked())
        self.passes(Judge(when("remote.ip", "notValues: [192.0.2.0/24]")), asked())

    def test_metadata(self) -> None:
        """What other filters have found out."""
        request = asked()
        request.metadata = {"envoy.filters.a.b": {"c": "exact", "d": ["x", "prefix-y"]}}
        self.fails(Judge(when("experimental.envoy.filters.a.b[c]", "values: [exact]")), request)
        self.fails(Judge(when("experimental.envoy.filters.a.b[d]", "values: ['[prefix-*]']")), request)
        self.passes(Judge(when("experimental.envoy.filters.a.b[d]", "values: ['prefix-*']")), request)
        self.passes(Judge(when("experimental.envoy.filters.a.b[c]", "values: ['*']")), asked())


class TokenTests(PolicyTestCase):
    """Verified tokens."""

    def bearing(self, target: str = "/") -> Asked:
        """Return a request with one."""
        return with_claims(
            asked(target),
            iss="https://idp.example",
            sub="alice@example.com",
            aud=["shop"],
            azp="app",
            groups=["staff", "admin"],
            scope=["read", "write"],
            level=5,
            admin=True,
            dept={"name": "it"},
        )

    def test_required(self) -> None:
        """C{notRequestPrincipals: *} denies who has none, or one without a subject."""
        judge = Judge(
            "action: DENY\nrules: [{from: [{source: {notRequestPrincipals: ['*']}}], "
            "to: [{operation: {notPaths: [/health]}}]}]"
        )
        self.fails(judge, asked(), with_claims(asked(), iss="https://idp.example"))
        self.passes(judge, asked("/health"), self.bearing())

    def test_principals(self) -> None:
        """They are split at their last slash."""
        for principal, fits in (
            ("https://idp.example/alice@example.com", True),
            ("https://idp.example/*", True),
            ("https://idp.example/ali*", True),
            ("https://idp*", False),
            ("*@example.com", True),
            ("https://idp.example", False),
            ("*/alice@example.com", True),
            ("*idp.example/alice@example.com", True),
            ("*/ali*", False),
            ("https:*", True),
            ("*", True),
            ("https://idp.example/bob", False),
        ):
            judge = Judge(f"rules: [{{from: [{{source: {{requestPrincipals: ['{principal}']}}}}]}}]")
            self.assertEqual(judge.refused(self.bearing()) is None, fits, principal)
            self.assertIsNotNone(judge.refused(asked()), principal)

    def test_claims(self) -> None:
        """A claim is a text or a list of texts."""
        for key, value, fits in (
            ("claims[groups]", "admin", True),
            ("claims[groups]", "adm*", True),
            ("claims[Groups]", "admin", False),
            ("claims[level]", "5", False),
            ("claims[admin]", "true", False),
            ("claims[scope]", "write", True),
            ("claims[scope]", "read write", False),
            ("claims[dept][name]", "i*", True),
            ("claims[dept]", "*", False),
            ("claims[none]", "*", False),
            ("audiences", "shop", True),
            ("presenter", "app", True),
            ("principal", "https://idp.example/*", True),
        ):
            judge = Judge(when(f"request.auth.{key}", f"values: ['{value}']", "ALLOW"))
            self.assertEqual(judge.refused(self.bearing()) is None, fits, (key, value))
            self.assertIsNotNone(judge.refused(asked()), key)
            judge = Judge(when(f"request.auth.{key}", f"notValues: ['{value}']", "ALLOW"))
            self.assertEqual(judge.refused(self.bearing()) is None, not fits, (key, value))
            self.assertIsNone(judge.refused(asked()), key)


class ConnectionTests(SynchronousTestCase):
    """Connections that carry no requests."""

    def judged(self, spec: str, port: int = 31400, peer: str = "192.0.2.10") -> bool:
        """Whether a connection passes."""
        connection = Connected(Port(port, TCPAddress("0.0.0.0", port)), TCPAddress(peer, 1))
        return Judge(spec).refused(None, connection) is None

    def test_deny(self) -> None:
        """Of DENY what only requests have is left out, so that it denies more."""
        self.assertFalse(self.judged(to("methods: [GET]")))
        spec = (
            "action: DENY\nrules:\n- to: [{operation: {methods: [GET], ports: ['443']}}]\n"
            "- from: [{source: {requestPrincipals: ['*'], ipBlocks: [198.51.100.0/24]}}]"
        )
        self.assertTrue(self.judged(spec))
        self.assertFalse(self.judged(spec, 443))
        self.assertFalse(self.judged(spec, peer="198.51.100.7"))
        self.assertFalse(self.judged(when("request.headers[x]", "notValues: [z]")))

    def test_allow(self) -> None:
        """A rule of ALLOW that asks for such is left out whole."""
        spec = "rules:\n- to: [{operation: {methods: [GET], ports: ['31400']}}]\n- to: [{operation: {ports: ['9000']}}]"
        self.assertFalse(self.judged(spec))
        self.assertTrue(self.judged(spec, 9000))
        self.assertFalse(self.judged(when("request.auth.claims[a]", "notValues: [b]", "ALLOW")))


ADDRESSES = ["10.0.0.1", "10.1.0.1", "192.0.2.1", "::1"]
PATHS = [b"/a", b"/ab", b"/b", b"/", b"/c", b"/abb", b"/a/b", b"/b/x/c"]
BLOCKS = some.lists(some.sampled_from([*ADDRESSES, "10.0.0.0/8", "::/0", "10.0.0.0/16"]), min_size=1, max_size=2)
CONDITIONS = some.one_of(
    some.builds(
        lambda values, negated: Condition(Attribute.PATH, tuple(values), negated),
        some.lists(
            some.sampled_from(["/a", "/a*", "/ab", "*b", "*", "/b*", "/{*}", "/", "/a/{**}", "/b/{*}/c"]),
            min_size=1,
            max_size=3,
        ),
        some.booleans(),
    ),
    some.builds(
        lambda attribute, values, negated: Condition(attribute, tuple(values), negated),
        some.sampled_from([Attribute.PEER, Attribute.CLIENT]),
        BLOCKS,
        some.booleans(),
    ),
)
PARTS = some.lists(some.lists(CONDITIONS, max_size=2).map(tuple), max_size=2).map(tuple)
RULES = some.builds(Rule, some.just(""), PARTS, PARTS, some.lists(CONDITIONS, max_size=1).map(tuple))


class IndexTests(SynchronousTestCase):
    """Many rules are found by their paths."""

    def test_many(self) -> None:
        """Exact paths, prefixes, and what has neither."""
        rules = [
            Rule(f"r{at:03}", operations=((Condition(Attribute.PATH, (f"/p{at}", f"/q{at}/*")),),)) for at in range(300)
        ]
        set_ = RuleSet(Rules(Action.DENY, (*rules, Rule("r999", conditions=(Condition(Attribute.METHOD, ("PUT",)),)))))
        for path, method, expected in (
            (b"/p7", b"GET", "r007"),
            (b"/q299/x", b"GET", "r299"),
            (b"/q299", b"GET", None),
            (b"/p70", b"PUT", "r070"),
            (b"/", b"PUT", "r999"),
            (b"", b"GET", None),
        ):
            found = set_.first(Facts(Connected(), Asked(method=method, path=path)))
            self.assertEqual(None if found is None else found.name, expected, path)

    @given(
        some.lists(RULES, max_size=12),
        some.sampled_from(PATHS),
        some.sampled_from(ADDRESSES),
        some.sampled_from(ADDRESSES),
    )
    def test_as_one_by_one(self, rules: list[Rule], path: bytes, peer: str, client: str) -> None:
        """The index never changes which rule is found."""
        made = tuple(replace(rule, name=f"r{at:02}") for at, rule in enumerate(rules))
        request = Asked(path=path, client_address=client.encode())
        facts = Facts(Connected(peer=TCPAddress(peer, 1)), request)
        one_by_one = [rule for rule in made if RuleSet(Rules(Action.DENY, (rule,))).first(facts) is not None]
        self.assertEqual(RuleSet(Rules(Action.DENY, made)).first(facts), one_by_one[0] if one_by_one else None)

    def test_many_addresses(self) -> None:
        """Many rules by address are found as well, whatever else they ask for."""
        rules = [
            Rule(
                f"r{at:03}",
                sources=((Condition(Attribute.PEER, (f"10.0.{at}.0/24",)), Condition(Attribute.METHOD, ("GET",))),),
            )
            for at in range(200)
        ]
        put = Rule(
            "r300", sources=((Condition(Attribute.METHOD, ("PUT",)),), (Condition(Attribute.PEER, ("10.9.9.9",)),))
        )
        set_ = RuleSet(Rules(Action.DENY, (*rules, put)))
        for peer, method, expected in (
            ("10.0.7.1", b"GET", "r007"),
            ("10.0.7.1", b"PUT", "r300"),
            ("10.9.9.9", b"GET", "r300"),
            ("192.0.2.1", b"GET", None),
            ("192.0.2.1", b"PUT", "r300"),
        ):
            found = set_.first(Facts(Connected(peer=TCPAddress(peer, 1)), Asked(method=method)))
            self.assertEqual(None if found is None else found.name, expected, (peer, method))
