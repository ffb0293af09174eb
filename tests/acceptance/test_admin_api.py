"""The admin listener of gateways of one process and of several, asked by curl."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile

from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, Running, free_ports, wait_until

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

    def serve(self, *options: str, host: str = "127.0.0.1", path: str = "") -> Running:
        """
        Serve the folder.

        @param path: The admin listener's, where it is to be a UNIX socket.
        """
        self.http, self.admin = free_ports(2)
        (self.folder / "etc").mkdir(exist_ok=True)
        (self.folder / "etc" / "gw.yaml").write_text(FILES.format(http=self.http))
        where = path or f"{host}:{self.admin}"
        gateway = self.start("twistd", "-n", "edgegate", "--config=etc", f"--admin={where}", *options)
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
            wait_until(lambda: "1 connections" in self.curl("drain")[1])
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

    def tap(self, *options: str) -> Running:
        """Begin a tap; return curl, once it has begun."""
        running = self.start("curl", "-sSN", "-D-", "--unix-socket", self.path, "http://localhost/tap", *options)
        running.says("application/x-ndjson")
        return running

    def test_tap(self) -> None:
        """
        Requests are shown while they pass, of all workers, with nothing of what secret headers say; who looks at others
        sees nothing of them; over TCP without a token nobody looks.
        """
        # the test's own folder has too long a path for a socket
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.path = f"{folder}/admin.sock"
        for workers in WORKERS:
            gateway = self.serve("--tap-redact=x-key", *workers, path=self.path)
            everything = self.tap("-d", "requests=6&host=shop.example&seconds=60")
            nothing = self.tap("-d", "host=slow.example", "-d", "seconds=60")
            for number in range(6):
                secret = ("authorization: Basic s3cret", "cookie: a=s3cret", "x-key: s3cret", f"x-number: {number}")
                client = self.request("shop.example", f"/{number}?a=b", *secret)
                self.assertIn(b"hello", client.recv(4096))
            self.assertEqual(everything.ends(), 0)
            *shown, end = (json.loads(line) for line in everything.lines if line.startswith("{"))
            self.assertEqual(end, {"end": "requests", "requests": 6, "missed": 0})
            self.assertEqual(sorted(each["target"] for each in shown), [f"/{number}?a=b" for number in range(6)])
            self.assertNotIn("s3cret", everything.output)
            for each in shown:
                self.assertIn(["authorization", "[redacted]"], each["request_headers"])
                self.assertIn(["x-number", each["target"][1]], each["request_headers"])
                self.assertEqual((each["status"], each["route"], each["file"]), (200, "hello", "gw.yaml:15"))
                self.assertEqual("worker" in each, bool(workers))
            self.assertEqual(gateway.stop(), 0)
            nothing.ends()
            self.assertNotIn("{", nothing.output)

    def test_unauthorised_tap(self) -> None:
        """Over TCP without a token nobody looks, with one whoever has it, from the query or a form."""
        (self.folder / "token").write_text(TOKEN)
        gateway = self.serve()
        self.assertEqual(self.curl("tap", "-X", "POST")[0], 403)
        gateway.stop()
        self.serve("--admin-token-file=token")
        self.assertEqual(self.curl("tap", "-X", "POST")[0], 401)
        right = ("-H", f"Authorization: Bearer {TOKEN}")
        status, body = self.curl("tap?seconds=1", "-X", "POST", *right)
        self.assertEqual((status, json.loads(body)["end"]), (200, "seconds"))
        self.assertEqual(self.curl("tap", "-d", "status=700", *right)[0], 400)

    def test_logging(self) -> None:
        """What the log tells can be changed while the gateway runs, of workers as well, and whatever writes it."""
        for options in ((), ("--log-format=json",), ("--workers=2",)):
            gateway = self.serve(*options)
            self.assertEqual(self.curl("logging"), (200, "default   debug\n"))
            self.assertEqual(self.curl("logging", "-d", "level=error")[0], 200)
            gateway.says("log level of all is error now")
            self.assertEqual(self.curl("reload", "-X", "POST")[0], 200)
            form = ("-d", "namespace=edgegate.server&level=info")
            self.assertEqual(self.curl("logging", *form), (200, "default           error\nedgegate.server   info\n"))
            gateway.says("log level of edgegate.server is info now")
            reloads = gateway.output.count("nothing has changed")
            self.assertEqual(self.curl("reload", "-X", "POST")[0], 200)
            gateway.says("nothing has changed")
            self.assertEqual((reloads, gateway.stop()), (0, 0))

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
