"""
A rule with every field that there is: each of them counts (Istio's C{authz/builder/testdata/http/allow-full-rule}).
"""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from tests.access.asking import Asked, Connected, Judge, Port

RULE = """\
action: {action}
rules:
- from:
  - source:
      principals: [td/ns/shop/sa/web, "td/ns/other-*", "*-suffix"]
      requestPrincipals: ["https://idp.example/*", "*@b.example"]
      namespaces: [shop, "pre-*"]
      trustDomains: [td]
      ipBlocks: [10.1.2.3, 10.2.0.0/16]
      remoteIpBlocks: [192.0.2.0/24]
      notPrincipals: ["*/sa/bad"]
      notRequestPrincipals: ["https://idp.example/mallory"]
      notNamespaces: [evil]
      notTrustDomains: [other]
      notIpBlocks: [10.2.9.0/24]
      notRemoteIpBlocks: [192.0.2.66]
  - source: {{serviceAccounts: [ops/bot, own], notServiceAccounts: [ops/botnet]}}
  to:
  - operation:
      hosts: [shop.example, "*.shop.example", "pre.*"]
      ports: ["443"]
      methods: [GET, "PRE*", "*FIX"]
      paths: [/exact, "/prefix/*", "*/suffix", "/t/{{*}}", "/{{**}}/end"]
      notHosts: [no.shop.example]
      notPorts: ["8443"]
      notMethods: [PREVENT]
      notPaths: [/prefix/not, "/t/{{*}}/x"]
  - operation: {{methods: [OTHER]}}
  when:
  - {{key: "request.headers[X-Header]", values: [header, "pre-*", "*-suf"], notValues: [pre-not]}}
  - {{key: source.ip, values: [10.0.0.0/8], notValues: [10.2.3.3]}}
  - {{key: remote.ip, values: [192.0.2.0/24], notValues: [192.0.2.67]}}
  - {{key: source.namespace, values: ["*"], notValues: [sly]}}
  - {{key: source.principal, values: ["td/*"], notValues: [td/ns/shop/sa/no]}}
  - {{key: source.trustDomain, values: ["t*"]}}
  - {{key: request.auth.principal, values: ["*"], notValues: ["https://idp.example/eve"]}}
  - {{key: request.auth.audiences, values: [shop, "pre-*"], notValues: [spy]}}
  - {{key: request.auth.presenter, values: [app], notValues: [tool]}}
  - {{key: "request.auth.claims[iss]", values: ["https://idp.example"]}}
  - {{key: "request.auth.claims[a][b]", values: [nested, "pre-*"], notValues: [pre-not]}}
  - {{key: destination.ip, values: [198.51.100.0/24], notValues: [198.51.100.9]}}
  - {{key: destination.port, values: ["443", "444"], notValues: ["445"]}}
  - {{key: connection.sni, values: ["*.example"], notValues: [no.example]}}
  - {{key: "experimental.envoy.filters.a.b[c]", values: [exact, "pre-*"], notValues: [pre-not]}}
"""

JWT = "envoy.filters.http.jwt_authn"
CLAIMS: dict[str, object] = {
    "iss": "https://idp.example",
    "sub": "alice",
    "aud": ["shop"],
    "azp": "app",
    "a": {"b": ["nested"]},
}
REQUEST = Asked(
    authority=b"shop.example",
    path=b"/exact",
    headers=[(b"x-header", b"header")],
    client_address=b"192.0.2.10",
    metadata={JWT: {"payload": CLAIMS}, "envoy.filters.a.b": {"c": "exact"}},
)
CONNECTION = Connected(
    Port(443, TCPAddress("0.0.0.0", 443)),
    TCPAddress("10.1.2.3", 1),
    local=TCPAddress("198.51.100.1", 443),
    server_name="shop.example",
    client_certificate=b"URI=spiffe://td/ns/shop/sa/web",
)


def bearing(**claims: object) -> Asked:
    """Return the request with other claims."""
    return replace(REQUEST, metadata={**(REQUEST.metadata or {}), JWT: {"payload": {**CLAIMS, **claims}}})


def named(uri: str) -> Connected:
    """Return the connection with another identity."""
    return replace(CONNECTION, client_certificate=f"URI=spiffe://{uri}".encode())


