"""The admin listener of gateways of one process and of several, asked by curl."""

from __future__ import annotations

import socket

from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {{name: gw}}
spec:
  servers:
  - {{port: {{number: {http}, name: http, protocol: HTTP}}, hosts: [shop.example, slow.example]}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: shop}}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: hello
    directResponse: {{status: 200, body: {{string: hello}}}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {{name: slow}}
spec:
  hosts: [slow.example]
  gateways: [gw]
  http:
  - fault: {{delay: {{percentage: {{value: 100}}, fixedDelay: 60s}}}}
    route: [{{destination: {{host: 127.0.0.1, port: {{number: {http}}}}}}}]
"""

WORKERS = ((), ("--workers=2",))

TOKEN = "0123456789abcdef"


class AdminAPITests(AcceptanceTestCase):
    """What operators ask for, and what comes of it."""

    def serve(self, *options: str, host: str = "127.0.0.1") -> Running:
        """Serve the folder."""
        self.http, self.admin = free_ports(2)
        (self.folder / "etc").mkdir(exist_ok=True)
        (self.folder / "etc" / "gw.yaml").write_text(FILES.format(http=self.http))
        gateway = self.start("twistd", "-n", "edgegate", "--config=etc", f"--admin={host}:{self.admin}", *options)
        gateway.says("serving ")
        gateway.says("admin listener on")
        return gateway

    def curl(self, path: str, *options: str) -> tuple[int, str]:
        """Ask by curl; return the status and the body."""
        url = f"http://127.0.0.1:{self.admin}/{path}"
        done = self.ask("curl", "-sS", "-m", str(int(PATIENCE)), "-w", "\n%{http_code}", *options, url)
        self.assertEqual(done.returncode, 0, done.stderr)
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def request(self, host: str, path: str = "/", *fields: str) -> socket.socket:
        """Have the gateway asked for something; return the connection."""
        client = socket.create_connection(("127.0.0.1", self.http), PATIENCE)
        self.addCleanup(client.close)
        head = "\r\n".join([f"GET {path} HTTP/1.1", f"host: {host}", *fields, "", ""])
        client.sendall(head.encode())
        return client

    def test_quit(self) -> None:
        """The gateway ends at once, though something is under way, and says that it does."""
        for workers in WORKERS:
            gateway = self.serve("--admin-quit", "--drain-timeout=10m", "--drain-delay=10m", *workers)
            waiting = self.request("slow.example")
            self.wait_until(lambda: "1 connections" in self.curl("drain")[1])
            self.assertEqual(self.curl("quitquitquit", "-X", "POST"), (200, "ending\n"))
            self.assertEqual(gateway.ends(), 0, gateway.output)
            with self.assertRaises(ConnectionResetError):
                waiting.recv(1000)
            self.assertIn('"GET / HTTP/1.1"', gateway.output)

    def test_no_quit(self) -> None:
        """It does not where nobody has allowed it."""
        gateway = self.serve()
        status, words = self.curl("quitquitquit", "-X", "POST")
        self.assertEqual((status, words[:4]), (403, "off:"))
        self.assertEqual(self.curl("ready"), (200, "ready\n"))
        self.assertIsNone(gateway.process.poll())

    def test_token(self) -> None:
        """Beyond loopback it takes a token, which can be replaced while the gateway runs."""
        token = self.folder / "token"
        token.write_text(f"{TOKEN}\n")
        for workers in WORKERS:
            token.write_text(f"{TOKEN}\n")
            gateway = self.serve("--admin-token-file=token", *workers, host="0.0.0.0")
            self.assertEqual(self.curl("routes")[0], 401)
            self.assertEqual(self.curl("ready"), (200, "ready\n"))
            right = ("-H", f"Authorization: Bearer {TOKEN}")
            self.assertEqual(self.curl("routes", *right, "-H", "Host: edge.example")[0], 200)
            where = f"--admin=127.0.0.1:{self.admin}"
            self.assertEqual(self.ask("edgegate", "reload", where, "--admin-token-file=token").returncode, 0)
            shown = self.ask("edgegate", "proxy-config", "routes", where, "--admin-token-file=token")
            self.assertIn("shop.default", shown.stdout)
            refused = self.ask("edgegate", "drain", where)
            self.assertEqual((refused.returncode, refused.stdout), (1, ""))
            self.assertIn("asks for a token", refused.stderr)
            token.write_text("another-token-that-is-longer")
            self.assertEqual(self.curl("routes", *right)[0], 401)
            self.assertEqual(self.ask("edgegate", "drain", where, "--admin-token-file=token").returncode, 0)
            self.assertEqual(gateway.ends(), 0)
            self.assertNotIn(TOKEN, gateway.output)

    def test_refused(self) -> None:
        """Without a token it does not start beyond loopback, nor with a file that has none."""
        self.serve().stop()
        for options, words in (
            (("--admin=0.0.0.0:15000",), "needs an --admin-token-file"),
            (("--admin=0.0.0.0:0", "--admin-token-file=nothing"), "nothing: No such file or directory"),
        ):
            done = self.ask("twistd", "-n", "edgegate", "--config=etc", *options)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(words, done.stdout + done.stderr)
            self.assertNotIn("Traceback", done.stdout + done.stderr)
