"""A request on the line, explained to who asks: by curl and by the commands."""

from __future__ import annotations

import json
import subprocess
from typing import ClassVar

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import ServedTestCase

TOKEN = "0123456789abcdef0123456789abcdef"

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - name: old
    match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - name: cart
    match: [{uri: {prefix: /cart}}]
    route: [{destination: {host: cart.internal, port: {number: 80}}}]
    retries: {attempts: 2, retryOn: "connect-failure,5xx"}
  - name: broken
    match: [{uri: {prefix: /broken}}]
    route: [{destination: {host: broken.internal, port: {number: 80}}}]
    retries: {attempts: 1, retryOn: connect-failure}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: broken}
spec:
  hosts: [broken.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP, targetPort: $nobody}]
  endpoints: [{address: 127.0.0.1}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: cart}
spec:
  hosts: [cart.internal]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
  - {address: 127.0.0.1, ports: {http: $one}}
"""
)


class DebuggingTests(ServedTestCase):
    """One gateway that explains itself to this machine."""

    files: ClassVar = {"shop.yaml": FILES, "token": TOKEN}
    options: ClassVar = ["--debug-from=127.0.0.0/8", "--recent-requests=50", "--admin-token-file=etc/token"]
    dead: ClassVar = ["nobody"]

    def page(self, path: str, token: str = TOKEN) -> str:
        """Ask the admin listener by curl."""
        url = f"http://127.0.0.1:{self.served.ports['admin']}{path}"
        command = [program("curl"), "-sS", "-H", f"authorization: Bearer {token}", url]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout

    def told(self, path: str, *options: str) -> dict[str, str]:
        """Ask by curl with the wish to know, and return what is told, by the names' last parts."""
        command = [program("curl"), "-sS", "-D-", "-o/dev/null", "-H", "x-edgegate-explain: 1", "-H", "host: a.example"]
        url = f"http://127.0.0.1:{self.served.ports['http']}{path}"
        ran = subprocess.run(
            [*command, *options, url], capture_output=True, text=True, timeout=PATIENCE, check=True
        ).stdout
        fields = [line.partition(": ") for line in ran.splitlines()]
        return {name.removeprefix("x-edgegate-"): value for name, _, value in fields if name.startswith("x-edgegate-")}

    def test_headers(self) -> None:
        """Route, file and line, cluster and endpoint are told over both versions; the backend sees no wish."""
        line = next(number for number, text in enumerate(FILES.splitlines(), 1) if "name: cart" in text)
        for options in ((), ("--http2-prior-knowledge",)):
            found = self.told("/cart", *options)
            self.assertEqual((found["virtual-host"], found["route"]), ("a.example", "cart"))
            self.assertEqual(found["route-origin"], f"shop.yaml:{line}")
            self.assertEqual(found["endpoint"], f"127.0.0.1:{self.served.ports['one']}")
            self.assertEqual((found["tries"], found["details"]), ("1", "via_upstream"))
        answer = self.ask("/cart", headers={"x-edgegate-explain": "1"})
        self.assertEqual(answer.told("x-edgegate-explain"), [])
        self.assertEqual(answer.told("x-request-id"), answer.values("x-edgegate-request-id"))

    def test_own_answers(self) -> None:
        """So does an answer of the gateway's own: a redirect, and an error, by the id in the access log."""
        self.assertEqual(self.told("/old")["route"], "old")
        found = self.told("/nowhere")
        self.assertEqual((found["flags"], found["details"]), ("NR", "route_not_found"))
        self.assertEqual(self.logged("/nowhere")["request_id"], found["request-id"])

    def test_others(self) -> None:
        """Who comes for somebody else is told nothing."""
        self.assertEqual(self.told("/cart", "-H", "x-forwarded-for: 203.0.113.9"), {})

    def test_recent(self) -> None:
        """A request that was is found by its id, with each of its tries; nobody is told without the token."""
        request_id = self.told("/broken?n=1", "-H", "cookie: a-secret")["request-id"]
        (story,) = json.loads(self.page(f"/requests/{request_id}"))
        self.assertEqual((story["target"], story["status"], story["flags"]), ("/broken?n=1", 503, ["URX", "UF"]))
        endpoint = f"127.0.0.1:{self.served.ports['nobody']}"
        tries = [(each["number"], each["endpoint"], each["reason"]) for each in story["tries"]]
        self.assertEqual(tries, [(1, endpoint, "connect refused"), (2, endpoint, "connect refused")])
        self.assertIn(["cookie", "[redacted]"], story["request_headers"])
        self.assertIn(request_id, self.page("/requests"))
        self.assertNotIn(request_id, self.page("/requests", token="another-0123456789abcdef"))

    def test_story(self) -> None:
        """The command tells the story of a request by its id, each try with its endpoint and why it ended."""
        request_id = self.told("/broken?n=2")["request-id"]
        options = [f"--admin=127.0.0.1:{self.served.ports['admin']}", "--admin-token-file=etc/token"]

        def tell(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [program("edgegate"), "explain", *arguments, *options]
            return subprocess.run(
                command, cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
            )

        ran = tell("--request-id", request_id)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        tries = [line for line in ran.stdout.splitlines() if line.startswith("  try ")]
        self.assertEqual(len(tries), 2, ran.stdout)
        for each in tries:
            self.assertIn(f"127.0.0.1:{self.served.ports['nobody']}", each)
            self.assertIn("connect refused (UF)", each)
        self.assertIn("  route broken, shop.yaml:", ran.stdout)
        self.assertIn("answered 503", ran.stdout)
        self.assertEqual(json.loads(tell("--request-id", request_id, "-o", "json").stdout)[0]["request_id"], request_id)
        ran = tell("--request-id", "nobody")
        self.assertEqual((ran.returncode, ran.stdout), (1, ""))
        self.assertIn("none of the requests that are kept has this id", ran.stderr)
