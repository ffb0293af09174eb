"""
Policies of authorization by who asks: tokens, client certificates and addresses, as Istio's tasks have them.

U{https://istio.io/latest/docs/tasks/security/authorization/authz-ingress/},
U{https://istio.io/latest/docs/tasks/security/authentication/authn-policy/#require-a-valid-token} and
U{https://istio.io/latest/docs/tasks/security/authorization/authz-jwt/}.
"""

from __future__ import annotations

import time
from string import Template

from edgegate.tls.authority import Authority, Issued
from tests.acceptance.served import Client, ServedTestCase
from tests.access.jwt.tokens import ISSUER, believed, curve, good, token

GATEWAY = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"]}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: ["*"]
    tls: {mode: OPTIONAL_MUTUAL, serverCertificate: srv.crt, privateKey: srv.key, caCertificates: ca.crt}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: istio-system}
spec:
  hosts: ["*"]
  gateways: [gw]
  http:
  - corsPolicy: {allowOrigins: [{exact: "https://a.example"}], allowMethods: [PUT]}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

POLICIES = Template("""\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: ingress-jwt, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  jwtRules: [{issuer: $issuer, jwks: '$keys'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: frontend-ingress, namespace: istio-system}
spec:
  selector: {matchLabels: {istio: ingressgateway}}
  action: DENY
  rules:
  - from: [{source: {notRequestPrincipals: ["*"]}}]
    to: [{operation: {paths: [/headers]}}]
  - from: [{source: {notPrincipals: ["*"]}}]
    to: [{operation: {paths: [/mutual]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: ingress-policy, namespace: istio-system}
spec:
  selector: {matchLabels: {app: istio-ingressgateway}}
  action: ALLOW
  rules:
  - to: [{operation: {paths: [/headers, /mutual]}}]
  - from: [{source: {remoteIpBlocks: [192.0.2.4, 198.51.100.0/24]}}]
    to: [{operation: {paths: [/client]}}]
  - from: [{source: {ipBlocks: [127.0.0.0/8]}}]
    to: [{operation: {paths: [/peer]}}]
  - from: [{source: {requestPrincipals: ["$issuer/alice@example.com"]}}]
    to: [{operation: {paths: [/token]}}]
    when: [{key: "request.auth.claims[groups]", values: [group1]}]
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {paths: ["/spiffe/{*}"]}}]
  - to: [{operation: {paths: [/named]}}]
    when: [{key: "request.headers[x-forwarded-client-cert]", values: ["*DNS=client.example"]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: sidecars, namespace: foo}
spec:
  selector: {matchLabels: {app: httpbin}}
  action: DENY
  rules: [{}]
""")

AUTHORITY = Authority.new("Clients")
SERVER = Authority.new("Servers").server(["shop.example"])
WEB = AUTHORITY.client("web", ["spiffe://cluster.local/ns/shop/sa/web"])
OTHER = AUTHORITY.client("cluster.local/ns/shop/sa/web", ["spiffe://cluster.local/ns/shop/sa/web2"])
PLAIN = AUTHORITY.client("client", ["client.example"])
FORGED = Authority.new("Clients").client("web", ["spiffe://cluster.local/ns/shop/sa/web"])


class IdentityTests(ServedTestCase):
    """A gateway behind one proxy, which ends mutual TLS as well."""

    opened = {"one": ""}
    dead = ("https",)
    options = ("--trusted-hops=1",)
    files = {
        "gateway.yaml": GATEWAY,
        "policies.yaml": POLICIES.substitute(issuer=ISSUER, keys=believed()),
        "srv.crt": SERVER.chain_pem.decode(),
        "srv.key": SERVER.key_pem.decode(),
        "ca.crt": AUTHORITY.own.chain_pem.decode(),
    }

    def where(self, target: str, *fields: tuple[str, str], method: str = "GET") -> str:
        """Return who answered, or the status of the gateway's own answer."""
        return self.ask(target, method=method, headers=fields).where

    def bearing(self, target: str, made: bytes) -> str:
        """Ask with a token."""
        return self.where(target, ("Authorization", f"Bearer {made.decode()}"))

    def showing(self, target: str, certificate: Issued | None, *fields: tuple[str, str]) -> str:
        """Ask over TLS, with a certificate."""
        path = None
        if certificate is not None:
            path = self.served.folder / f"{certificate.certificate.serial_number}.pem"
            path.write_bytes(certificate.chain_pem + certificate.key_pem)
        client = Client(self.served.ports["https"], "shop.example", path)
        self.addCleanup(client.close)
        return client.ask("GET", target, "shop.example", fields).where

    def test_tokens(self) -> None:
        """A token is required where a policy says so, and its claims where another does."""
        now = time.time()
        self.assertEqual(self.where("/headers"), "403")
        self.assertEqual(self.bearing("/headers", good(now)), "one")
        self.assertEqual(self.bearing("/headers", token({"iss": ISSUER, "sub": "a"}, curve("P-384"), "ES384")), "401")
        for groups, expected in ((["group1"], "one"), ("group1", "one"), (["group2"], "403"), (None, "403")):
            self.assertEqual(self.bearing("/token", good(now, groups=groups)), expected, groups)
        self.assertEqual(self.bearing("/token", good(now, groups=["group1"], sub="bob")), "403")

    def test_addresses(self) -> None:
        """The client is whom the trusted proxy names, the peer who has connected."""
        for told, expected in (
            ("192.0.2.4", "one"),
            ("198.51.100.77", "one"),
            ("203.0.113.9", "403"),
            ("192.0.2.4, 203.0.113.9", "403"),
            ("203.0.113.9, 192.0.2.4", "one"),
            ("127.0.0.1", "403"),
        ):
            self.assertEqual(self.where("/client", ("X-Forwarded-For", told)), expected, told)
        self.assertEqual(self.where("/peer", ("X-Forwarded-For", "192.0.2.4")), "one")

    def test_certificates(self) -> None:
        """Identities of SPIFFE are those of verified certificates alone."""
        named = ("X-Forwarded-Client-Cert", "URI=spiffe://cluster.local/ns/shop/sa/web;DNS=client.example")
        for target, certificate, expected in (
            ("/spiffe/a", WEB, "one"),
            ("/spiffe/a/b", WEB, "403"),
            ("/spiffe/a", OTHER, "403"),
            ("/spiffe/a", PLAIN, "403"),
            ("/spiffe/a", None, "403"),
            ("/mutual", PLAIN, "one"),
            ("/mutual", None, "403"),
            ("/named", PLAIN, "one"),
            ("/named", WEB, "403"),
            ("/named", None, "403"),
        ):
            self.assertEqual(self.showing(target, certificate, named), expected, (target, certificate))
        with self.assertRaises((OSError, AssertionError)):
            self.showing("/spiffe/a", FORGED)
        self.assertEqual(self.where("/spiffe/a", named), "403")

    def test_preflight(self) -> None:
        """A preflight request is judged as any other, before CORS."""
        fields = (("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT"))
        answer = self.ask("/spiffe/a", method="OPTIONS", headers=fields)
        self.assertEqual((answer.status, answer.values("access-control-allow-origin")), (403, []))
        answer = self.ask("/mutual", method="OPTIONS", headers=fields)
        self.assertEqual(answer.status, 403)
        answer = self.ask("/peer", method="OPTIONS", headers=fields)
        self.assertEqual((answer.status, answer.one("access-control-allow-origin")), (200, "https://a.example"))
