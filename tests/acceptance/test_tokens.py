"""Istio's C{RequestAuthentication}, through the real gateway: tokens that pass, and all that must not."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from string import Template
from typing import ClassVar

from tests.acceptance.manifests import EVERY_HOST, GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Answer, ServedTestCase
from tests.access.jwt.tokens import (
    ISSUER,
    believed,
    claims,
    crafted,
    curve,
    good,
    key_set,
    public,
    rsa,
    secret,
    token,
    twin,
)

ROUTE = (
    GATEWAY
    + EVERY_HOST
    + """\
  - match: [{uri: {prefix: /admin}, headers: {"@request.auth.claims.groups": {exact: admin}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - match: [{uri: {prefix: /admin}, withoutHeaders: {"@request.auth.claims[sub]": {prefix: alice}}}]
    directResponse: {status: 404}
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""
)

POLICIES = Template("""\
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: istio-system}
spec:
  jwtRules:
  - issuer: $issuer
    audiences: ["https://shop/"]
    jwks: '$believed'
    outputPayloadToHeader: x-payload
    outputClaimToHeaders:
    - {header: x-user, claim: sub}
    - {header: X-Dept, claim: dept.name}
    - {header: x-level, claim: level}
    - {header: x-groups, claim: groups}
    - {header: x-note, claim: note}
    - {header: X-Forwarded-User, claim: sub}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: zeta, namespace: istio-system}
spec:
  jwtRules:
  - issuer: https://zeta.example
    jwks: '$zeta'
    fromHeaders: [{name: x-z, prefix: "T "}]
    fromParams: [z]
    fromCookies: [sid]
    outputPayloadToHeader: x-zeta
    forwardOriginalToken: true
""").substitute(issuer=ISSUER, believed=believed(), zeta=key_set(public(secret())))


def bearer(token: bytes) -> tuple[str, str]:
    """Return the field that a token stands in."""
    return "Authorization", f"Bearer {token.decode('latin-1')}"


class TokenTests(ServedTestCase):
    """Two issuers, with keys in the files."""

    files = {"gateway.yaml": ROUTE, "tokens.yaml": POLICIES}

    def zeta(self, **more: object) -> str:
        """Return a token of the second issuer."""
        said = claims(time.time(), iss="https://zeta.example", **more)
        return token(said, secret(), "HS256").decode()

    def refused(self, answer: Answer, body: str, status: int = 401) -> None:
        """Check that an answer refuses a token, with a reason."""
        self.assertEqual((answer.status, answer.body.decode()), (status, body))
        self.assertIn('error="invalid_token"', answer.one("www-authenticate"))

    def test_crafted(self) -> None:
        """No token passes that was crafted to; the next request on the connection is answered as ever."""
        now = time.time()
        client = self.client()
        passed, tried = [], 0
        for name, made, reason in crafted(now):
            if len(made) > 50_000:
                answer = self.ask(headers=[bearer(made)])
                self.assertEqual(answer.status, 431, name)
                continue
            tried += 1
            answer = client.ask("GET", "/", "a.example", [bearer(made)])
            if (answer.status, answer.body.decode()) != (403 if "Audiences" in reason else 401, reason):
                passed.append((name, answer.status, answer.body))
        self.assertEqual(passed, [])
        self.assertGreater(tried, 100)
        self.assertEqual(client.ask("GET", "/", "a.example", [bearer(good(now))]).status, 200)
        self.assertEqual(self.backends.seen["one"][:-1], [])

    def test_good(self) -> None:
        """A good token passes; the backend learns who asks, does not get it, and nobody can say that in its place."""
        forged = [
            ("x-user", "root"),
            ("x-forwarded-user", "root"),
            ("X_User", "root"),
            ("x-payload", "e30"),
            ("x-zeta", "e30"),
            ("x-level", "9"),
        ]
        made = good(time.time(), dept={"name": "it"}, level=5, groups=["staff"], note="a\r\nx-user: root")
        answer = self.ask("/a?b=c&d", headers=[bearer(made), *forged])
        self.assertEqual(answer.where, "one")
        self.assertEqual(answer.told("authorization"), [])
        self.assertEqual(answer.told("x-user"), ["alice@example.com"])
        self.assertEqual(answer.told("x_user"), [])
        self.assertEqual(answer.told("x-forwarded-user"), ["alice@example.com"])
        self.assertEqual(answer.told("x-dept"), ["it"])
        self.assertEqual(answer.told("x-level"), ["5"])
        self.assertEqual(answer.told("x-groups"), ["WyJzdGFmZiJd"])
        self.assertEqual(answer.told("x-note"), [])
        self.assertEqual(answer.told("x-payload"), [made.split(b".")[1].decode()])
        self.assertEqual(answer.told("x-zeta"), [])
        self.assertEqual(answer.echo["target"], "/a?b=c&d")

    def test_again(self) -> None:
        """The same request again on one connection is the same to the backend."""
        client, made = self.client(), bearer(good(time.time()))
        answers = [client.ask("GET", "/", "a.example", [made, ("x-user", "root")]) for _ in range(3)]
        self.assertEqual([answer.told("x-user") for answer in answers], [["alice@example.com"]] * 3)
        self.assertEqual([answer.told("authorization") for answer in answers], [[]] * 3)

    def test_none(self) -> None:
        """Without a token everyone passes, as nothing requires one; what is no token of a rule stays."""
        answer = self.ask(headers=[("x-user", "root"), ("Authorization", "Basic YTpi")])
        self.assertEqual((answer.told("x-user"), answer.told("authorization")), ([], ["Basic YTpi"]))
        self.assertEqual(self.ask(headers=[("authorization", "bearer x")]).status, 200)

    def test_parameter(self) -> None:
        """A token in the query is taken out of it."""
        made = good(time.time()).decode()
        answer = self.ask(f"/a?x=1&access_token={made}&y=%2f")
        self.assertEqual((answer.echo["target"], answer.told("x-user")), ("/a?x=1&y=%2f", ["alice@example.com"]))
        self.refused(
            self.ask("/?access_token="),
            "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
        )
        answer = self.ask(f"/?access_token={made}&access%5Ftoken=x")
        self.assertEqual(answer.status, 401)

    def test_challenge(self) -> None:
        """The answer names the URL that was asked for, and the log the reason and no more."""
        made = good(time.time(), exp=1)
        answer = self.ask("/a/b?c=d", headers=[bearer(made)])
        self.refused(answer, "Jwt is expired")
        expected = 'Bearer realm="http://a.example/a/b?c=d", error="invalid_token"'
        self.assertEqual(answer.one("www-authenticate"), expected)
        line = self.logged("/a/b?c=d")
        self.assertEqual(line["response_code_details"], "jwt_authn_access_denied{Jwt_is_expired}")
        self.assertNotIn(made.decode(), json.dumps(line))

    def test_before_routes(self) -> None:
        """A bad token is refused before a redirect and before 404."""
        for target in ("/old", "/admin"):
            self.refused(self.ask(target, headers=[bearer(good(time.time(), exp=1))]), "Jwt is expired")
        self.assertEqual(self.ask("/old").status, 301)

    def test_grpc(self) -> None:
        """A client of gRPC gets a status of gRPC: 16, unauthenticated."""
        grpc = [("content-type", "application/grpc"), ("te", "trailers"), bearer(good(time.time(), exp=1))]
        answer = self.ask("/a.B/C", method="POST", headers=grpc, body=b"")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "16"))

    def test_preflight(self) -> None:
        """A browser that asks what it may ask needs no token, and tells no backend who it is."""
        asked = [("origin", "https://a.example"), ("access-control-request-method", "PUT"), ("x-user", "root")]
        answer = self.ask(method="OPTIONS", headers=[*asked, bearer(b"a.b.c")])
        self.assertEqual((answer.status, answer.told("x-user")), (200, []))
        self.assertEqual(self.ask(method="OPTIONS", headers=[asked[0], bearer(b"a.b.c")]).status, 401)

    def test_issuers(self) -> None:
        """Each issuer has its keys, its places and its own words; a token of one is nothing at the other's place."""
        answer = self.ask("/?z=1", headers=[("x-z", f"T {self.zeta()}")])
        self.assertEqual(answer.status, 401)
        for headers, target in (
            ([("x-z", f"T {self.zeta()}")], "/"),
            ([("cookie", f"a=b; sid={self.zeta()}")], "/"),
            ([], f"/?z={self.zeta()}"),
        ):
            answer = self.ask(target, headers=headers)
            self.assertEqual((answer.status, len(answer.told("x-zeta"))), (200, 1), headers)
            self.assertEqual(answer.echo["target"], target)
            self.assertEqual([answer.told(name) for name, _ in headers], [[value] for _, value in headers])
        self.refused(self.ask(headers=[("x-z", f"T {self.zeta(exp=1)}")]), "Jwt is expired")
        self.assertEqual(self.ask(headers=[("x-z", self.zeta(exp=1))]).status, 200)
        self.refused(self.ask(headers=[bearer(self.zeta().encode())]), "Jwt issuer is not configured")
        self.refused(self.ask(headers=[("x-z", f"T {good(time.time()).decode()}")]), "Jwt issuer is not configured")

    def test_first_ends(self) -> None:
        """The first issuer whose token is good ends the search."""
        both = [bearer(good(time.time())), ("x-z", f"T {self.zeta(exp=1)}")]
        answer = self.ask(headers=both)
        self.assertEqual((answer.status, answer.told("x-user")), (200, ["alice@example.com"]))

    def test_two_tokens(self) -> None:
        """Two tokens of one rule must both be good, wherever they stand."""
        now = time.time()
        fine, late = good(now), good(now, exp=1)
        form = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections"
        self.refused(self.ask(headers=[bearer(fine), bearer(late)]), form)
        self.refused(self.ask(headers=[bearer(fine), bearer(fine)]), form)
        self.refused(self.ask(f"/?access_token={late.decode()}", headers=[bearer(fine)]), "Jwt is expired")
        self.refused(self.ask(f"/?access_token={fine.decode()}", headers=[bearer(late)]), "Jwt is expired")
        other = good(now, sub="bob").decode()
        answer = self.ask(f"/?access_token={other}", headers=[bearer(fine)])
        self.assertEqual((answer.status, answer.told("x-user")), (200, ["alice@example.com"]))
        self.assertEqual(answer.echo["target"], "/")

    def test_curve(self) -> None:
        """A key of a curve verifies; so does the other half of the pair that every such signature is one of."""
        made = token(claims(time.time()), curve(), "ES256")
        for each in (made, twin(made)):
            self.assertEqual(self.ask(headers=[bearer(each)]).told("x-user"), ["alice@example.com"])

    def test_grace(self) -> None:
        """Clocks may differ by a minute, and not by more."""
        now = int(time.time())
        self.assertEqual(self.ask(headers=[bearer(good(now, exp=now - 30))]).status, 200)
        self.assertEqual(self.ask(headers=[bearer(good(now, nbf=now + 30))]).status, 200)
        self.assertEqual(self.ask(headers=[bearer(good(now, exp=now - 90))]).status, 401)
        self.assertEqual(self.ask(headers=[bearer(good(now, nbf=now + 90))]).status, 401)

    def test_rsa(self) -> None:
        """Another algorithm of the same key verifies."""
        self.assertEqual(self.ask(headers=[bearer(token(claims(time.time()), rsa(), "PS384"))]).status, 200)