MATCHING = (
    (REQUEST, CONNECTION),
    (replace(REQUEST, method=b"PREFIX"), CONNECTION),
    (replace(REQUEST, method=b"OTHER", path=b"/anything", authority=b"else.example"), CONNECTION),
    (replace(REQUEST, authority=b"a.shop.example"), CONNECTION),
    (replace(REQUEST, authority=b"pre.fix:80"), CONNECTION),
    *((replace(REQUEST, path=path), CONNECTION) for path in (b"/prefix/a", b"/a/suffix", b"/t/1", b"/a/b/end")),
    (replace(REQUEST, headers=[(b"x-header", b"pre-a")]), CONNECTION),
    (replace(REQUEST, headers=[(b"x-header", b"no"), (b"x-header", b"a-suf")]), CONNECTION),
    (bearing(sub="bob@b.example"), CONNECTION),
    (bearing(aud="pre-x"), CONNECTION),
    (bearing(a={"b": "pre-x"}), CONNECTION),
    (REQUEST, replace(CONNECTION, peer=TCPAddress("10.2.3.4", 1))),
    (REQUEST, named("td/ns/pre-x/sa/a-suffix")),
    (REQUEST, named("td/ns/ops/sa/bot")),
    (REQUEST, named("td/ns/default/x/sa/own/y")),
)

OTHER = (
    *((replace(REQUEST, method=method), CONNECTION) for method in (b"get", b"POST", b"PREVENT")),
    *(
        (replace(REQUEST, path=path), CONNECTION)
        for path in (b"/exact/", b"/prefix/not", b"/t/", b"/t/1/2", b"/end", b"")
    ),
    *(
        (replace(REQUEST, authority=host), CONNECTION)
        for host in (b"shop.example:443", b"no.shop.example", b"x.example")
    ),
    *((replace(REQUEST, headers=[(b"x-header", value)]), CONNECTION) for value in (b"", b"headers", b"pre-not")),
    (replace(REQUEST, headers=[]), CONNECTION),
    (replace(REQUEST, headers=[(b"x-header", b"header"), (b"x-header", b"pre-not")]), CONNECTION),
    *(
        (replace(REQUEST, client_address=each), CONNECTION)
        for each in (b"192.0.3.1", b"192.0.2.66", b"192.0.2.67", b"-")
    ),
    (replace(REQUEST, metadata=None), CONNECTION),
    *(
        (bearing(**claims), CONNECTION)
        for claims in (
            {"iss": "https://else.example"},
            {"sub": "mallory"},
            {"sub": "eve"},
            {"sub": ""},
            {"sub": 5},
            {"aud": []},
            {"aud": ["shop", "spy"]},
            {"azp": None},
            {"azp": "tool"},
            {"a": "nested"},
            {"a": {"b": {"c": "nested"}}},
            {"a": {"b": ["nested", "pre-not"]}},
            {"a": {}},
        )
    ),
    (replace(REQUEST, metadata={JWT: {"payload": CLAIMS}, "envoy.filters.a.b": {"c": "pre-not"}}), CONNECTION),
    (replace(REQUEST, metadata={JWT: {"payload": CLAIMS}}), CONNECTION),
    *((REQUEST, replace(CONNECTION, peer=TCPAddress(host, 1))) for host in ("10.1.2.4", "10.2.9.1", "10.2.3.3", "::1")),
    *((REQUEST, replace(CONNECTION, local=TCPAddress(host, 443))) for host in ("198.51.101.1", "198.51.100.9")),
    *((REQUEST, replace(CONNECTION, server_name=name)) for name in ("", "no.example", "example")),
    *((REQUEST, replace(CONNECTION, listener=Port(port, TCPAddress("::", port)))) for port in (444, 8443, 80)),
    (REQUEST, replace(CONNECTION, client_certificate=b"")),
    *(
        (REQUEST, named(uri))
        for uri in (
            "td2/ns/shop/sa/web",
            "td/ns/shop/sa/bad",
            "td/ns/shop/sa/no",
            "td/ns/evil/sa/a-suffix",
            "td/ns/sly/sa/a-suffix",
            "td/ns/ops/sa/bots",
            "other/ns/shop/sa/web",
            "td/ns/ops/sa/botnet",
            "td/ns/shop/sa/web2",
        )
    ),
)


class FullRuleTests(SynchronousTestCase):
    """Every field, with values of every form, and its negation."""

    def test_matching(self) -> None:
        """What fits in all of them is allowed, or denied."""
        allow, deny = Judge(RULE.format(action="ALLOW")), Judge(RULE.format(action="DENY"))
        for request, connection in MATCHING:
            self.assertIsNone(allow.refused(request, connection), (request, connection))
            self.assertIsNotNone(deny.refused(request, connection), (request, connection))

    def test_other(self) -> None:
        """What misses one of them is not."""
        allow, deny = Judge(RULE.format(action="ALLOW")), Judge(RULE.format(action="DENY"))
        for request, connection in OTHER:
            self.assertIsNotNone(allow.refused(request, connection), (request, connection))
            self.assertIsNone(deny.refused(request, connection), (request, connection))
