"""What a gateway shows of the moment, under a little load: the stream of its admin listener, and C{edgegate top}."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any
from unittest import SkipTest

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Client, ServedTestCase

FILES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: broken
    match: [{uri: {prefix: /broken}}]
    route: [{destination: {host: gone.internal, port: {number: 80}}}]
    retries: {attempts: 0}
  - name: slow
    match: [{uri: {prefix: /slow}}]
    route: [{destination: {host: web.internal, port: {number: 80}}}]
  - name: good
    route: [{destination: {host: web.internal, port: {number: 80}}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web}
spec:
  hosts: [web.internal]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: $one}}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: gone}
spec:
  hosts: [gone.internal]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 127.0.0.1, ports: {http: $gone}}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: raw}
spec:
  servers:
  - {port: {number: $raw, name: tcp, protocol: TCP}, hosts: ["*"]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: raw}
spec:
  hosts: ["*"]
  gateways: [raw]
  tcp:
  - route: [{destination: {host: web.internal, port: {number: 80}}}]
"""

Content = dict[str, Any]


class LiveTests(ServedTestCase):
    """A gateway with a route that works, one that is slow and one whose backend is gone."""

    files = {"all.yaml": GATEWAY + FILES}
    opened = {"one": ""}
    dead = ("gone", "raw")
    workers = 1

    @contextmanager
    def load(self) -> Iterator[None]:
        """Have requests come, some to each route, as long as it lasts."""
        over = threading.Event()
        done = threading.Event()

        def ask() -> None:
            while not over.is_set():
                for path, headers in (("/good?secret=1", []), ("/broken", []), ("/slow", [("x-do", "delay=0.05")])):
                    client = Client(self.served.ports["http"])
                    client.ask("GET", path, "shop.example", headers)
                    client.close()
                done.set()

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            self.assertTrue(done.wait(PATIENCE))
            yield
        finally:
            over.set()
            for thread in threads:
                thread.join()

    def look(self, query: str = "") -> tuple[int, str]:
        """Return what the stream has for one look."""
        connection = HTTPConnection("127.0.0.1", self.served.ports["admin"], timeout=PATIENCE)
        connection.request("GET", f"/stream?once=1{query}")
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text

    def shown(self) -> Content:
        """Return all that is shown after a second: what came first with what changed."""
        status, text = self.look()
        self.assertEqual(status, 200)
        contents = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]
        self.assertEqual(len(contents), 2)
        return {
            **contents[0],
            **contents[1],
            "examples": {**contents[0]["examples"], **contents[1].get("examples", {})},
        }

    def run_top(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        admin = f"--admin=127.0.0.1:{self.served.ports['admin']}"
        command = [program("edgegate"), "top", admin, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_where_the_trouble_is(self) -> None:
        """After a second it is seen which route fails and by what flag, which one is slow, and how they do."""
        with self.load():
            shown = self.shown()
        routes = {row["name"]: row for row in shown["routes"]["rows"]}
        broken, slow, good = routes["broken"], routes["slow"], routes["good"]
        self.assertEqual((broken["error_share"], good["error_share"], slow["error_share"]), (1.0, 0.0, 0.0))
        self.assertIn("UF", broken["flags"])
        self.assertEqual((broken["file"], good["file"]), ("all.yaml:15", "all.yaml:22"))
        self.assertGreater(good["rps"], 1)
        self.assertGreater(slow["p50"], 48)
        self.assertLess(good["p50"], slow["p50"])
        total = sum(row["rps"] for row in routes.values())
        self.assertAlmostEqual(shown["totals"]["rps"], total, places=1)
        (host,) = [row for row in shown["hosts"]["rows"] if row["type"] == "HTTP"]
        self.assertAlmostEqual(host["rps"], total, places=1)
        clusters = {row["service"]: row for row in shown["clusters"]["rows"]}
        self.assertAlmostEqual(clusters["web.internal"]["rps"], good["rps"] + slow["rps"], places=1)
        self.assertEqual(clusters["gone.internal"]["error_share"], 1.0)
        endpoints = {row["cluster"]: row for row in shown["endpoints"]["rows"]}
        web = endpoints["outbound|80||web.internal"]
        self.assertEqual((web["address"], web["health"]), (f"127.0.0.1:{self.served.ports['one']}", "healthy"))
        self.assertEqual(len(shown["workers"]["rows"]), self.workers)
        self.assertEqual(shown["gateway"]["workers"], self.workers)

    def test_relays(self) -> None:
        """A port of plain TCP shows how many connections are open, and what they carry while they do."""
        raw = Client(self.served.ports["raw"])
        raw.ask("GET", "/", "shop.example")
        over = threading.Event()

        def talk() -> None:
            while not over.is_set():
                raw.ask("GET", "/", "shop.example")

        talking = threading.Thread(target=talk)
        talking.start()
        try:
            shown = self.shown()
        finally:
            over.set()
            talking.join()
        (route,) = [row for row in shown["routes"]["rows"] if "open" in row]
        (host,) = [row for row in shown["hosts"]["rows"] if "open" in row]
        self.assertEqual((route["open"], host["open"], route["rps"]), (1, 1, 0))
        self.assertGreater(route["received"], 1000)
        self.assertGreater(route["sent"], 1000)
        self.assertNotIn("active", route)
        titles, row = self.run_top("--once", "--filter=web.internal", "--by=route").stdout.splitlines()[1:3]
        self.assertIn("OPEN", titles, row)
        raw.close()

    def test_examples(self) -> None:
        """The last requests that failed are there, with their reason, though nobody looked when they did."""
        answer = self.ask("/broken?secret=1", host="shop.example")
        self.assertEqual(answer.status, 503)
        shown = self.shown()
        (broken,) = [row["id"] for row in shown["routes"]["rows"] if row["name"] == "broken"]
        first = shown["examples"][broken]["errors"][0]
        self.assertEqual((first["path"], first["status"], first["reason"]), ("/broken", 503, "connect refused"))
        self.assertIn("UF", first["flags"])
        self.assertNotIn("secret", json.dumps(shown))

    def test_top(self) -> None:
        """The command prints one table, sorted as it is told."""
        with self.load():
            found = self.run_top("--once", "--sort=errors")
        self.assertEqual(found.returncode, 0, found.stderr)
        _, titles, first, *_ = found.stdout.splitlines()
        self.assertEqual(titles.split()[:5], ["HOST", "ROUTE", "RPS", "ERR/S", "ERR"])
        self.assertEqual((first.split()[:2], first.split()[4]), (["shop.example", "broken"], "100%"))
        self.assertIn("UF:", first)
        filtered = self.run_top("--once", "--by=endpoint", "--filter=gone").stdout.splitlines()
        self.assertEqual(len(filtered), 3)
        self.assertIn(f"127.0.0.1:{self.served.ports['gone']}", filtered[2])

    def test_screen(self) -> None:
        """In a terminal the table is painted anew each second, keys change it, and q leaves all as it was."""
        if self.workers > 1:
            raise SkipTest("it does not depend on who serves")
        child, terminal = pty.fork()
        if child == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="150", LINES="30")
            admin = f"--admin=127.0.0.1:{self.served.ports['admin']}"
            os.execv(program("edgegate"), ["edgegate", "top", admin])
        self.addCleanup(os.close, terminal)
        seen = b""

        def until(words: bytes) -> None:
            nonlocal seen
            end = time.monotonic() + PATIENCE
            while words not in seen:
                self.assertTrue(select.select([terminal], [], [], end - time.monotonic())[0], seen)
                seen += os.read(terminal, 65536)

        until(b"all.yaml:22")
        os.write(terminal, b"4")
        until(b"CONNS")
        os.write(terminal, b"q")
        # the screen from before is shown again
        until(b"\x1b[?1049l")
        self.assertEqual(os.waitpid(child, 0)[1], 0)

    def test_errors(self) -> None:
        """What is wrong is said in a line."""
        if self.workers > 1:
            raise SkipTest("it does not depend on who serves")
        found = subprocess.run(
            [program("edgegate"), "top", "--once", f"--admin=127.0.0.1:{self.served.ports['gone']}"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        self.assertEqual(found.returncode, 1)
        self.assertIn("no gateway answers at", found.stderr)
        self.assertEqual(self.look("&sort=best")[0], 400)


class WorkerLiveTests(LiveTests):
    """The same, with two processes that serve."""

    options = ("--workers=2",)
    workers = 2
    # not that of the class above
    _served = None