class ClaimRouteTests(ServedTestCase):
    """Routes that are chosen by claims."""

    files: ClassVar[Mapping[str, str]] = TokenTests.files

    def test_claims(self) -> None:
        """A claim of a good token chooses a route; a header of that name does not."""
        now = time.time()
        admin = bearer(good(now, groups=["staff", "admin"]))
        self.assertEqual(self.ask("/admin", headers=[admin]).where, "two")
        self.assertEqual(self.ask("/admin", headers=[bearer(good(now, groups=["staff"]))]).where, "one")
        self.assertEqual(self.ask("/admin", headers=[("@request.auth.claims.groups", "admin")]).status, 400)
        self.assertEqual(self.ask("/admin").status, 404)
        self.assertEqual(self.ask("/admin", headers=[bearer(good(now, sub="bob"))]).status, 404)

    def test_explained(self) -> None:
        """C{edgegate explain} verifies a token that it is given, and goes the way that its claims choose."""
        now, port = time.time(), self.served.ports["http"]
        for made, words in (
            (good(now, groups=["admin"]), "its token of alice@example.com is valid"),
            (good(now, exp=1), "denied: RequestAuthentication istio-system/idp: Jwt is expired"),
        ):
            command = [program("edgegate"), "explain", "--config=etc", "-H", ": ".join(bearer(made))]
            ran = subprocess.run(
                [*command, f"http://a.example:{port}/admin"],
                cwd=self.served.folder,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
            self.assertIn(words, ran.stdout)
            self.assertEqual(str(self.served.ports["two"]) in ran.stdout, "valid" in words, ran.stdout)
            self.assertNotIn(made.split(b".")[1].decode(), ran.stdout)


REQUIRED = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: token-required, namespace: istio-system}
spec:
  action: DENY
  rules:
  - from: [{source: {notRequestPrincipals: ["*"]}}]
    to: [{operation: {notPaths: [/health]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: who, namespace: istio-system}
spec:
  rules:
  - from: [{source: {requestPrincipals: ["https://idp.example/*"]}}]
    to: [{operation: {paths: [/shop]}}]
  - to: [{operation: {paths: [/scope]}}]
    when: [{key: "request.auth.claims[scope]", values: [write]}]
  - to: [{operation: {paths: [/nested]}}]
    when: [{key: "request.auth.claims[dept][name]", values: ["i*"]}]
  - to: [{operation: {paths: [/health]}}]
"""


class RequiredTokenTests(ServedTestCase):
    """Policies that require tokens, beside those that say which are valid."""

    files: ClassVar[Mapping[str, str]] = {**TokenTests.files, "required.yaml": REQUIRED}

    def test_required(self) -> None:
        """Without a token only what is open is served; a bad token is told before a missing right."""
        now = time.time()
        alice = bearer(good(now, scope="read write", dept={"name": "it"}))
        for target, headers, status in (
            ("/health", [], 200),
            ("/shop", [], 403),
            ("/shop", [alice], 200),
            ("/shop", [bearer(good(now, exp=1))], 401),
            ("/health", [bearer(good(now, exp=1))], 401),
            ("/shop", [bearer(good(now, sub=None))], 403),
            ("/scope", [alice], 200),
            ("/scope", [bearer(good(now, scope="read"))], 403),
            ("/scope", [bearer(good(now, scope=["write"]))], 200),
            ("/nested", [alice], 200),
            ("/nested", [bearer(good(now, dept="it"))], 403),
            ("/other", [alice], 403),
        ):
            answer = self.ask(target, headers=headers)
            self.assertEqual(answer.status, status, (target, headers))
            if status == 403:
                self.assertEqual(answer.body, b"RBAC: access denied")

    def test_preflight(self) -> None:
        """A preflight needs no valid token, and a right like any request."""
        asked = [("origin", "https://a.example"), ("access-control-request-method", "PUT"), bearer(b"a.b.c")]
        self.assertEqual(self.ask("/shop", method="OPTIONS", headers=asked).status, 403)
        self.assertEqual(self.ask("/health", method="OPTIONS", headers=asked).status, 200)
