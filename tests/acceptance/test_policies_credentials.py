"""Passwords and API keys, through the real gateway."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping
from hashlib import sha256

import bcrypt

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Answer, ServedTestCase

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: staff}
spec:
  hosts: [staff.example]
  gateways: [gw]
  http:
  - name: api
    match: [{uri: {prefix: /api}}]
    corsPolicy: {allowOrigins: [{exact: "https://app.example"}], allowMethods: [GET]}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: keys}
spec:
  hosts: [keys.example]
  gateways: [gw]
  http:
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

SHA512 = (
    "$6$rounds=1400$anotherlongsalts$"
    "POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1"
)
SHA512_PASSWORD = "a very much longer text to encrypt.  This one even stretches over morethan one line."

POLICIES = f"""\
apiVersion: edgegate.io/v1alpha1
kind: BasicAuthPolicy
metadata: {{name: staff}}
spec:
  targetRefs: [{{group: networking.istio.io, kind: VirtualService, name: staff}}]
  users: {{file: staff.htpasswd}}
  realm: Staff only
  userHeader: X-User
---
apiVersion: edgegate.io/v1alpha1
kind: APIKeyPolicy
metadata: {{name: apps}}
spec:
  targetRefs: [{{group: networking.istio.io, kind: VirtualService, name: keys}}]
  extractFrom: [{{header: x-api-key}}, {{queryParameter: key}}, {{cookie: key}}]
  keysFrom: {{secretName: apps}}
  keys: [{{client: two, sha256: {sha256(b"second").hexdigest()}}}]
  clientHeader: x-client
---
apiVersion: v1
kind: Secret
metadata: {{name: apps}}
stringData:
  keys: "one:{sha256(b"first").hexdigest()}"
"""

HTPASSWD = f"# staff\nali:{bcrypt.hashpw(b'open sesame', bcrypt.gensalt(8)).decode()}\nbob:{SHA512}\n"


def basic(user: str, password: str) -> Mapping[str, str]:
    """Return what a browser sends."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class CredentialTests(ServedTestCase):
    """Who has a password or a key."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES, "policies.yaml": POLICIES, "staff.htpasswd": HTPASSWD}

    def staff(self, headers: Mapping[str, str], target: str = "/", method: str = "GET") -> Answer:
        """Ask the host that wants passwords."""
        return self.ask(target, "staff.example", method, headers)

    def test_passwords(self) -> None:
        """Users get in, again and again, and their backend is told who they are, not what they know."""
        for _ in range(2):
            for user, password in (("ali", "open sesame"), ("bob", SHA512_PASSWORD)):
                answer = self.staff({**basic(user, password), "X-User": "root", "X_User": "root"})
                self.assertEqual(answer.where, "one")
                self.assertEqual(answer.told("x-user"), [user])
                self.assertEqual(answer.told("x_user") + answer.told("authorization"), [])

    def test_refused(self) -> None:
        """Everybody else is asked for a password, before a backend hears of it."""
        for headers in (
            {},
            basic("ali", "open sesam"),
            basic("bob", "open sesame"),
            basic("eve", "open sesame"),
            basic("ali", ""),
            {"Authorization": "Bearer x"},
            {"Authorization": "Basic x"},
            {"X-User": "ali"},
        ):
            answer = self.staff(headers)
            self.assertEqual((answer.status, answer.where), (401, "401"), headers)
            self.assertEqual(answer.one("www-authenticate"), 'Basic realm="Staff only", charset="UTF-8"')

    def test_body(self) -> None:
        """A body waits with its request for the check of a password that nobody has shown before."""
        answer = self.ask("/upload", "staff.example", "POST", basic("bob", SHA512_PASSWORD), b"x" * 10_000)
        self.assertEqual(answer.where, "one")

    def test_preflight(self) -> None:
        """A browser may ask without a password what its page may ask, where the route answers that itself."""
        asks = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        self.assertEqual(self.staff(asks, "/api", "OPTIONS").one("access-control-allow-origin"), "https://app.example")
        self.assertEqual(self.staff(asks, "/", "OPTIONS").where, "401")
        self.assertEqual(self.staff({"Origin": "https://app.example"}, "/api", "GET").where, "401")

    def test_keys(self) -> None:
        """A key in a header, the query or a cookie lets in, and goes no further; what else stands there does."""
        for target, headers in (
            ("/a?b=c", {"X-Api-Key": "first"}),
            ("/a?key=first&b=c", {}),
            ("/a?b=c&k%65y=first", {}),
            ("/a?b=c", {"Cookie": "a=b; key=first"}),
        ):
            answer = self.ask(target, "keys.example", headers={**headers, "X-Client": "root"})
            self.assertEqual(answer.where, "one", target)
            self.assertEqual((answer.told("x-client"), answer.echo["target"]), (["one"], "/a?b=c"))
            self.assertEqual(answer.told("x-api-key"), [])
            self.assertEqual(answer.told("cookie"), ["a=b"] if "Cookie" in headers else [])
        self.assertEqual(self.ask("/", "keys.example", headers={"X-Api-Key": "second"}).told("x-client"), ["two"])

    def test_wrong_keys(self) -> None:
        """None, another one, the hash of one, or those of two clients let nobody in."""
        for target, headers in (
            ("/", {}),
            ("/", {"X-Api-Key": "third"}),
            ("/", {"X-Api-Key": ""}),
            ("/", {"X-Api-Key": sha256(b"first").hexdigest()}),
            ("/?key=second", {"X-Api-Key": "first"}),
            ("/?key=third", {"X-Api-Key": "first"}),
        ):
            answer = self.ask(target, "keys.example", headers=headers)
            self.assertEqual((answer.where, answer.one("www-authenticate")), ("401", 'ApiKey realm="apps"'), target)

    def test_explained(self) -> None:
        """C{edgegate explain} says which policy refuses, and whose a key is."""
        port = self.served.ports["http"]
        for asked, words in (
            ([f"http://staff.example:{port}/"], "denied: BasicAuthPolicy default/staff: it shows no name and password"),
            (
                ["-H", "x-api-key: first", f"http://keys.example:{port}/"],
                "allowed: APIKeyPolicy default/apps: the key is that of one",
            ),
        ):
            command = [program("edgegate"), "explain", "--config=etc", *asked]
            ran = subprocess.run(
                command, cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            self.assertIn(words, ran.stdout)

    def test_mistakes(self) -> None:
        """C{edgegate check} tells passwords that are not hashed, with file and line, and does not repeat them."""
        (self.served.folder / "other").mkdir()
        for name in ("gateway.yaml", "policies.yaml"):
            (self.served.folder / "other" / name).write_text((self.served.folder / "etc" / name).read_text())
        (self.served.folder / "other" / "staff.htpasswd").write_text("ali:$apr1$zmqgvpo4$WG5cpWDmVVqIBHZp\nbob:pa55\n")
        command = [program("edgegate"), "check", "other"]
        ran = subprocess.run(
            command, cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.assertEqual(ran.returncode, 1, ran.stdout)
        self.assertIn("staff.htpasswd:1: a hash of MD5 of Apache is not taken", ran.stdout)
        self.assertIn("staff.htpasswd:2: this is no hash", ran.stdout)
        self.assertNotIn("pa55", ran.stdout)
