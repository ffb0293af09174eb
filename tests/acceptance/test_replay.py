"""C{edgegate replay} of logs that the gateway itself and nginx have written."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from string import Template

from tests.acceptance.processes import PATIENCE, Running, free_ports, program
from tests.acceptance.served import ServedTestCase

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec: {servers: [{port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - name: qa
    match: [{headers: {x-user: {exact: qa}}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $two}}}]
  - name: cart
    match: [{uri: {prefix: /cart}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - {name: old, match: [{uri: {exact: /old}}], redirect: {uri: /cart}}
  - {name: bots, match: [{headers: {user-agent: {prefix: Bot}}}], directResponse: {status: 403}}
"""

NGINX = """\
daemon off; pid nginx.pid; error_log stderr notice; worker_processes 1;
events {}
http {
 log_format own '$$remote_addr "$$request" $$status "$$http_host" $$server_port "$$http_x_user" "$$http_user_agent"';
 access_log own.log own;
 client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
 server { listen 127.0.0.1:$http; return 200; }
}
"""


class ReplayTests(ServedTestCase):
    """Requests of real clients, replayed from what was logged."""

    files = {"shop.yaml": FILES}
    opened = {"one": "", "two": ""}

    def replay(self, log: Path, old: bool, *options: str) -> tuple[int, dict[str, object]]:
        """Replay a log through files that have moved the cart; return the exit status, and what was found."""
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, path in (("old", "/cart"), ("new", "/basket")):
            text = Template(FILES).substitute(self.served.ports).replace("{prefix: /cart}", f"{{prefix: {path}}}")
            (folder / name).mkdir()
            (folder / name / "shop.yaml").write_text(text)
        against = ["--against", str(folder / "old")] if old else []
        command = [
            program("edgegate"),
            "replay",
            "-",
            "--config",
            str(folder / "new"),
            *against,
            "-o",
            "json",
            *options,
        ]
        with log.open("rb") as file:
            done = subprocess.run(command, stdin=file, capture_output=True, check=False, timeout=PATIENCE)
        self.assertEqual(done.stderr, b"")
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return done.returncode, found

    def counts(self, found: dict[str, object]) -> dict[str, object]:
        """Return how many requests came out how."""
        return {name: found[name] for name in ("requests", "otherwise", "maybe", "same", "unsaid")}

    def test_own_log(self) -> None:
        """The gateway's own log: what moved is found, by the log alone and against the older files."""
        self.ask("/cart?a=1")
        self.ask("/cart?a=2", headers={"user-agent": 'a "quoted" agent'})
        self.ask("/old")
        self.ask("/none")
        self.ask("/x", headers={"user-agent": "Bot/1"})
        for target in ("/cart?a=1", "/cart?a=2", "/old", "/none", "/x"):
            self.logged(target)
        log = Path(self.mktemp())
        lines = [line for line in self.served.gateway.lines if line.startswith('{"start_time"')]
        log.write_text("".join(lines))
        status, found = self.replay(log, old=False)
        # whoever was x-user: qa may have gone elsewhere, but nobody goes to the cart any more
        self.assertEqual(status, 1)
        self.assertEqual(self.counts(found), {"requests": 5, "otherwise": 2, "maybe": 3, "same": 0, "unsaid": 0})
        status, found = self.replay(log, True)
        self.assertEqual(status, 0)
        self.assertEqual(self.counts(found), {"requests": 5, "otherwise": 0, "maybe": 2, "same": 3, "unsaid": 0})
        status, found = self.replay(log, True, "--strict")
        self.assertEqual(status, 1)

    def test_nginx(self) -> None:
        """A log of nginx, in a format of its own that has the header which the routes ask about."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (port,) = free_ports(1)
        text = Template(NGINX).substitute(http=port)
        (folder / "nginx.conf").write_text(text)
        nginx = Running([program("nginx"), "-p", ".", "-c", "nginx.conf"], folder)
        self.addCleanup(nginx.stop)
        nginx.says("start worker process ")
        for target, headers in (("/cart", []), ("/cart", ["-H", "x-user: qa"]), ("/old", []), ("/none", [])):
            url = f"http://127.0.0.1:{port}{target}"
            subprocess.run(
                [program("curl"), "-s", "-H", "Host: a.example", *headers, url], check=True, timeout=PATIENCE
            )
        nginx.stop()
        form = text.partition("log_format own ")[2].partition("\n")[0]
        files, bound = self.served.ports["http"], port
        options = ("--map-port", f"{files}:{bound}", "--format", f"log_format own {form}")
        status, found = self.replay(folder / "own.log", False, *options)
        self.assertEqual(status, 1)
        self.assertEqual(self.counts(found), {"requests": 4, "otherwise": 3, "maybe": 0, "same": 0, "unsaid": 1})
